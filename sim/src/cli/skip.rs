//! Which scenarios an engine leaves out, and why.

use std::time::Duration;

use crate::{
    engine::Engine,
    scenario::{Scenario, Span},
};

/// The most virtual time that turmoil is asked to carry: it does work in every virtual
/// millisecond, whether anything happens or not.
const LONGEST_ON_TURMOIL: Duration = Duration::from_secs(600);

/// Why `engine` does not play `scenario`, if it does not.
pub fn reason(scenario: &Scenario, engine: Engine) -> Option<String> {
    let declared = scenario
        .not_on
        .iter()
        .find(|not| not.engine == engine.name());
    if let Some(declared) = declared {
        return Some(format!("not on {engine}: {}", declared.reason));
    }
    let lasts = scenario.world.lasts;
    let seeds = scenario.seeds.as_ref().map_or(1, |seeds| seeds.count);
    let most = Span(LONGEST_ON_TURMOIL);
    if engine == Engine::Turmoil && lasts > most {
        return Some(format!(
            "the world lasts {lasts}, and turmoil carries up to {most}"
        ));
    }
    if engine == Engine::Turmoil && lasts.0.saturating_mul(seeds) > LONGEST_ON_TURMOIL {
        return Some(format!(
            "{seeds} seeds of {lasts} each are needed, and turmoil carries up to {most} in all"
        ));
    }
    None
}
