//! The errors of a chain: what its members said, and what to do (PR-04, PR-05).

use crate::{Error, ErrorKind, http::redact};

use super::{IdentityChange, Outcome, Tried};

/// A walk in which nobody answered: every member on a line of its own, in order, with what to do
/// (PR-05).
pub(super) fn unanswered(chain: &str, tried: &[Tried]) -> Error {
    let errors: Vec<&Error> = tried.iter().filter_map(Tried::error).collect();
    // Not always the last: a walk that has ended may still wait for members that it had skipped.
    let stopped = tried.iter().find_map(|tried| match &tried.outcome {
        Outcome::Stopped(error) => Some(error),
        Outcome::Answered | Outcome::PassedOver(_) => None,
    });
    // What ended the chain, or the first that was worse than not there.
    let worst = stopped.or(errors
        .iter()
        .copied()
        .find(|e| e.kind() != ErrorKind::Unavailable));
    let headline = match (stopped, worst) {
        (Some(error), _) if error.kind() == ErrorKind::Cancelled => {
            "the credential was disposed:".to_owned()
        }
        (Some(error), _) => format!("{} failed, which ends the chain:", error.credential()),
        (None, Some(_)) => "no credential of the chain gave a token:".to_owned(),
        (None, None) => "no credential of the chain is available:".to_owned(),
    };
    let lines = tried.iter().enumerate().filter_map(|(index, tried)| {
        let error = tried.error()?;
        let mut line = format!(
            "\n  {}. {}: {}",
            index + 1,
            tried.credential,
            error.message()
        );
        if let Some(help) = error.help() {
            line = format!("{line}; {help}");
        }
        Some(format!("\n  {}", redact::one_line(&line)))
    });
    let message = headline + &lines.collect::<String>();

    let kind = worst.map_or(ErrorKind::Unavailable, Error::kind);
    let mut error = Error::new(kind, chain, message);
    // For a chain around this one: there is nobody here who might answer quickly (PR-07).
    if !errors.is_empty() && errors.iter().all(|error| error.is_without_answer()) {
        error = error.with_no_answer();
    }
    match worst {
        Some(worst) => carrying(error, worst),
        None => error,
    }
}

/// A change of identity under [`FallbackPolicy::Refuse`](super::FallbackPolicy::Refuse).
pub(super) fn refusal(chain: &str, change: &IdentityChange) -> Error {
    let message = format!(
        "{} answered until now, and {} would answer instead, which is refused",
        change.from, change.to
    );
    Error::new(ErrorKind::Failed, chain, message).with_help(
        "see why the previous credential fails, or allow changes with FallbackPolicy::Report",
    )
}

/// The chain was disposed.
pub(super) fn cancelled(chain: &str) -> Error {
    Error::new(ErrorKind::Cancelled, chain, "the credential was disposed")
        .with_help("make a new credential")
}

/// `error` with what the service said in `cause`.
fn carrying(mut error: Error, cause: &Error) -> Error {
    if let Some(status) = cause.status() {
        error = error.with_status(status);
    }
    if let Some(code) = cause.code() {
        error = error.with_code(code);
    }
    if let Some(id) = cause.request_id() {
        error = error.with_request_id(id);
    }
    error = error.with_retry_at_of(cause);
    error.with_cause(cause.clone())
}
