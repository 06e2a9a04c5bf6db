//! `engine/NAME`: on the live engine the scenario has the verdict and the application events that
//! it has on lapse.

use std::sync::Arc;

use credsim::{engine::Engine, simulation::Simulation, story::Loaded};
use libtest_mimic::{Failed, Trial};

use super::{
    bundled, dates,
    differential::{Other, compare},
    play::play,
};

pub fn trials() -> Vec<Trial> {
    bundled::scenarios().into_iter().map(trial).collect()
}

fn trial(loaded: Arc<Loaded>) -> Trial {
    let name = format!("engine/{}", loaded.name);
    let left_out = Simulation::of(loaded.clone())
        .engine(Engine::Live)
        .skip_reason();
    Trial::test(name, move || on_live(&loaded))
        .with_ignored_flag(left_out.is_some())
        .with_kind(left_out.unwrap_or_default())
}

fn on_live(loaded: &Loaded) -> Result<(), Failed> {
    let live = play(loaded, Engine::Live)?;
    let lapse = play(loaded, Engine::Lapse)?;
    for (lapse, live) in lapse.runs.iter().zip(&live.runs) {
        let live = Other {
            name: "live",
            trace: &live.trace,
            apart: dates::apart(loaded),
        };
        compare(&lapse.trace, &live)?;
    }
    Ok(())
}
