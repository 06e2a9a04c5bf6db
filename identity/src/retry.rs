//! How often, after which waits and within which limits a request is repeated: the policies as
//! data, and the one loop that runs them (PR-10 to PR-15).
//!
//! ```
//! use std::time::Duration;
//! use credsim_identity::{ManagedIdentityCredential, RetryOptions, RetryPolicy};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), credsim_identity::Error> {
//! // A job that fails early: waits of 0.2 and 0.4 s, and at most 5 s where the service asks.
//! let options = RetryOptions {
//!     max_retries: Some(2),
//!     retry_delay: Some(Duration::from_millis(200)),
//!     retry_after_cap: Some(Duration::from_secs(5)),
//!     ..RetryOptions::default()
//! };
//! let credential = ManagedIdentityCredential::builder().retry(options.clone()).build()?;
//! # let _ = credential;
//!
//! // What that means for a managed identity, as a policy:
//! let policy = RetryPolicy::managed_identity().with(&options);
//! assert!(policy.retries(503) && !policy.retries(400));
//! assert_eq!(policy.nominal_wait(2, Some(503)), Duration::from_millis(400));
//! # Ok(())
//! # }
//! ```

mod after;

use std::{fmt, ops::RangeInclusive, time::Duration};

use jiff::Timestamp;

use crate::platform::{HttpRequest, Platform, TransportError, TransportErrorKind};

/// No answer that a credential waits for comes near this size; a larger one is an error.
const BODY_LIMIT: usize = 1024 * 1024;

/// What a caller may set of a [`RetryPolicy`]. `None` keeps the preset's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryOptions {
    /// How many times a request is repeated, so one less than the requests sent. Default: 5 for a
    /// managed identity (PR-10), 3 for Entra (PR-14).
    pub max_retries: Option<u32>,
    /// The nominal wait before the first retry; each further one is twice as long. Default: 0.8 s
    /// for a managed identity, 1 s for Entra.
    pub retry_delay: Option<Duration>,
    /// The longest nominal wait, before jitter. Default: 64 s.
    pub max_retry_delay: Option<Duration>,
    /// The longest `Retry-After` that is waited for; a longer one ends the call. Default: 60 s.
    pub retry_after_cap: Option<Duration>,
}

/// When a request is repeated, and how long each attempt may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many times a request is repeated, whatever the reasons: one loop, one counter.
    pub max_retries: u32,
    /// The nominal wait before the first retry; each further one is twice as long.
    pub retry_delay: Duration,
    /// The longest nominal wait. Jitter comes on top; `Retry-After` is not bound by it.
    pub max_retry_delay: Duration,
    /// Takes the place of `retry_delay` after a 410 (PR-11).
    pub gone_delay: Option<Duration>,
    /// The longest `Retry-After` that is waited for (PR-12).
    pub retry_after_cap: Duration,
    /// The statuses after which the request is repeated.
    pub retried_statuses: &'static [RangeInclusive<u16>],
    /// How long the connect of one attempt may take (PR-15).
    pub connect_limit: Duration,
    /// How long one attempt may take, to the last byte of the body (PR-15).
    pub attempt_limit: Duration,
}

impl RetryPolicy {
    /// A managed identity, alone or in a chain of one's own (PR-10, PR-11, PR-15): up to 5 retries
    /// after 0.8, 1.6, 3.2, 6.4 and 12.8 s; after a 410, waits from 3 s; an attempt may take 10 s,
    /// its connect 2 s.
    pub fn managed_identity() -> Self {
        Self {
            max_retries: 5,
            retry_delay: Duration::from_millis(800),
            max_retry_delay: Duration::from_secs(64),
            gone_delay: Some(Duration::from_secs(3)),
            retry_after_cap: Duration::from_secs(60),
            retried_statuses: &[
                404..=404,
                408..=408,
                410..=410,
                429..=429,
                500..=500,
                502..=504,
                506..=599,
            ],
            connect_limit: Duration::from_secs(2),
            attempt_limit: Duration::from_secs(10),
        }
    }

