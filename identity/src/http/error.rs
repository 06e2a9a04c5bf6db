//! The errors of a request that has no answer, or one that refuses.

use super::{Failure, Reply, redact::excerpt};
use crate::{Error, ErrorKind, platform::TransportErrorKind};

/// Returns the error for a request without an answer. `peer` is the name of the service.
///
/// `unreached` and `help` are the kind and the advice if no connection was made: an identity
/// endpoint of this host is then absent, while Entra always exists (PR-01).
pub(crate) fn unanswered(
    credential: &str,
    peer: &str,
    failure: Failure,
    unreached: ErrorKind,
    help: &str,
) -> Error {
    let kind = match &failure {
        Failure::Transport(error)
            if matches!(
                error.kind,
                TransportErrorKind::NoClient | TransportErrorKind::Unsupported
            ) =>
        {
            ErrorKind::Configuration
        }
        failure if failure.is_connect() => unreached,
        _ => ErrorKind::Failed,
    };
    // A failure of another kind comes from a source that exists, so it does not set PR-07's state.
    let is_silent = kind == ErrorKind::Unavailable;
    let mistrusted = matches!(&failure, Failure::Transport(error)
        if error.kind == TransportErrorKind::Certificate);
    let reached = !failure.is_connect();
    let message = match kind {
        ErrorKind::Configuration => format!("{peer} cannot be asked: {failure}"),
        _ if reached => format!("{peer} did not answer: {failure}"),
        _ => format!("{peer} cannot be reached: {failure}"),
    };
    let mut error = Error::new(kind, credential, message).with_cause(failure);
    if is_silent {
        error = error.with_no_answer();
    }
    match kind {
        // The transport error already names the remedy.
        ErrorKind::Configuration => error,
        _ if mistrusted => error.with_help(
            "check this host's clock, the certificate authorities that it trusts, and whether a \
             proxy stands in between",
        ),
        _ if reached => error.with_help("try again, and check what breaks the connection"),
        _ => error.with_help(help),
    }
}

/// Returns how often a service was asked, for error messages; empty for a single attempt.
pub(crate) fn times(reply: &Reply) -> String {
    match reply.attempts {
        0 | 1 => String::new(),
        many => format!(" {many} times"),
    }
}

/// Adds to `error` what `reply` says: its status, the time from which the service accepts another
/// request, and the service's own error `code` and `request_id`.
pub(crate) fn refused(
    error: Error,
    reply: &Reply,
    code: Option<&str>,
    request_id: Option<&str>,
) -> Error {
    let mut error = error.with_status(reply.status);
    if let Some(code) = code {
        error = error.with_code(excerpt(code));
    }
    if let Some(id) = request_id {
        error = error.with_request_id(excerpt(id));
    }
    match reply.retry_at {
        Some(at) if reply.is_retried => error.with_retry_at(at),
        Some(at) => error.with_advised_retry_at(at),
        None => error,
    }
}
