//! The transport of `azure_core` 1.1.

use std::time::Duration;

use crate::transport::{Failure, Limits, too_long, transport};

/// Those of `azure_core`'s `reqwest` client (TH-02).
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(20),
    read: Some(Duration::from_secs(60)),
};

transport!(azure_core, LIMITS, failed);

/// The error that `azure_core`'s own client gives.
fn failed(failure: Failure) -> Error {
    let error = match failure {
        Failure::TimedOut => {
            return Error::with_message(ErrorKind::Io, "the operation timed out");
        }
        Failure::TooLong => return Error::with_message(ErrorKind::Io, too_long()),
        Failure::Transport(error) => error,
    };
    let kind = if error.kind.is_connect() {
        ErrorKind::Connection
    } else {
        ErrorKind::Io
    };
    Error::with_error(kind, error, "failed to execute `reqwest` request")
}
