//! The scenario files that a command line selects.

use super::{Console, exit};
use crate::{simulation::Selected, story::library};

/// Returns the selected files, and an exit code for each word that leads nowhere.
pub(super) fn select(selectors: &[String], console: &mut Console) -> (Vec<Selected>, Vec<u8>) {
    let (found, missing) = library::select(selectors);
    for missing in &missing {
        console.error(&missing.message, Some(&missing.help));
    }
    let bundled = library::bundled();
    let files = found
        .into_iter()
        .map(|source| Selected::new(source, &bundled))
        .collect();
    (files, missing.iter().map(|_| exit::NOTHING).collect())
}
