//! Federated identity: tokens of another issuer, which prove to Entra the identity of an
//! application.

mod callback;
mod exchange;
mod github;
mod oidc;
mod pipelines;
mod token_file;

pub(crate) use callback::{AnyError, Callback, GetAssertion};
pub(crate) use exchange::Federated;
pub(crate) use github::{GitHub, TOKEN as GITHUB_TOKEN, URL as GITHUB_URL, audience};
pub(crate) use pipelines::{Pipelines, URI as PIPELINES_URI};
pub(crate) use token_file::TokenFile;

use std::fmt;

use crate::{Error, ErrorKind, Secret, platform::BoxFuture};

/// Gets assertions: tokens of another issuer.
pub(crate) trait Assertions: fmt::Debug + Send + Sync + 'static {
    /// Returns an assertion for the next token request.
    ///
    /// # Errors
    /// `Failed`: an assertion is configured for this host and cannot be got, so that a chain does
    /// not go on with another identity (PR-08).
    fn assertion(&self) -> BoxFuture<'_, Result<Secret, Error>>;

    /// Returns whether another call may return a newer assertion after Entra has refused one that
    /// has ended.
    fn may_have_a_newer_one(&self) -> bool;
}

/// Checks that `text` has the form of a JSON Web Token, without white space around it. Anything
/// else is not sent: a wrong file may hold another secret.
///
/// # Errors
/// What it is instead, as the end of a sentence.
pub(crate) fn check_form(text: &str) -> Result<Secret, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty");
    }
    let is_part = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b))
    };
    let parts: Vec<&str> = text.splitn(4, '.').collect();
    match parts.len() == 3 && parts.iter().all(|part| is_part(part)) {
        true => Ok(Secret::new(text)),
        false => Err("holds no JSON Web Token"),
    }
}

/// Returns the error of an assertion that is configured and cannot be got.
fn failed(credential: &str, message: impl Into<String>, help: &str) -> Error {
    Error::new(ErrorKind::Failed, credential, message).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_of_a_token_is_accepted() {
        for good in ["a.b.c", " eyJ0.eyJ1.c2ln\n", "a-_.b=.c"] {
            assert_eq!(check_form(good).unwrap().expose(), good.trim());
        }
        for (bad, why) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("a.b", "holds no JSON Web Token"),
            ("a.b.c.d", "holds no JSON Web Token"),
            ("a..c", "holds no JSON Web Token"),
            ("a.b.", "holds no JSON Web Token"),
            ("a.b.c d", "holds no JSON Web Token"),
            ("-----BEGIN PRIVATE KEY-----", "holds no JSON Web Token"),
        ] {
            assert_eq!(check_form(bad).unwrap_err(), why, "{bad}");
        }
    }

    proptest::proptest! {
        /// Any text is a token without white space around it, or refused.
        #[test]
        fn any_text_is_survived(text in "[a-z.= \n\u{e9}\\-]{0,20}|.{0,20}") {
            if let Ok(token) = check_form(&text) {
                assert_eq!(token.expose(), text.trim());
                assert_eq!(token.expose().split('.').count(), 3);
            }
        }
    }
}
