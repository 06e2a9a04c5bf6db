//! The transport of `azure_core` 0.31.

use std::time::Duration;

use crate::transport::{Failure, Limits, too_long, transport};

/// Its `reqwest` client has no limits: Linux gives a host that does not answer so long to accept a
/// connection.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(127),
    read: None,
    // A token's answer has a few thousand; a body without an end would fill the memory.
    body: Some(1024 * 1024),
};

transport!(redis_azure_core, LIMITS, failed);

/// The error that `azure_core`'s own client gives.
fn failed(failure: Failure) -> Error {
    match failure {
        Failure::TimedOut => Error::with_message(ErrorKind::Io, "the operation timed out"),
        Failure::TooLong(limit) => Error::with_message(ErrorKind::Io, too_long(limit)),
        Failure::Transport(error) => {
            Error::with_error(ErrorKind::Io, error, "failed to execute the request")
        }
    }
}
