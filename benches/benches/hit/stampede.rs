//! Requests that reach the service when many callers want a token at once: with an empty cache, and
//! with an expired token.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use azure_core::credentials::TokenCredential as Theirs;
use credsim_benches::rows::{self, Row};
use credsim_identity::TokenCredentialExt as _;
use tokio::runtime::Runtime;

use crate::{
    Effort, Outcome,
    case::Case,
    official, ours,
    service::{SCOPE, Service},
    single::print,
};

const CALLERS: [u32; 4] = [1, 64, 1_000, 10_000];
const ANSWER_TAKES: Duration = Duration::from_millis(100);

/// Lives of tokens, in seconds, that have ended for the library after a second: `azure_identity`
/// counts a token as expired five minutes before its end. The bench then waits on the real clock.
const OURS_LIVES: u64 = 1;
const THEIRS_LIVES: u64 = 301;
const UNTIL_IT_HAS_ENDED: Duration = Duration::from_millis(1_500);

/// The requests that one crowd of callers caused, and when its last member had a token.
struct Crowd {
    requests: f64,
    last: f64,
}

pub fn run(effort: Effort) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    let mut rows = Vec::new();
    for callers in CALLERS.into_iter().filter(|n| *n as usize <= effort.crowd) {
        for ended in [false, true] {
            let group = if ended {
                "stampede-expired"
            } else {
                "stampede-cold"
            };
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..3 {
                ours.push(runtime.block_on(our_crowd(callers, ended))?);
                theirs.push(their_crowd(&runtime, callers, ended)?);
            }
            rows.extend(rows_of(ours::NAME, group, callers, &ours));
            rows.extend(rows_of(official::NAME, group, callers, &theirs));
        }
    }
    rows.iter().for_each(print);
    Ok(rows::write(&rows)?)
}

fn rows_of(who: &'static str, group: &str, callers: u32, crowds: &[Crowd]) -> [Row; 2] {
    let case = Case::new(who, "ClientSecretCredential", || 0);
    let requests = crowds.iter().map(|crowd| crowd.requests).collect();
    let last = crowds.iter().map(|crowd| crowd.last).collect();
    let mut requests = case.row(group, "requests", callers).of(requests);
    if who == official::NAME && group == "stampede-expired" {
        requests.note =
            format!("{who}: a token with 299.5 s left, which is one that has ended to it");
    }
    let mut last = case.row(&format!("{group}-last"), "ms", callers).of(last);
    last.note = format!("{who}: in this process, without a network");
    [requests, last]
}

async fn our_crowd(callers: u32, ended: bool) -> Outcome<Crowd> {
    let service = Service::new();
    let credential = ours::client_secret(service.platform())?;
    // Any token that has not expired is accepted.
    let request = Arc::new(ours::request().with_min_remaining(Duration::ZERO));
    if ended {
        service.lives(OURS_LIVES);
        credential.token(&request).await?;
        tokio::time::sleep(UNTIL_IT_HAS_ENDED).await;
        service.lives(86_400);
    }
    crowd(&service, callers, || {
        let (credential, request) = (credential.clone(), Arc::clone(&request));
        async move { credential.token(&request).await.is_ok() }
    })
    .await
}

fn their_crowd(runtime: &Runtime, callers: u32, ended: bool) -> Outcome<Crowd> {
    runtime.block_on(async {
        let service = Service::new();
        let credential = official::client_secret(&service)?;
        if ended {
            service.lives(THEIRS_LIVES);
            credential.get_token(&[SCOPE], None).await?;
            tokio::time::sleep(UNTIL_IT_HAS_ENDED).await;
            service.lives(86_400);
        }
        crowd(&service, callers, || {
            let credential = credential.clone();
            async move { credential.get_token(&[SCOPE], None).await.is_ok() }
        })
        .await
    })
}

/// All callers at once, each a task.
async fn crowd<F>(service: &Service, callers: u32, caller: impl Fn() -> F) -> Outcome<Crowd>
where
    F: Future<Output = bool> + Send + 'static,
{
    service.takes(ANSWER_TAKES);
    let before = service.asked();
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers).map(|_| tokio::spawn(caller())).collect();
    for task in tasks {
        if !task.await? {
            return Err("a caller got no token".into());
        }
    }
    Ok(Crowd {
        requests: (service.asked() - before) as f64,
        last: start.elapsed().as_secs_f64() * 1e3,
    })
}
