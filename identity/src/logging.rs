//! The log events of this crate, and the choice of their level.
//!
//! Everything is an event of [`tracing`]. Each request of a credential and its answer are events at
//! info, with the target `credsim_identity::http` and the fields `method`, `host`, `path`, `status`
//! and `attempts`; so is each run of a developer tool (`credsim_identity::command`). These events
//! hold no query, header, body or argument. Changes of identity, failed refreshes and half-complete
//! configurations are warnings; the errors in them quote up to 400 characters of what a service or
//! a tool answered. No event, at any level, holds a token or a secret of a credential.
//!
//! Without a subscriber nothing is shown. A [`LogFilter`] lets a subscriber show the level that the
//! environment variable `AZURE_LOG_LEVEL` names, and changes it while the application runs, as
//! `setLogLevel` does in the Azure SDK for JavaScript (LG-01):
//!
//! ```
//! use credsim_identity::{LogFilter, LogLevel, Platform};
//! use tracing_subscriber::{Layer as _, filter::dynamic_filter_fn, fmt, layer::SubscriberExt as _};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let filter = LogFilter::from_environment(&Platform::system())?;
//! let shown = filter.clone();
//! let lines = fmt::layer()
//!     .with_filter(dynamic_filter_fn(move |metadata, _| shown.enabled(metadata)));
//! let subscriber = tracing_subscriber::registry().with(lines);
//! tracing::subscriber::set_global_default(subscriber)?;
//!
//! filter.set_level(Some(LogLevel::Info)); // later, when something has to be looked into
//! # Ok(())
//! # }
//! ```

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tracing::{Level, Metadata, level_filters::LevelFilter};

use crate::Platform;

/// The environment variable `AZURE_LOG_LEVEL`, whose value is `error`, `warning`, `info` or
/// `verbose`. Case and surrounding blanks are ignored; if it is empty or not set, nothing is shown
/// (LG-01).
pub const LOG_LEVEL_VARIABLE: &str = "AZURE_LOG_LEVEL";

/// The first part of the targets of all events of this crate.
const TARGET: &str = "credsim_identity";

/// A log level, by its name in the Azure SDKs. Each level includes those before it (LG-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LogLevel {
    /// Errors only.
    Error,
    /// Events that need attention, such as a change of identity or a failed refresh.
    Warning,
    /// Requests and their answers, commands, and the member of a chain that answered.
    Info,
    /// All events, such as the reasons for which members of a chain were passed over.
    Verbose,
}

impl LogLevel {
    const ALL: [Self; 4] = [Self::Error, Self::Warning, Self::Info, Self::Verbose];

    /// Returns the level that `AZURE_LOG_LEVEL` names on the host of `platform`; `None` if the
    /// variable is not set or empty (LG-01).
    ///
    /// # Errors
    /// [`UnknownLogLevel`] if the variable names none of the four levels.
    pub fn from_environment(platform: &Platform) -> Result<Option<Self>, UnknownLogLevel> {
        let value = platform.environment.var(LOG_LEVEL_VARIABLE);
        let value = value.filter(|value| !value.trim().is_empty());
        value.map(|value| value.parse()).transpose()
    }

    /// Returns the name of the level as the variable spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Verbose => "verbose",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LogLevel {
    type Err = UnknownLogLevel;

    /// Reads the name of a level. Case and surrounding blanks make no difference.
    fn from_str(text: &str) -> Result<Self, UnknownLogLevel> {
        let name = text.trim();
        let known = |level: &Self| level.as_str().eq_ignore_ascii_case(name);
        let level = Self::ALL.into_iter().find(known);
        level.ok_or_else(|| UnknownLogLevel(text.to_owned()))
    }
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warning => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Verbose => Self::TRACE,
        }
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        Self::from_level(level.into())
    }
}

/// The error for a text that is not the name of a log level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLogLevel(String);

impl fmt::Display for UnknownLogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text:?} is not a log level: set {LOG_LEVEL_VARIABLE} to error, warning, info or \
             verbose"
        )
    }
}

impl std::error::Error for UnknownLogLevel {}

/// Decides which events of this crate are shown. Clones share one level, which can be changed at
/// any time and from any thread (LG-01).
///
/// It works with any subscriber. In a layer of `tracing-subscriber` use it through
/// `dynamic_filter_fn`, as the [module](self) shows: `filter_fn` asks once for each place in the
/// code and would not notice a change.
#[derive(Clone)]
pub struct LogFilter(Arc<AtomicU8>);

impl LogFilter {
    /// Creates a filter that shows events up to `level`, and no events for `None`.
    pub fn new(level: Option<LogLevel>) -> Self {
        Self(Arc::new(AtomicU8::new(code(level))))
    }

    /// Creates a filter with the level that `AZURE_LOG_LEVEL` names on the host of `platform`. If
    /// the variable is not set, the filter shows nothing (LG-01).
    ///
    /// # Errors
    /// [`UnknownLogLevel`] if the variable names none of the four levels.
    pub fn from_environment(platform: &Platform) -> Result<Self, UnknownLogLevel> {
        LogLevel::from_environment(platform).map(Self::new)
    }

    /// Returns the current level; `None` if nothing is shown.
    pub fn level(&self) -> Option<LogLevel> {
        let code = self.0.load(Ordering::Relaxed);
        LogLevel::ALL
            .into_iter()
            .nth(usize::from(code).checked_sub(1)?)
    }

    /// Changes the level for all clones of this filter, from the next event on. `None` shows
    /// nothing.
    pub fn set_level(&self, level: Option<LogLevel>) {
        self.0.store(code(level), Ordering::Relaxed);
    }

    /// Returns whether the event or span with this metadata is shown: it belongs to this crate, and
    /// the current level includes it. Costs one relaxed load.
    pub fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let is_ours = target
            .strip_prefix(TARGET)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        is_ours
            && self
                .level()
                .is_some_and(|level| *metadata.level() <= Level::from(level))
    }
}

impl Default for LogFilter {
    /// Shows nothing until [`set_level`](Self::set_level).
    fn default() -> Self {
        Self::new(None)
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogFilter").field(&self.level()).finish()
    }
}

/// Returns the position of a level in [`LogLevel::ALL`], counted from 1; 0 for `None`.
fn code(level: Option<LogLevel>) -> u8 {
    level.map_or(0, |level| level as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_read_and_written_alike() {
        for level in LogLevel::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
            assert_eq!(level.as_str().to_uppercase().parse(), Ok(level));
            assert_eq!(LogFilter::new(Some(level)).level(), Some(level));
        }
        assert_eq!(LogFilter::default().level(), None);
    }

    #[test]
    fn what_cannot_be_read_is_quoted_with_what_can() {
        let error = "loud".parse::<LogLevel>().unwrap_err().to_string();
        for word in [
            r#""loud""#,
            "AZURE_LOG_LEVEL",
            "error, warning, info or verbose",
        ] {
            assert!(error.contains(word), "{error}");
        }
    }
}
