//! `engine/NAME`: the scenario on the live engine tells the story that it tells on lapse.

use std::sync::Arc;

use credsim::{
    cli::skip::{self, Callers},
    engine::Engine,
    scenario::Loaded,
};
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
    let left_out = skip::reason(&loaded.scenario, Engine::Live, Callers::Inside);
    Trial::test(name, move || on_live(&loaded))
        .with_ignored_flag(left_out.is_some())
        .with_kind(left_out.unwrap_or_default())
}

fn on_live(loaded: &Loaded) -> Result<(), Failed> {
    let (live, _) = play(loaded, Engine::Live)?;
    let (lapse, _) = play(loaded, Engine::Lapse)?;
    for (lapse, live) in lapse.iter().zip(&live) {
        let live = Other {
            name: "live",
            trace: &live.trace,
            apart: dates::apart(loaded),
        };
        compare(&lapse.trace, &live)?;
    }
    Ok(())
}
