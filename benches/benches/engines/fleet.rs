//! Fleets of clients with a credential each: how much virtual time and how many events of the trace
//! are played, and judged, per second.
//!
//! A day is played on lapse alone. What both engines play is a minute, in which every client gets
//! its first token; beside it stands turmoil's own loop, with two hosts that only sleep. Each
//! figure is a sample of its own, and compared runs alternate.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use credsim::{engine::Engine, simulation::Played, story::Scenario};
use credsim_benches::{fleet, play, rows::Row};

use crate::idle::idle_turmoil;

/// How many clients, and how many rounds.
const FLEETS: [(u32, usize); 3] = [(10, 5), (1_000, 3), (10_000, 1)];

/// What turmoil's own loop runs for. All clients of a fleet are on one host, the service on
/// another.
const IDLE: Duration = Duration::from_secs(60);
const HOSTS: u32 = 2;

/// Measures the fleets: all of them, or with `quick` one round each.
pub fn run(quick: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for (clients, rounds) in FLEETS {
        let rounds = if quick { 1 } else { rounds };
        rows.extend(measure(clients, rounds));
    }
    rows
}

/// The samples of one engine.
#[derive(Default)]
struct Samples {
    virtual_seconds: Vec<f64>,
    events: Vec<f64>,
}

impl Samples {
    /// Plays and judges, as `credsim run` does.
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    fn add(&mut self, scenario: &Scenario, engine: Engine) {
        let start = Instant::now();
        let run = play(scenario, engine, 1);
        let played = start.elapsed();
        let judged = Played::judge(scenario, vec![run]);
        let took = start.elapsed().as_secs_f64();
        let passed = judged.verdict.passed();
        assert!(passed, "a bench must not measure what fails");
        let run = &judged.runs[0];
        println!(
            "  {} {:>9.3} s, of which {:.3} s are the judging: {} events",
            engine.name(),
            took,
            took - played.as_secs_f64(),
            run.trace.events.len(),
        );
        self.virtual_seconds.push(run.ended.as_secs_f64() / took);
        self.events.push(run.trace.events.len() as f64 / took);
    }

    fn rows(self, clients: u32, who: &str, what: &str, note: &str) -> [Row; 2] {
        let row = |unit: &str, samples| {
            let row = Row {
                group: "engine".to_owned(),
                who: who.to_owned(),
                what: format!("{} clients, {what}", thousands(clients)),
                callers: clients,
                unit: unit.to_owned(),
                median: f64::NAN,
                low: f64::NAN,
                high: f64::NAN,
                samples: 0,
                note: note.to_owned(),
            };
            row.of(samples)
        };
        [
            row("virtual s/s", self.virtual_seconds),
            row("events/s", self.events),
        ]
    }
}

fn measure(clients: u32, rounds: usize) -> Vec<Row> {
    const DAY: &str = "one virtual day";
    const MINUTE: &str = "one virtual minute";
    const FIRST: &str = "every client gets its first token in it; played and judged";
    let day = fleet(clients, "24h", "11m");
    let minute = fleet(clients, "1m", "50s");
    let (mut lapse_day, mut lapse, mut turmoil) = <(Samples, Samples, Samples)>::default();
    let mut loops = Vec::new();
    println!("\n{} clients", thousands(clients));
    for _ in 0..rounds {
        lapse_day.add(&day, Engine::Lapse);
        lapse.add(&minute, Engine::Lapse);
        turmoil.add(&minute, Engine::Turmoil);
        loops.push(IDLE.as_secs_f64() / black_box(idle_turmoil(HOSTS, IDLE)).as_secs_f64());
    }
    let loops = Samples {
        virtual_seconds: loops,
        events: Vec::new(),
    };
    let note = "hourly tokens, a call of each client every 11 minutes; played and judged";
    let turmoils = format!("{FIRST}; 1 ms tick; not run for a day");
    let looped = "two hosts that only sleep; 1 ms tick";
    let [loops, _] = loops.rows(clients, "turmoil's own loop", MINUTE, looped);
    let mut rows = Vec::new();
    rows.extend(lapse_day.rows(clients, "lapse", DAY, note));
    rows.extend(lapse.rows(clients, "lapse", MINUTE, FIRST));
    rows.extend(turmoil.rows(clients, "turmoil", MINUTE, &turmoils));
    rows.push(loops);
    for row in &rows {
        println!(
            "{:<20} {:<36} {:>14.1} {} ({:.1} to {:.1})",
            row.who, row.what, row.median, row.unit, row.low, row.high
        );
    }
    rows
}

/// `10,000`.
fn thousands(count: u32) -> String {
    match (count / 1_000, count % 1_000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}
