//! One bundled scenario, played by `identity` in this process.

use credsim::{
    engine::Engine,
    simulation::{Played, Simulation},
    story::Loaded,
};
use libtest_mimic::Failed;

/// Plays it with each of its seeds.
///
/// # Errors
/// The findings that fail, as text.
pub fn play(loaded: &Loaded, engine: Engine) -> Result<Played, Failed> {
    let simulation = Simulation::of(loaded.clone()).engine(engine);
    let played = simulation.play().map_err(|error| error.to_string())?;
    Ok(played.passed()?)
}
