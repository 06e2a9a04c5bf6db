//! The transport of `azure_core` 1.1.

use std::time::Duration;

use crate::transport::{Failure, Limits, too_long, transport};

/// Those of `azure_core`'s `reqwest` client (TH-02), which reads an answer of any size (PL-11).
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(20),
    read: Some(Duration::from_secs(60)),
    body: None,
};

transport!(azure_core, LIMITS, failed);

/// The error that `azure_core`'s own client gives.
fn failed(failure: Failure) -> Error {
    let error = match failure {
        Failure::TimedOut => {
            return Error::with_message(ErrorKind::Io, "the operation timed out");
        }
        Failure::TooLong(limit) => return Error::with_message(ErrorKind::Io, too_long(limit)),
        Failure::Transport(error) => error,
    };
    let kind = if error.kind.is_connect() {
        ErrorKind::Connection
    } else {
        ErrorKind::Io
    };
    Error::with_error(kind, error, "failed to execute `reqwest` request")
}
