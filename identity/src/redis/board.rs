//! What subscribers and waiting callers of one provider see.

use crate::Error;

use super::RedisCredentials;

/// What the token manager publishes. Each kind of news has a number of its own, so that none hides
/// another and each reader knows what it has not seen yet.
#[derive(Default)]
pub(super) struct Board {
    /// Whether the provider was disposed.
    pub(super) closed: bool,
    /// The newest credentials.
    pub(super) credentials: Option<RedisCredentials>,
    pub(super) credentials_number: u64,
    /// The newest error for subscribers: requests keep failing, or the token has ended.
    pub(super) error: Option<Error>,
    pub(super) error_number: u64,
    /// Number of requests that brought a token, a new one or the same.
    pub(super) answers: u64,
    /// Why the last request failed whose attempts are used up. For callers that wait for a request:
    /// the end of the current token is not among these, because it answers no request.
    pub(super) failure: Option<Error>,
    /// Number of requests whose attempts were used up.
    pub(super) failures: u64,
}

impl Board {
    /// Publishes `error` to the subscribers.
    pub(super) fn publish_error(&mut self, error: Error) {
        self.error = Some(error);
        self.error_number += 1;
    }

    /// Publishes `error` of a request to the waiting callers and the subscribers.
    pub(super) fn publish_failure(&mut self, error: Error) {
        self.failure = Some(error.clone());
        self.failures += 1;
        self.publish_error(error);
    }
}