    /// Service Fabric, where a 404 is final (PR-10, MI-64).
    pub fn service_fabric() -> Self {
        Self {
            retried_statuses: &[
                408..=408,
                410..=410,
                429..=429,
                500..=500,
                502..=504,
                506..=599,
            ],
            ..Self::managed_identity()
        }
    }

    /// A managed identity inside `DefaultAzureCredential`: one attempt of at most 10 s (PR-13).
    pub fn in_default_chain() -> Self {
        Self {
            max_retries: 0,
            ..Self::managed_identity()
        }
    }

    /// Entra (PR-14, PR-15): up to 3 retries after 1, 2 and 4 s; an attempt may take 30 s, its
    /// connect 10 s.
    pub fn entra() -> Self {
        Self {
            max_retries: 3,
            retry_delay: Duration::from_secs(1),
            max_retry_delay: Duration::from_secs(64),
            gone_delay: None,
            retry_after_cap: Duration::from_secs(60),
            retried_statuses: &[408..=408, 429..=429, 500..=599],
            connect_limit: Duration::from_secs(10),
            attempt_limit: Duration::from_secs(30),
        }
    }

    /// The same policy with what a caller set. Whoever sets the number or the length of the waits
    /// sets them for a 410 too (PR-10, PR-11).
    #[must_use]
    pub fn with(mut self, options: &RetryOptions) -> Self {
        let RetryOptions {
            max_retries,
            retry_delay,
            max_retry_delay,
            retry_after_cap,
        } = options;
        if max_retries.is_some() || retry_delay.is_some() || max_retry_delay.is_some() {
            self.gone_delay = None;
        }
        self.max_retries = max_retries.unwrap_or(self.max_retries);
        self.retry_delay = retry_delay.unwrap_or(self.retry_delay);
        self.max_retry_delay = max_retry_delay.unwrap_or(self.max_retry_delay);
        self.retry_after_cap = retry_after_cap.unwrap_or(self.retry_after_cap);
        self
    }

    /// Whether a request is repeated after an answer with `status`.
    pub fn retries(&self, status: u16) -> bool {
        self.retried_statuses
            .iter()
            .any(|range| range.contains(&status))
    }

    /// The wait before the `retry`-th retry (from 1), without jitter. `status` is that of the
    /// answer before it, if there was one.
    pub fn nominal_wait(&self, retry: u32, status: Option<u16>) -> Duration {
        let first = match (status, self.gone_delay) {
            (Some(410), Some(gone)) => gone,
            _ => self.retry_delay,
        };
        let doublings = 1_u32
            .checked_shl(retry.saturating_sub(1))
            .unwrap_or(u32::MAX);
        first.saturating_mul(doublings).min(self.max_retry_delay)
    }
}

/// `nominal` times a factor of [0.8, 1.2], which `unit` of [0, 1) chooses.
pub(crate) fn jittered(nominal: Duration, unit: f64) -> Duration {
    // Fails only for waits beyond half a trillion years.
    Duration::try_from_secs_f64(nominal.as_secs_f64() * (0.8 + 0.4 * unit)).unwrap_or(nominal)
}

/// The answer that ended the attempts: a success, a refusal, or the last of the retried ones.
/// `Debug` shows no header and no body.
#[derive(Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers as they came.
    pub headers: Vec<(String, String)>,
    /// The whole body. Empty where a retried status said enough and its body could not be read.
    pub body: Vec<u8>,
    /// The moment before which the service wants no further request, whatever the status, if it
    /// named one. Belongs into the error (PR-01, PR-12).
    pub retry_at: Option<Timestamp>,
    /// Whether the policy repeats a request after this status. Only then is nothing sent before
    /// [`retry_at`](Self::retry_at) (PR-01).
    pub is_retried: bool,
    /// How many requests were sent.
    pub attempts: u32,
}

impl Reply {
    /// The first header called `name`, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} after {} attempts)", self.status, self.attempts)
    }
}

/// Why the last attempt brought no usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The exchange broke, or never began.
    Transport(TransportError),
    /// No whole answer came in time.
    TimedOut {
        /// How long the attempt was allowed to take.
        limit: Duration,
    },
}

