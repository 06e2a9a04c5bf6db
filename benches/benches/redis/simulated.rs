//! How many commands the simulated Redis takes per second of real time, on lapse.
//!
//! Over the wire and our connection layer, with a trace of every command, as in a scenario.

use std::{sync::Arc, time::Instant};

use credsim::engine::Engine;
use credsim_identity::redis::connection::{ConnectionOptions, EntraConnection};

use crate::{Effort, Outcome, layer::Quiet, median::Median, work::Work, world};

const COMMANDS: usize = 20_000;

pub fn run(effort: Effort) -> Outcome {
    for work in Work::ALL {
        let mut rates = Vec::new();
        for _ in 0..effort.rounds {
            let seconds = world::play(Engine::Lapse, Arc::new(Quiet), move |cast| async move {
                let options = ConnectionOptions::default();
                let connection =
                    EntraConnection::connect(cast.endpoint, &cast.provider, options).await?;
                let begin = Instant::now();
                work.run(&connection, COMMANDS).await?;
                Ok(begin.elapsed().as_secs_f64())
            })?;
            rates.push(COMMANDS as f64 / seconds);
        }
        println!(
            "simulated, lapse, {}: {} commands/s in {} worlds of {COMMANDS}",
            work.name(),
            Median::of(rates).show(|rate| format!("{rate:.0}")),
            effort.rounds,
        );
    }
    Ok(())
}
