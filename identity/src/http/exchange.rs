//! One exchange of a credential: sent under a policy, logged and dated.

use std::sync::{Mutex, PoisonError};

use super::{Failure, Reply, RetryPolicy, log, retry, sent::Sent};
use crate::platform::{HttpRequest, Platform};

/// The final answer to a request.
pub(crate) struct Exchange {
    pub(crate) reply: Reply,
    /// When the attempt that was answered was sent. Lifetimes count from then, so a slow answer
    /// does not prolong the life of the token that it brings (EN-43).
    pub(crate) sent: Sent,
}

impl Exchange {
    /// Sends `request` under `policy`, and logs each attempt and the outcome. `purpose` names the
    /// request in logs and selects the stream of random numbers for its waits.
    ///
    /// # Errors
    /// The [`Failure`] of the last attempt if it brought no whole answer.
    pub(crate) async fn send(
        platform: &Platform,
        policy: &RetryPolicy,
        purpose: &str,
        request: HttpRequest,
    ) -> Result<Self, Failure> {
        let clock = &platform.clock;
        let attempts = Mutex::new((0, clock.now(), clock.monotonic()));
        let outcome = retry::send(platform, policy, purpose, || {
            let mut last = attempts.lock().unwrap_or_else(PoisonError::into_inner);
            *last = (last.0 + 1, clock.now(), clock.monotonic());
            log::request(&request, last.0);
            request.clone()
        })
        .await;
        let attempts = attempts.into_inner();
        let (count, by_wall, start) = attempts.unwrap_or_else(PoisonError::into_inner);
        let reply = match outcome {
            Ok(reply) => reply,
            Err(failure) => {
                log::no_response(&request, &failure, count);
                return Err(failure);
            }
        };
        log::response(&request, reply.status, reply.attempts);
        let passed = clock.monotonic().saturating_sub(start);
        let by_monotonic = clock.now().checked_sub(passed).unwrap_or_default();
        Ok(Self {
            reply,
            sent: Sent::new(by_wall, by_monotonic),
        })
    }
}