impl Failure {
    /// Whether the peer was not even reached.
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Transport(error) if error.kind.is_connect())
    }

    /// Whether another attempt may fare better. An absurdly large answer stays large, what a client
    /// does not support it does not support later, and a certificate that is refused is no broken
    /// connection: it is refused again.
    pub(crate) fn is_retried(&self) -> bool {
        match self {
            Self::TimedOut { .. } => true,
            Self::Transport(error) => !matches!(
                error.kind,
                TransportErrorKind::TooLarge
                    | TransportErrorKind::NoClient
                    | TransportErrorKind::Unsupported
                    | TransportErrorKind::Certificate
            ),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => write!(f, "{error}"),
            Self::TimedOut { limit } => write!(f, "no answer within {} s", limit.as_secs_f64()),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error),
            Self::TimedOut { .. } => None,
        }
    }
}

/// Sends what `request` makes, once per attempt, until `policy` is content or exhausted.
///
/// A wait is jittered by a factor of [0.8, 1.2], drawn for `purpose` and the number of the retry;
/// `Retry-After` replaces it exactly (PR-12). `purpose` also names the request in logs.
///
/// # Errors
/// The [`Failure`] of the last attempt when it brought no whole answer. An answer is never an
/// error here, whatever its status.
pub async fn send(
    platform: &Platform,
    policy: &RetryPolicy,
    purpose: &str,
    request: impl Fn() -> HttpRequest + Send + Sync,
) -> Result<Reply, Failure> {
    let mut attempts = 0;
    loop {
        let mut outcome = attempt(platform, policy, request()).await;
        attempts += 1;
        let (status, asked) = match &mut outcome {
            Ok(reply) => {
                reply.attempts = attempts;
                let now = platform.clock.now();
                let asked = after::asked_wait(&reply.headers, now);
                reply.retry_at = asked.and_then(|wait| now.checked_add(wait).ok());
                if !reply.is_retried {
                    return outcome;
                }
                (Some(reply.status), asked)
            }
            Err(failure) if failure.is_retried() => (None, None),
            Err(_) => return outcome,
        };
        let reason = match &outcome {
            Ok(reply) => format!("status {}", reply.status),
            Err(failure) => failure.to_string(),
        };
        if attempts > policy.max_retries {
            tracing::debug!(purpose, attempts, reason, "no attempt is left");
            return outcome;
        }
        if let Some(asked) = asked.filter(|wait| *wait > policy.retry_after_cap) {
            tracing::info!(
                purpose,
                attempts,
                reason,
                ?asked,
                "the service wants too long a wait"
            );
            return outcome;
        }
        let wait = asked.unwrap_or_else(|| {
            let draw = platform.random.unit(&format!("retry/{purpose}/{attempts}"));
            jittered(policy.nominal_wait(attempts, status), draw)
        });
        tracing::debug!(purpose, attempts, reason, ?wait, "will be tried again");
        platform.clock.sleep(wait).await;
    }
}

/// One exchange within the limits of `policy`.
async fn attempt(
    platform: &Platform,
    policy: &RetryPolicy,
    mut request: HttpRequest,
) -> Result<Reply, Failure> {
    request.connect_limit = Some(policy.connect_limit);
    let mut head = None;
    let exchange = async {
        let mut response = platform.http.send(request).await?;
        let reply = Reply {
            status: response.status,
            is_retried: policy.retries(response.status),
            headers: std::mem::take(&mut response.headers),
            body: Vec::new(),
            retry_at: None,
            attempts: 0,
        };
        head = Some(reply.clone());
        Ok(Reply {
            body: response.bytes(BODY_LIMIT).await?,
            ..reply
        })
    };
    let failure = match platform.within(policy.attempt_limit, exchange).await {
        Some(Ok(reply)) => return Ok(reply),
        Some(Err(error)) => Failure::Transport(error),
        None => Failure::TimedOut {
            limit: policy.attempt_limit,
        },
    };
    match head {
        // A retried status decides by itself: its `Retry-After` counts even if its body broke, or
        // is absurdly large.
        Some(head) if head.is_retried => Ok(head),
        _ => Err(failure),
    }
}
