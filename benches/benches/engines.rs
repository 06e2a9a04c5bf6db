//! How much virtual time the engines carry per second of real time.
//!
//! `cargo bench -p credsim-benches` runs everything. The library is played whole; a steady service
//! is played for one virtual day on lapse and for one virtual minute on both engines, beside
//! turmoil's own loop with nobody in it. Nothing is timed that is not also done by `credsim run`,
//! except the judging. A last line states the ratio, scaled to a virtual day.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use credsim::engine::Engine;
use credsim_benches::{bundled, play, play_all, steady_service};
use criterion::{Criterion, Throughput, criterion_group};

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
            bencher.iter(idle_turmoil);
        },
    );
    group.finish();
}

/// The least that turmoil does in a virtual minute: its ticks, with hosts that only sleep.
#[expect(
    clippy::disallowed_methods,
    reason = "it is turmoil's clock that is measured"
)]
fn idle_turmoil() {
    let mut sim = turmoil::Builder::new()
        .simulation_duration(MINUTE * 2)
        .tick_duration(Duration::from_millis(1))
        .rng_seed(1)
        .build();
    sim.host("service", || async {
        tokio::time::sleep(MINUTE * 2).await;
        Ok(())
    });
    sim.client("app", async {
        tokio::time::sleep(MINUTE).await;
        Ok(())
    });
    if let Err(error) = sim.run() {
        panic!("turmoil failed: {error}");
    }
}

/// Both engines in turn, so that a noisy machine is noisy for both: turmoil's virtual minute, scaled
/// to a day (it was not run for one), over lapse's virtual day of the same work.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn ratio() {
    const ROUNDS: usize = 7;
    const MINUTES_A_DAY: f64 = 1440.0;
    let (minute, day) = (steady_service("1m"), steady_service("24h"));
    let time = |scenario, engine| {
        let start = Instant::now();
        black_box(play(scenario, engine, 1));
        start.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let turmoil = time(&minute, Engine::Turmoil) * MINUTES_A_DAY;
            turmoil / time(&day, Engine::Lapse)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "\nscaled: 1440 times turmoil's virtual minute (1 ms tick) is {:.0} times lapse's virtual day \
         of the same work (median of {ROUNDS} interleaved rounds, {:.0} to {:.0}); turmoil was not \
         run for a day",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
}

criterion_group!(benches, library, steady);

fn main() {
    benches();
    ratio();
    Criterion::default().configure_from_args().final_summary();
}
