//! A hit for one scope while the request for another scope is not answered.

use std::time::{Duration, Instant};

use azure_core::credentials::TokenCredential as Theirs;
use credsim_benches::rows::{self, Row};
use credsim_identity::{TokenCredential as _, TokenCredentialExt as _, TokenRequest};
use futures_util::FutureExt as _;

use crate::{
    Effort, Outcome,
    case::{Case, asking},
    official, ours,
    service::{LENGTH, OTHER_SCOPE, SCOPE, Service},
    single::print,
};

/// How long the service delays its answer to `azure_identity`, in each sample.
const SLOW: Duration = Duration::from_millis(100);

pub fn run(effort: Effort) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()?;
    let mut rows = runtime.block_on(ours(effort))?;
    rows.push(runtime.block_on(theirs(effort))?);
    rows.iter().for_each(print);
    Ok(rows::write(&rows)?)
}

/// The same hit without any request in flight and with one that hangs for good, in turn.
async fn ours(effort: Effort) -> Outcome<Vec<Row>> {
    let mut cases = Vec::new();
    let mut under_way = Vec::new();
    for what in ["nothing under way", "another scope's request hangs"] {
        let service = Service::new();
        let credential = ours::client_secret(service.platform())?;
        credential.token(&ours::request()).await?;
        if what != "nothing under way" {
            service.hangs_for(OTHER_SCOPE);
            let hanging = credential.clone();
            let other = TokenRequest::new([OTHER_SCOPE]);
            under_way.push(tokio::spawn(async move {
                hanging.get_token(&other).await.is_ok()
            }));
            while service.asked() < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let request = ours::request();
        cases.push(Case::asking(
            ours::NAME,
            what,
            asking!(credential.token(&request), token => token.secret()),
        ));
    }
    let times = cases[0].calibrate(effort.turn);
    let mut samples = vec![Vec::new(); cases.len()];
    for round in 0..effort.rounds {
        for turn in 0..cases.len() {
            let index = (turn + round) % cases.len();
            let took = cases[index].time(times);
            samples[index].push(took.as_nanos() as f64 / times as f64);
        }
    }
    let hangs = under_way.iter().all(|task| !task.is_finished());
    assert!(hangs, "the other request was to hang");
    under_way.iter().for_each(tokio::task::JoinHandle::abort);
    let rows = cases.iter().zip(samples);
    Ok(rows
        .map(|(case, samples)| case.row("hit-beside-a-hang", "ns", 1).of(samples))
        .collect())
}

/// A hit of `azure_identity` waits for the request, so the request is slow and does not hang.
async fn theirs(effort: Effort) -> Outcome<Row> {
    let service = Service::new();
    let mut samples = Vec::new();
    for _ in 0..effort.rounds.min(21) {
        let credential = official::client_secret(&service)?;
        service.takes(Duration::ZERO);
        credential.get_token(&[SCOPE], None).await?;
        service.takes(SLOW);
        let (asked, slow) = (service.asked(), credential.clone());
        let slow = tokio::spawn(async move { slow.get_token(&[OTHER_SCOPE], None).await.is_ok() });
        while service.asked() == asked {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let start = Instant::now();
        let token = credential.get_token(&[SCOPE], None).await?;
        samples.push(start.elapsed().as_nanos() as f64);
        assert_eq!(token.token.secret().len(), LENGTH);
        assert!(slow.await?, "the other request was to end");
    }
    let mut row = Case::new(official::NAME, "another scope's request takes 100 ms", || 0)
        .row("hit-beside-a-hang", "ns", 1)
        .of(samples);
    row.note = "it waits for what is left of the other request".to_owned();
    Ok(row)
}
