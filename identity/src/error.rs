//! The error of all credentials, whose kinds differ in what a caller can do (PR-01).

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use crate::{
    chain::{ChainRecord, Tried},
    http::Failure,
};

/// The kind of an error. A chain goes on after [`Unavailable`](Self::Unavailable) and stops at
/// everything else, unless [`ContinueAfter`](crate::ContinueAfter) is set (PR-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The source does not exist for this host: it is unreachable, not installed, not configured or
    /// not signed in. Another credential may work here.
    Unavailable,
    /// The source exists and refused, or kept failing after all attempts.
    /// [`is_transient`](Error::is_transient) returns whether to try again.
    Failed,
    /// A user has to act, for example to sign in again. [`help`](Error::help) describes how.
    InteractionRequired,
    /// The credential or the request is wrong, and no attempt can succeed before that is changed.
    Configuration,
    /// The credential was disposed, or its host shut down, while the caller waited.
    Cancelled,
}

impl ErrorKind {
    /// Returns its name in text: `unavailable`, `failed`, `interaction-required`, `configuration`,
    /// `cancelled`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
            Self::InteractionRequired => "interaction-required",
            Self::Configuration => "configuration",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure to get a token. Cloning is cheap: callers that waited for the same request get the
/// same error. Neither `Display` nor `Debug` shows a secret.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    credential: String,
    message: String,
    help: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_at: Option<Timestamp>,
    /// Whether nothing is sent before `retry_at`.
    silences: bool,
    transient: bool,
    /// Whether no answer came: a time-out, a refused connection or no route.
    no_answer: bool,
    chain: Option<Arc<ChainRecord>>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Creates an error of the credential called `credential`.
    pub fn new(kind: ErrorKind, credential: &str, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            credential: credential.to_owned(),
            message: message.into(),
            help: None,
            status: None,
            code: None,
            request_id: None,
            retry_at: None,
            silences: false,
            transient: false,
            no_answer: false,
            chain: None,
            cause: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        let help = help.into();
        self.with(|e| e.help = Some(help))
    }

