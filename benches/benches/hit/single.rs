//! One caller, one hit after another; and two such callers on two threads.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::Instant,
};

use credsim_benches::rows::{self, Row};
use criterion::Criterion;

use crate::{Effort, Outcome, case::Case, floors, official, ours, service::Service};

/// All cases. Each has its token cached, after exactly one request to its service.
fn all(runtime: &tokio::runtime::Runtime) -> Outcome<Vec<Case>> {
    let mut cases = floors::cases(&Service::new())?;
    let service = Service::new();
    cases.extend(runtime.block_on(official::cases(&service))?);
    assert_eq!(service.asked(), 1);
    let service = Service::new();
    cases.extend(runtime.block_on(ours::cases(&service))?);
    assert_eq!(
        service.asked(),
        2,
        "one for the credential, one for the chain"
    );
    Ok(cases)
}

pub fn run(effort: Effort) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()?;
    let cases: Vec<Arc<Case>> = all(&runtime)?.into_iter().map(Arc::new).collect();
    if effort.criterion {
        criterion(&cases);
    }
    let times: Vec<u64> = cases
        .iter()
        .map(|case| case.calibrate(effort.turn))
        .collect();
    let mut one = vec![Vec::new(); cases.len()];
    let mut two = vec![Vec::new(); cases.len()];
    for round in 0..effort.rounds {
        // A different case is first in each round.
        for turn in 0..cases.len() {
            let index = (turn + round) % cases.len();
            let (case, times) = (&cases[index], times[index]);
            one[index].push(nanoseconds(case.time(times), times));
            if let Some(took) = both(case, times) {
                two[index].push(took);
            }
        }
    }
    report(&cases, &one, &two)
}

fn nanoseconds(took: std::time::Duration, times: u64) -> f64 {
    took.as_nanos() as f64 / times as f64
}

/// The time of a hit on each of two threads that run at the same time. `None` if they did not have
/// a core each, because of other load.
fn both(case: &Arc<Case>, times: u64) -> Option<f64> {
    let barrier = Arc::new(Barrier::new(2));
    let start = Instant::now();
    let work = || {
        let (case, barrier) = (Arc::clone(case), Arc::clone(&barrier));
        thread::spawn(move || {
            case.time(times / 10 + 1);
            barrier.wait();
            let (cpu, from) = (thread_time(), start.elapsed());
            let took = case.time(times);
            let (worked, to) = (thread_time().saturating_sub(cpu), start.elapsed());
            (took, worked, from, to)
        })
    };
    let threads = [work(), work()];
    let [one, other] = threads.map(|thread| thread.join().ok());
    let (one, other) = (one?, other?);
    let together = one.3.min(other.3).checked_sub(one.2.max(other.2))?;
    let longest = one.0.max(other.0);
    let busy = [one, other]
        .iter()
        .all(|(took, worked, ..)| worked.as_secs_f64() > 0.95 * took.as_secs_f64());
    let overlap = together.as_secs_f64() > 0.9 * longest.as_secs_f64();
    (busy && overlap).then(|| nanoseconds(longest, times))
}

/// How long this thread has had a core.
fn thread_time() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    std::time::Duration::new(seconds, nanoseconds)
}

fn criterion(cases: &[Arc<Case>]) {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("hit/single");
    for case in cases {
        group.bench_function(format!("{}: {}", case.who, case.what), |bencher| {
            bencher.iter_custom(|times| case.time(times));
        });
    }
    group.finish();
    criterion.final_summary();
}

/// Prints and writes the figures, and how they compare round by round.
fn report(cases: &[Arc<Case>], one: &[Vec<f64>], two: &[Vec<f64>]) -> Outcome {
    let index = |who: &str, what: &str| {
        let is_it = |case: &&Arc<Case>| case.who == who && case.what == what;
        cases.iter().position(|case| is_it(&case))
    };
    let floor = index(floors::FLOOR.0, floors::FLOOR.1);
    let official = index(official::NAME, official::TYPED);
    let adapter = index(floors::ADAPTER_FLOOR.0, floors::ADAPTER_FLOOR.1);
    let (Some(floor), Some(official), Some(adapter)) = (floor, official, adapter) else {
        return Err("the cases to compare with are missing".into());
    };
    let mut rows = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        rows.push(case.row("hit", "ns", 1).of(one[index].clone()));
        let ratios = |of: usize, over: usize| {
            let pairs = one[of].iter().zip(&one[over]);
            pairs.map(|(a, b)| a / b).collect::<Vec<f64>>()
        };
        rows.push(case.row("hit-over-floor", "x", 1).of(ratios(index, floor)));
        if case.what == ours::ADAPTER {
            let over = ratios(index, adapter);
            rows.push(case.row("hit-over-adapter-floor", "x", 1).of(over));
        }
        rows.push(
            case.row("hit-under-azure-identity", "x", 1)
                .of(ratios(official, index)),
        );
        if two[index].is_empty() {
            println!(
                "{}: {}: no turn of two threads with a core each",
                case.who, case.what
            );
            continue;
        }
        let mut parallel = case.row("hit-two-threads", "ns", 2).of(two[index].clone());
        parallel.note = "turns in which both threads had a core".to_owned();
        rows.push(parallel);
        let speed = 2.0 * median(&one[index]) / median(&two[index]);
        let mut scales = case.row("hit-scaling", "x", 2).of(vec![speed]);
        scales.note = "hits by two threads over hits by one, in the same time".to_owned();
        rows.push(scales);
    }
    for row in &rows {
        print(row);
    }
    Ok(rows::write(&rows)?)
}

fn median(samples: &[f64]) -> f64 {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

pub fn print(row: &Row) {
    println!(
        "{:24} {:28} {:52} {:>6} {:>14.2} {} ({:.2} to {:.2}, {})",
        row.group,
        row.who,
        row.what,
        row.callers,
        row.median,
        row.unit,
        row.low,
        row.high,
        row.samples
    );
}
