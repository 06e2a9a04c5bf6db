//! The browser of the user at this host.

use std::fmt;

use url::Url;

use super::BoxFuture;

/// Opens pages in the browser of the user at this host.
pub trait Browser: Send + Sync + 'static {
    /// Asks the browser to show `url`, which must be `http` or `https`. Completes when the browser
    /// has been started; what the user does there is not reported. The URL is not passed through a
    /// shell.
    ///
    /// # Errors
    /// See [`BrowserError`].
    fn open(&self, url: &Url) -> BoxFuture<'static, Result<(), BrowserError>>;
}

/// The reason why no page was opened. Holds no part of the URL but its scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrowserError {
    /// This host has no browser, or no program that opens one. Holds what is missing.
    NotAvailable(String),
    /// The URL is neither `http` nor `https`, so another program than a browser might open it.
    /// Holds the scheme.
    Scheme(String),
    /// The browser did not start. Holds the reason.
    Failed(String),
}

impl BrowserError {
    /// Checks that `url` is for a browser.
    ///
    /// # Errors
    /// [`Scheme`](Self::Scheme) if it is neither `http` nor `https`.
    pub fn check(url: &Url) -> Result<(), Self> {
        match url.scheme() {
            "http" | "https" => Ok(()),
            other => Err(Self::Scheme(other.to_owned())),
        }
    }
}

impl fmt::Display for BrowserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAvailable(why) => write!(f, "there is no browser: {why}"),
            Self::Scheme(scheme) => {
                write!(f, "a browser opens http and https, and not {scheme}")
            }
            Self::Failed(why) => write!(f, "the browser did not start: {why}"),
        }
    }
}

impl std::error::Error for BrowserError {}