    /// Adds the HTTP status of the last answer.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        self.with(|e| e.status = Some(status))
    }

    /// Adds the service's own error code, such as `AADSTS7000215` or `invalid_request`.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        let code = code.into();
        self.with(|e| e.code = Some(code))
    }

    /// Adds the id under which the service's support finds the request.
    #[must_use]
    pub fn with_request_id(self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.with(|e| e.request_id = Some(id))
    }

    /// Adds the time before which the service wants no further request. A cache sends nothing
    /// for the same key before then, and answers with this error instead (PR-12).
    #[must_use]
    pub fn with_retry_at(self, at: Timestamp) -> Self {
        self.with(|e| {
            e.retry_at = Some(at);
            e.silences = true;
        })
    }

    /// Adds a `Retry-After` that came with a status which is not retried. Callers see it, and a
    /// cache still sends requests before then (PR-01).
    #[must_use]
    pub(crate) fn with_advised_retry_at(self, at: Timestamp) -> Self {
        self.with(|e| {
            e.retry_at = Some(at);
            e.silences = false;
        })
    }

    /// Adds the `retry_at` of `cause`.
    #[must_use]
    pub(crate) fn with_retry_at_of(self, cause: &Self) -> Self {
        let (retry_at, silences) = (cause.0.retry_at, cause.0.silences);
        self.with(|e| {
            e.retry_at = retry_at;
            e.silences = silences;
        })
    }

    /// Marks that no answer came: a time-out, a refused connection or no route (PR-07).
    #[must_use]
    pub(crate) fn with_no_answer(self) -> Self {
        self.with(|e| e.no_answer = true)
    }

    /// Creates the error of a source that is configured for this host and cannot be used, so that a
    /// chain does not go on with another identity (PR-08).
    pub(crate) fn unusable(credential: &str, message: String, help: &str) -> Self {
        Self::new(ErrorKind::Configuration, credential, message).with_help(format!(
            "{help}; a chain goes on past this one with continue_after = Failure only"
        ))
    }

    /// Adds `remark` at the end of the message.
    #[must_use]
    pub(crate) fn with_remark(self, remark: &str) -> Self {
        self.with(|e| {
            e.message.push_str("; ");
            e.message.push_str(remark);
        })
    }

    /// Marks the error as transient where its kind, status and cause do not say so.
    #[must_use]
    pub fn with_transient(self) -> Self {
        self.with(|e| e.transient = true)
    }

    /// Adds the record of the chain that failed.
    #[must_use]
    pub fn with_chain(self, record: Arc<ChainRecord>) -> Self {
        self.with(|e| e.chain = Some(record))
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_cause(self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        let cause: Arc<dyn std::error::Error + Send + Sync> = Arc::new(cause);
        self.with(|e| e.cause = Some(cause))
    }

    /// Changes the kind, for a chain or a policy that judges the error differently.
    #[must_use]
    pub fn with_kind(self, kind: ErrorKind) -> Self {
        self.with(|e| e.kind = kind)
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the name of the credential that failed.
    pub fn credential(&self) -> &str {
        &self.0.credential
    }

    /// Returns what happened, without the name of the credential and without the help.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns what the reader can do about it, if that is known.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Returns the HTTP status of the last answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the service's own error code, such as `AADSTS7000215`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the id by which the service's support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the time before which the service wants no further request, where it named one,
    /// whatever the status (PR-01). Nothing is sent before then if the status is one that is
    /// retried (PR-12).
    pub fn retry_at(&self) -> Option<Timestamp> {
        self.0.retry_at
    }

    /// Returns the time before which nothing may be sent for the same key, if there is one.
    pub(crate) fn silent_until(&self) -> Option<Timestamp> {
        self.0.retry_at.filter(|_| self.0.silences)
    }

    /// Returns whether no answer came: a time-out, a refused connection or no route (PR-07).
    pub(crate) fn is_without_answer(&self) -> bool {
        self.0.no_answer
    }

    /// Returns whether the same request may succeed within seconds without any change: the network
    /// failed, no answer came in time, or the service answered 408, 410, 429 or 5xx. For the error
    /// of a chain: whether that holds for a member that was tried.
    ///
    /// `false` for errors that last until something is changed: a wrong secret, a missing identity,
    /// a required sign-in, a disposed credential.
    pub fn is_transient(&self) -> bool {
        let e = &*self.0;
        match e.kind {
            ErrorKind::Configuration | ErrorKind::InteractionRequired | ErrorKind::Cancelled => {
                return false;
            }
            ErrorKind::Unavailable | ErrorKind::Failed => {}
        }
        if e.transient || matches!(e.status, Some(408 | 410 | 429 | 500..=599)) {
            return true;
        }
        if let Some(chain) = &e.chain {
            let mut errors = chain.tried.iter().filter_map(Tried::error);
            return errors.any(Self::is_transient);
        }
        let Some(cause) = &e.cause else {
            return false;
        };
        if let Some(cause) = cause.downcast_ref::<Self>() {
            return cause.is_transient();
        }
        cause
            .downcast_ref::<Failure>()
            .is_some_and(Failure::is_retried)
    }

    /// Returns the record of the members that were tried, for the error of a chain.
    pub fn chain(&self) -> Option<&Arc<ChainRecord>> {
        self.0.chain.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &*self.0;
        write!(f, "{}: {}", e.credential, e.message)?;
        if let Some(at) = e.retry_at {
            match e.silences {
                true => write!(f, " (not to be asked again before {at})")?,
                false => write!(f, " (the service wants no request before {at})")?,
            }
        }
        if let Some(id) = &e.request_id {
            write!(f, " (request {id})")?;
        }
        if let Some(help) = &e.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &*self.0;
        f.debug_struct("Error")
            .field("kind", &e.kind)
            .field("credential", &e.credential)
            .field("message", &e.message)
            .field("status", &e.status)
            .field("code", &e.code)
            .field("request_id", &e.request_id)
            .field("retry_at", &e.retry_at)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .cause
            .as_ref()
            .map(|cause| &**cause as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn transient_errors_are_distinguished_from_the_rest() {
        let failed = || Error::new(ErrorKind::Failed, "Test", "it failed");
        let timed_out = Failure::TimedOut {
            limit: std::time::Duration::from_secs(1),
        };
        let untrusted = Failure::Transport(crate::platform::TransportError::new(
            crate::platform::TransportErrorKind::Certificate,
            "untrusted",
        ));
        for (error, expected) in [
            (failed(), false),
            (failed().with_transient(), true),
            (failed().with_status(400), false),
            (failed().with_status(401).with_code("AADSTS7000215"), false),
            (failed().with_status(408), true),
            (failed().with_status(410), true),
            (failed().with_status(429), true),
            (failed().with_status(503), true),
            (failed().with_cause(timed_out.clone()), true),
            (failed().with_cause(untrusted), false),
            (failed().with_cause(failed().with_status(503)), true),
            (failed().with_cause(failed()), false),
            (
                failed()
                    .with_status(503)
                    .with_kind(ErrorKind::InteractionRequired),
                false,
            ),
            (
                failed()
                    .with_cause(timed_out)
                    .with_kind(ErrorKind::Configuration),
                false,
            ),
            (
                Error::new(ErrorKind::Unavailable, "Test", "not installed"),
                false,
            ),
            (
                Error::new(ErrorKind::Cancelled, "Test", "gone").with_transient(),
                false,
            ),
        ] {
            assert_eq!(error.is_transient(), expected, "{error:?}");
        }
    }

    #[test]
    fn pr_01_an_error_carries_what_a_caller_needs() {
        let plain = Error::new(ErrorKind::Failed, "Test", "it is busy");
        let error = plain
            .clone()
            .with_help("wait")
            .with_status(429)
            .with_code("busy")
            .with_request_id("r1")
            .with_retry_at(Timestamp::UNIX_EPOCH)
            .with_cause(std::fmt::Error);
        assert_eq!(
            error.to_string(),
            "Test: it is busy (not to be asked again before 1970-01-01T00:00:00Z) (request r1)\n  \
             help: wait"
        );
        assert_eq!((error.status(), error.code()), (Some(429), Some("busy")));
        assert!(error.source().is_some());
        let debug = format!("{error:?}");
        for part in ["Failed", "Test", "it is busy", "429", "r1", "1970-01-01"] {
            assert!(debug.contains(part), "{part}: {debug}");
        }
        assert_eq!(
            plain.to_string(),
            "Test: it is busy",
            "the clone is another error"
        );
        assert_eq!(
            error.with_kind(ErrorKind::Unavailable).kind().to_string(),
            "unavailable"
        );
    }
}
