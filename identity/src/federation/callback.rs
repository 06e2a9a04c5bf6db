//! Assertions that a function of the application returns.

use std::{fmt, sync::Arc, time::Duration};

use super::{Assertions, check_form, failed};
use crate::{
    Error, Secret,
    http::redact,
    platform::{BoxFuture, Platform},
};

/// An error of the application.
pub(crate) type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The function of the application.
pub(crate) type GetAssertion =
    Arc<dyn Fn() -> BoxFuture<'static, Result<Secret, AnyError>> + Send + Sync>;

/// Calls a function of the application for each token request, and waits for at most `limit`.
#[derive(Clone)]
pub(crate) struct Callback {
    pub(crate) credential: &'static str,
    pub(crate) get: GetAssertion,
    pub(crate) limit: Duration,
    pub(crate) platform: Platform,
}

impl Callback {
    async fn call(&self) -> Result<Secret, Error> {
        let answer = self.platform.within(self.limit, (self.get)()).await;
        let answer = answer.ok_or_else(|| {
            let message = format!(
                "the assertion callback has not returned within {} s",
                self.limit.as_secs_f64()
            );
            failed(
                self.credential,
                message,
                "check what it waits for, or set assertion_timeout",
            )
            .with_transient()
        })?;
        let secret = answer.map_err(|error| {
            // The text is the application's own; a token in it is covered.
            let text = redact::excerpt(&error.to_string());
            let message = format!("the assertion callback failed: {text}");
            failed(self.credential, message, "see the error of the callback").with_cause(Told(text))
        })?;
        check_form(secret.expose()).map_err(|what| {
            let message = format!("the text that the assertion callback returned {what}");
            failed(
                self.credential,
                message,
                "return a signed JSON Web Token, without quotes around it",
            )
        })
    }
}

impl Assertions for Callback {
    fn assertion(&self) -> BoxFuture<'_, Result<Secret, Error>> {
        Box::pin(self.call())
    }

    fn may_have_a_newer_one(&self) -> bool {
        true
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The error of the callback, without tokens.
#[derive(Debug)]
struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Told {}
