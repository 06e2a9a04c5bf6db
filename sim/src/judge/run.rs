//! What a run left: what expectations and invariants look at.

use std::time::Duration;

use jiff::Timestamp;

use super::Visibility;
use crate::{engine::Engine, trace::Trace};

/// What a run left.
#[derive(Clone, Debug)]
pub struct Run {
    /// The engine that played it.
    pub engine: Engine,
    /// Its seed.
    pub seed: u64,
    /// What was under test, by name and, if it is not ours, version: `identity`,
    /// `azure-identity-js 4.13.1`.
    pub subject: String,
    /// Which aspects of it could be seen.
    pub visibility: Visibility,
    /// The date at which the world began; what the scenario counts from its start, counts from
    /// here.
    pub start: Timestamp,
    /// How long it was played.
    pub ended: Duration,
    /// All that happened.
    pub trace: Trace,
    /// When something in the world was last repaired: a fault ended, a service came back, an
    /// account logged in.
    pub last_repair: Option<Duration>,
    /// Whether all services worked and were reachable at the end.
    pub healthy_at_end: bool,
}
