//! Counters of requests, and the delay of answers.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Counts since the start or the last [`Counts::reset`].
#[derive(Debug, Default)]
pub struct Counts {
    tokens: AtomicU64,
    discoveries: AtomicU64,
    refused: AtomicU64,
    in_flight: AtomicU64,
    peak: AtomicU64,
    delay_ms: AtomicU64,
}

/// A token request that is being answered.
#[derive(Debug)]
pub(super) struct InFlight<'a>(&'a Counts);

impl Counts {
    /// Token requests, at Entra and IMDS together.
    pub fn tokens(&self) -> u64 {
        self.tokens.load(Relaxed)
    }

    /// Requests for Entra's OpenID configuration.
    pub fn discoveries(&self) -> u64 {
        self.discoveries.load(Relaxed)
    }

    /// All other requests, and those that lack what the service requires.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// The most token requests that were being answered at one time.
    pub fn peak(&self) -> u64 {
        self.peak.load(Relaxed)
    }

    /// Resets the counters, and sets the delay of later answers.
    pub fn reset(&self, delay: Duration) {
        for count in [&self.tokens, &self.discoveries, &self.refused, &self.peak] {
            count.store(0, Relaxed);
        }
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.delay_ms.store(delay, Relaxed);
    }

    /// How long the service waits before each answer. Default: not at all.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.load(Relaxed))
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn discover(&self) {
        self.discoveries.fetch_add(1, Relaxed);
    }

    /// One more token request, in flight until what this returns is dropped.
    pub(super) fn ask(&self) -> InFlight<'_> {
        self.tokens.fetch_add(1, Relaxed);
        let in_flight = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(in_flight, Relaxed);
        InFlight(self)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}
