//! Allocations per hit, and bytes per credential, per token and per event of a trace: counted by
//! the allocator.
//!
//! `cargo bench -p credsim-benches --bench memory`. A program of its own, so that no other bench
//! pays for the counting. Bytes are requested sizes; an allocator rounds them up.
#![expect(
    clippy::disallowed_methods,
    reason = "a bench measures the real machine"
)]

#[expect(dead_code, reason = "the bench of the hit uses the rest")]
#[path = "../hit/case.rs"]
mod case;
mod counting;
#[path = "../hit/floors.rs"]
mod floors;
#[path = "../hit/official.rs"]
mod official;
#[path = "../hit/ours.rs"]
mod ours;
#[expect(dead_code, reason = "the bench of the hit uses the rest")]
#[path = "../hit/service.rs"]
mod service;

use azure_core::credentials::TokenCredential as Theirs;
use credsim::engine::Engine;
use credsim_benches::{
    fleet, play,
    rows::{self, Row},
};
use credsim_identity::{TokenCredentialExt as _, TokenRequest};

use case::Case;
use service::{SCOPE, Service};

/// The result of a bench, or the error that stopped it.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const HITS: u64 = 10_000;
const MANY: usize = 1_000;

fn main() -> Outcome {
    // One thread, so that only the measured code is counted.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let cases = runtime.block_on(cases())?;
    // Outside the runtime: inside, tokio's cooperative budget ends after 128 hits.
    let mut rows: Vec<Row> = cases.iter().map(allocations).collect();
    rows.extend(runtime.block_on(ours_hold())?);
    rows.extend(runtime.block_on(theirs_hold())?);
    rows.push(trace_holds());
    for row in &rows {
        println!(
            "{:20} {:28} {:52} {:>10.1} {}",
            row.group, row.who, row.what, row.median, row.unit
        );
    }
    Ok(rows::write(&rows)?)
}

async fn cases() -> Outcome<Vec<Case>> {
    let mut cases = floors::cases(&Service::new())?;
    cases.extend(official::cases(&Service::new()).await?);
    cases.extend(ours::cases(&Service::new()).await?);
    Ok(cases)
}

fn allocations(case: &Case) -> Row {
    case.time(100);
    let before = counting::allocations();
    case.time(HITS);
    let made = counting::allocations() - before;
    let row = case.row("hit-allocations", "allocations", 1);
    row.of(vec![made as f64 / HITS as f64])
}

fn held(who: &'static str, what: &'static str, bytes: isize) -> Row {
    let mut row = Case::new(who, what, || 0).row("memory-requested", "bytes", 1);
    row.note = "bytes that were asked of the allocator, for each of 1,000".to_owned();
    row.of(vec![bytes as f64 / MANY as f64])
}

/// The bytes of a trace per event: 1,000 clients with a credential each, for a day.
fn trace_holds() -> Row {
    let scenario = fleet(1_000, "24h", "11m");
    // The first run fills the caches of the process: keys, signatures, time zones.
    drop(play(&scenario, Engine::Lapse, 1));
    let before = counting::live();
    let run = play(&scenario, Engine::Lapse, 1);
    let bytes = counting::live() - before;
    let events = run.trace.events.len();
    let mut row = held("lapse", "one event of a trace", 0);
    row.note = format!("bytes that were asked of the allocator, for each of {events} events");
    row.of(vec![bytes as f64 / events as f64])
}

async fn ours_hold() -> Outcome<Vec<Row>> {
    let platform = Service::new().platform();
    let before = counting::live();
    let mut all = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        all.push(ours::client_secret(platform.clone())?);
    }
    let made = counting::live();
    for credential in &all {
        credential.token(&ours::request()).await?;
    }
    let warm = counting::live();
    for credential in &all {
        credential.token(&ours::request()).await?;
    }
    let hit = counting::live();

    let one = ours::client_secret(platform)?;
    one.token(&ours::request()).await?;
    let requests: Vec<_> = (0..MANY)
        .map(|n| TokenRequest::new([format!("{SCOPE}/{n:04}")]))
        .collect();
    let start = counting::live();
    for request in &requests {
        one.token(request).await?;
        // The first hit adds an entry to the lookup, which counts, too.
        one.token(request).await?;
    }
    let entries = counting::live();
    let who = ours::NAME;
    Ok(vec![
        held(who, "ClientSecretCredential", made - before),
        held(who, "ClientSecretCredential, with a token", warm - before),
        held(who, "ClientSecretCredential, after a hit", hit - before),
        held(who, "one more token", entries - start),
    ])
}

async fn theirs_hold() -> Outcome<Vec<Row>> {
    let service = Service::new();
    let before = counting::live();
    let mut all = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        all.push(official::client_secret(&service)?);
    }
    let made = counting::live();
    for credential in &all {
        credential.get_token(&[SCOPE], None).await?;
    }
    let warm = counting::live();

    let one = official::client_secret(&service)?;
    one.get_token(&[SCOPE], None).await?;
    let scopes: Vec<String> = (0..MANY).map(|n| format!("{SCOPE}/{n:04}")).collect();
    let start = counting::live();
    for scope in &scopes {
        one.get_token(&[scope], None).await?;
    }
    let entries = counting::live();
    let who = official::NAME;
    Ok(vec![
        held(who, "ClientSecretCredential", made - before),
        held(who, "ClientSecretCredential, with a token", warm - before),
        held(who, "one more token", entries - start),
    ])
}
