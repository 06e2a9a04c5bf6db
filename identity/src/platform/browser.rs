//! The browser of the person at this host.

use std::fmt;

use url::Url;

use super::BoxFuture;

/// Opens pages in the browser of the person at this host.
pub trait Browser: Send + Sync + 'static {
    /// Asks the browser to show `url`, which is `http` or `https`. Completes when the browser
    /// has been asked; what the person does there is not reported. No shell reads the URL.
    ///
    /// # Errors
    /// See [`BrowserError`].
    fn open(&self, url: &Url) -> BoxFuture<'static, Result<(), BrowserError>>;
}

/// Why no page was opened. Holds nothing of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrowserError {
    /// This host has no browser, or nothing that opens one. With a sentence that says what is
    /// missing.
    NotAvailable(String),
    /// The URL is neither `http` nor `https`: what would open it is no browser.
    Scheme(String),
    /// There is one, and it did not start.
    Failed(String),
}

impl BrowserError {
    /// Whether `url` is for a browser.
    ///
    /// # Errors
    /// It is not: [`Scheme`](Self::Scheme).
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
