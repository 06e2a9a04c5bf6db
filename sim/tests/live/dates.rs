//! What a date in an answer does to the times of a story: it has whole seconds, and a real world
//! begins at any moment, so what waits for a date may wait for up to a second less than on lapse.

use std::time::Duration;

use credsim::story::Loaded;
use libtest_mimic::{Failed, Trial};

use super::{bundled, differential::Apart};

/// Scenarios in which a client waits until a date.
const WITH_DATES: &[&str] = &["live/throttled-imds-says-a-date"];

/// How far apart the times of a scenario may be in real time.
pub fn apart(loaded: &Loaded) -> Apart {
    if WITH_DATES.contains(&loaded.name.as_str()) {
        return Apart {
            early: Apart::REAL.early + Duration::from_secs(1),
            ..Apart::REAL
        };
    }
    Apart::REAL
}

/// The list has the scenarios that it must have, and no others.
pub fn trials() -> Vec<Trial> {
    vec![Trial::test("engine/dates-are-whole-seconds", complete)]
}

fn complete() -> Result<(), Failed> {
    let scenarios = bundled::scenarios();
    let with_dates = scenarios
        .iter()
        .filter(|s| s.text.contains("retry-after-date"));
    let names: Vec<_> = with_dates.map(|loaded| loaded.name.as_str()).collect();
    if names == WITH_DATES {
        return Ok(());
    }
    Err(format!("{names:?} have dates, and {WITH_DATES:?} are listed").into())
}
