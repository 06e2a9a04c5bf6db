//! How much virtual time the engines carry per second of real time.
//!
//! `cargo bench -p credsim-benches` runs everything. The library is played whole; a steady service
//! is played for one virtual day on lapse and for one virtual minute on both engines, beside
//! turmoil's own loop with hosts that only sleep. Only work that `credsim run` also does is timed,
//! without the judging. A last line states the ratio, scaled to a virtual day.
//!
//! `-- fleet` plays fleets of 10, 1,000 and 10,000 clients alone, with the judging; they are played
//! after the rest too, unless another word is given. With `--quick` each is played once. The file
//! that `CREDSIM_ROWS` names gets a row for each figure but criterion's.

mod fleet;
mod idle;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use credsim::engine::Engine;
use credsim_benches::{
    bundled, play, play_all,
    rows::{self, Row},
    steady_service,
};
use criterion::{Criterion, Throughput, criterion_group};
use idle::idle_turmoil;

const MINUTE: Duration = Duration::from_secs(60);

fn library(criterion: &mut Criterion) {
    let scenarios = bundled();
    let mut group = criterion.benchmark_group("library");
    group.sample_size(10);
    group.throughput(Throughput::Elements(scenarios.len() as u64));
    group.bench_function("lapse, two threads", |bencher| {
        bencher.iter(|| black_box(play_all(&scenarios, Engine::Lapse, 2)));
    });
    group.finish();
}

fn steady(criterion: &mut Criterion) {
    let day = steady_service("24h");
    let minute = steady_service("1m");
    let mut group = criterion.benchmark_group("a call every virtual second");
    group.sample_size(10);
    group.bench_function("lapse, one virtual day", |bencher| {
        bencher.iter(|| black_box(play(&day, Engine::Lapse, 1).trace.events.len()));
    });
    group.bench_function("lapse, one virtual minute", |bencher| {
        bencher.iter(|| black_box(play(&minute, Engine::Lapse, 1).trace.events.len()));
    });
    group.bench_function("turmoil, one virtual minute", |bencher| {
        bencher.iter(|| black_box(play(&minute, Engine::Turmoil, 1).trace.events.len()));
    });
    group.bench_function(
        "turmoil's own loop with two idle hosts, one virtual minute",
        |bencher| {
            bencher.iter(|| idle_turmoil(2, MINUTE));
        },
    );
    group.finish();
}

/// Both engines in turn, so that a noisy machine is noisy for both: turmoil's virtual minute,
/// scaled to a day (it was not run for one), over lapse's virtual day of the same work.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn ratio() -> Vec<Row> {
    const ROUNDS: usize = 7;
    const MINUTES_A_DAY: f64 = 1440.0;
    let (minute, day) = (steady_service("1m"), steady_service("24h"));
    let time = |scenario, engine| {
        let start = Instant::now();
        black_box(play(scenario, engine, 1));
        start.elapsed().as_secs_f64()
    };
    let (mut speeds, mut ratios) = (<[Vec<f64>; 2]>::default(), Vec::new());
    for _ in 0..ROUNDS {
        let (turmoil, lapse) = (time(&minute, Engine::Turmoil), time(&day, Engine::Lapse));
        ratios.push(turmoil * MINUTES_A_DAY / lapse);
        speeds[0].push(MINUTES_A_DAY * 60.0 / lapse);
        speeds[1].push(60.0 / turmoil);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "\nscaled: 1440 times turmoil's virtual minute (1 ms tick) is {:.0} times lapse's virtual day \
         of the same work (median of {ROUNDS} interleaved rounds, {:.0} to {:.0}); turmoil was not \
         run for a day",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
    let contestants = [
        ("lapse", "one virtual day"),
        ("turmoil", "one virtual minute"),
    ];
    let rows = contestants.into_iter().zip(speeds);
    rows.map(|((who, what), speeds)| {
        let row = Row {
            group: "engine".to_owned(),
            who: who.to_owned(),
            what: format!("a call every virtual second, {what}"),
            callers: 1,
            unit: "virtual s/s".to_owned(),
            median: f64::NAN,
            low: f64::NAN,
            high: f64::NAN,
            samples: 0,
            note: "hourly tokens; played, not judged".to_owned(),
        };
        row.of(speeds)
    })
    .collect()
}

criterion_group!(benches, library, steady);

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    let words = || {
        arguments
            .iter()
            .filter(|argument| !argument.starts_with('-'))
    };
    benches();
    // In a test, criterion runs each bench once; the figures below would mean nothing.
    if !has("--test") && !has("--list") {
        if words().next().is_none() {
            rows::write(&ratio())?;
        }
        if words().all(|word| word == "fleet") {
            rows::write(&fleet::run(has("--quick")))?;
        }
    }
    Criterion::default().configure_from_args().final_summary();
    Ok(())
}
