//! Requests counted per window of time.

use std::{collections::BTreeMap, time::Duration};

/// What was served in the current window, by client.
#[derive(Debug, Default)]
pub struct Windows(BTreeMap<String, (u128, u32)>);

impl Windows {
    /// Counts a request of `client` at `at`. Returns whether it is over its limit: more than
    /// `requests` in a window of length `per`, counted from the world's start.
    pub fn is_over(&mut self, client: &str, requests: u32, per: Duration, at: Duration) -> bool {
        let window = at
            .as_nanos()
            .checked_div(per.as_nanos())
            .unwrap_or_default();
        let served = self.0.entry(client.to_owned()).or_default();
        if served.0 != window {
            *served = (window, 0);
        }
        served.1 = served.1.saturating_add(1);
        served.1 > requests
    }
}
