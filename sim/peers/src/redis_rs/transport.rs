//! The transport of `azure_core` 0.31.

use std::time::Duration;

use crate::transport::{Failure, Limits, too_long, transport};

/// Its `reqwest` client has no limits: Linux gives a host that does not answer so long to accept a
/// connection.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(127),
    read: None,
};

transport!(redis_azure_core, LIMITS, failed);

/// The error that `azure_core`'s own client gives.
fn failed(failure: Failure) -> Error {
    match failure {
        Failure::TimedOut => Error::with_message(ErrorKind::Io, "the operation timed out"),
        Failure::TooLong => Error::with_message(ErrorKind::Io, too_long()),
        Failure::Transport(error) => {
            Error::with_error(ErrorKind::Io, error, "failed to execute the request")
        }
    }
}
