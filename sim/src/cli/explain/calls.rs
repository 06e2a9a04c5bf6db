//! The calls of a scenario, in words.

use crate::wording::{Number, times};
use crate::{call::Call, story::Scenario};

/// One line for each `[[call]]`.
pub fn lines(scenario: &Scenario) -> Vec<String> {
    let mut lines: Vec<String> = scenario.call.iter().map(Call::describe).collect();
    if let Some(seeds) = &scenario.seeds {
        lines.push(match Number::of(seeds.count) {
            Number::One => "all of it with one seed".to_owned(),
            Number::Many => format!("all of it {}, each with another seed", times(seeds.count)),
        });
    }
    lines
}
