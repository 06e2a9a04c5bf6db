//! How many events of a trace are judged per second, and how much memory a view needs.
//!
//! `cargo bench -p credsim-benches --bench judge` plays fleets whose traces have about 10^4, 10^5
//! and 10^6 events, once each, and judges every trace five times; with `-- --quick` once. Judging
//! that takes longer than linear time shows as a figure that falls from line to line.

use std::{hint::black_box, time::Instant};

use credsim::{engine::Engine, judge::View, verdict};
use credsim_benches::{
    fleet, play,
    rows::{self, Row},
};

/// Clients that call every 10 min for a day, so that the traces have about 10^4 to 10^6 events.
const FLEETS: [u32; 3] = [25, 250, 2_500];

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn main() -> std::io::Result<()> {
    let has = |option: &str| std::env::args().any(|argument| argument == option);
    if has("--test") || has("--list") {
        return Ok(());
    }
    let rounds = if has("--quick") { 1 } else { 5 };
    let mut all = Vec::new();
    for clients in FLEETS {
        let scenario = fleet(clients, "24h", "10m");
        let run = play(&scenario, Engine::Lapse, 1);
        let events = run.trace.events.len() as f64;
        let bytes = View::of(&run).bytes() as f64 / events;
        let runs = [run];
        let speeds = (0..rounds).map(|_| {
            let start = Instant::now();
            let verdict = black_box(verdict::judge(&scenario, &runs));
            let took = start.elapsed().as_secs_f64();
            assert!(verdict.passed(), "a bench must not measure what fails");
            events / took
        });
        let row = Row {
            group: "judge".to_owned(),
            who: "credsim".to_owned(),
            what: format!("{events:.0} events"),
            callers: clients,
            unit: "events/s".to_owned(),
            median: f64::NAN,
            low: f64::NAN,
            high: f64::NAN,
            samples: 0,
            note: format!("the view takes {bytes:.1} bytes per event"),
        };
        let row = row.of(speeds.collect());
        println!(
            "judge {:>10} events: {:>10.0} events/s, {}",
            events, row.median, row.note
        );
        all.push(row);
    }
    rows::write(&all)
}
