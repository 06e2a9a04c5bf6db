//! Many callers at once, as tasks on a runtime of two threads: hits per second, all together.

use std::{sync::Arc, time::Instant};

use credsim_benches::rows;
use tokio::runtime::Runtime;

use crate::{Effort, Outcome, case::Case, floors, official, ours, service::Service, single::print};

const CALLERS: [u32; 5] = [1, 2, 8, 64, 1_000];

/// A hit does not yield to other tasks; an application does, every few hits. The cost of the yield is
/// the same in every case.
const HITS_BETWEEN_YIELDS: u64 = 64;

pub fn run(effort: Effort) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    let mut cases = floors::cases(&Service::new())?;
    cases.extend(runtime.block_on(official::cases(&Service::new()))?);
    cases.extend(runtime.block_on(ours::cases(&Service::new()))?);
    let cases: Vec<Arc<Case>> = cases.into_iter().map(Arc::new).collect();
    let times: Vec<u64> = cases
        .iter()
        .map(|case| case.calibrate(effort.turn))
        .collect();

    let mut rows = Vec::new();
    for callers in CALLERS {
        let mut samples = vec![Vec::new(); cases.len()];
        for round in 0..effort.rounds {
            for turn in 0..cases.len() {
                let index = (turn + round) % cases.len();
                samples[index].push(hits_per_second(
                    &runtime,
                    &cases[index],
                    callers,
                    times[index],
                )?);
            }
        }
        for (case, samples) in cases.iter().zip(samples) {
            let mut row = case.row("hit", "hits/s", callers).of(samples);
            row.note = "tasks on two threads, which give way after 64 hits".to_owned();
            rows.push(row);
        }
    }
    rows.iter().for_each(print);
    Ok(rows::write(&rows)?)
}

/// `times` hits, shared among the callers.
fn hits_per_second(runtime: &Runtime, case: &Arc<Case>, callers: u32, times: u64) -> Outcome<f64> {
    let yields = (times / u64::from(callers) / HITS_BETWEEN_YIELDS).max(1);
    let start = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let case = Arc::clone(case);
                tokio::spawn(async move {
                    for _ in 0..yields {
                        case.time(HITS_BETWEEN_YIELDS);
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        Ok::<_, tokio::task::JoinError>(())
    })?;
    let hits = yields * HITS_BETWEEN_YIELDS * u64::from(callers);
    Ok(hits as f64 / start.elapsed().as_secs_f64())
}
