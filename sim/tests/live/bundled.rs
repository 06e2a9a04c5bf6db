//! The scenarios that are short enough for real time.

use std::sync::Arc;

use credsim::story::{Loaded, library};

/// The scenarios of a folder without invalid ones, which other tests report.
pub fn scenarios() -> Vec<Arc<Loaded>> {
    let sources = library::bundled().into_iter();
    let live = sources.filter(|source| source.name.starts_with("live/"));
    live.filter_map(|source| source.parse().ok())
        .map(Arc::new)
        .collect()
}
