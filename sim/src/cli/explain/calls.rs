//! Who asks the credential under test, in words.

use crate::{call::Call, story::Scenario};

/// One line for each `[[call]]`.
pub fn lines(scenario: &Scenario) -> Vec<String> {
    let mut lines: Vec<String> = scenario.call.iter().map(Call::describe).collect();
    if let Some(seeds) = &scenario.seeds {
        lines.push(format!(
            "all of it {} times, each with another seed",
            seeds.count
        ));
    }
    lines
}
