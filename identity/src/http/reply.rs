//! The final answer to a request.

use std::fmt;

use jiff::Timestamp;

/// The final answer to a request: a success, a refusal, or the last of the answers that were
/// retried. `Debug` shows no header and no body.
#[derive(Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers as they came.
    pub headers: Vec<(String, String)>,
    /// The whole body. Empty if the status is one that is retried and the body could not be read.
    pub body: Vec<u8>,
    /// The time before which the service wants no further request, if it named one, whatever the
    /// status (PR-01, PR-12).
    pub retry_at: Option<Timestamp>,
    /// Whether the policy repeats a request after this status. Only then is nothing sent before
    /// [`retry_at`](Self::retry_at) (PR-01).
    pub is_retried: bool,
    /// How many requests were sent.
    pub attempts: u32,
}

impl Reply {
    /// Returns the value of the first header with this `name`, whose case is ignored.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} after {} attempts)", self.status, self.attempts)
    }
}
