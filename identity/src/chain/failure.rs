//! The errors of a chain, with those of its members (PR-04, PR-05).

use crate::{Error, ErrorKind, http::redact};

use super::{IdentityChange, Outcome, Tried};

/// Returns the error of a walk without an answer. It lists the members in order, each with its
/// error and advice on a line of its own (PR-05).
pub(super) fn unanswered(chain: &str, tried: &[Tried]) -> Error {
    let errors: Vec<&Error> = tried.iter().filter_map(Tried::error).collect();
    // Not always the last one: a stopped walk still waits for the members that it has skipped.
    let stopped = tried.iter().find_map(|tried| match &tried.outcome {
        Outcome::Stopped(error) => Some(error),
        Outcome::Answered | Outcome::PassedOver(_) => None,
    });
    // The error that ended the walk, or else the first one of another kind than `Unavailable`.
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
    // For an outer chain: none of the members has given an answer (PR-07).
    if !errors.is_empty() && errors.iter().all(|error| error.is_without_answer()) {
        error = error.with_no_answer();
    }
    match worst {
        Some(worst) => carrying(error, worst),
        None => error,
    }
}

/// Returns the error for a change of identity under
/// [`FallbackPolicy::Refuse`](super::FallbackPolicy::Refuse).
pub(super) fn refusal(chain: &str, change: &IdentityChange) -> Error {
    let message = format!(
        "{} answered until now, and {} would answer instead, which is refused",
        change.from, change.to
    );
    Error::new(ErrorKind::Failed, chain, message).with_help(
        "check why the previous credential fails, or allow changes with FallbackPolicy::Report",
    )
}

/// Returns the error of a disposed chain.
pub(super) fn cancelled(chain: &str) -> Error {
    Error::new(ErrorKind::Cancelled, chain, "the credential was disposed")
        .with_help("create a new credential")
}

/// Adds status, code, request id and `retry_at` of `cause` to `error`.
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
