//! The retry loop, and the limits of each attempt.

use std::time::Duration;

use super::{Failure, Reply, RetryPolicy, retry_after::asked_wait};
use crate::platform::{HttpRequest, Platform};

/// The largest accepted body, in bytes. Answers of token services are far smaller.
const BODY_LIMIT: usize = 1024 * 1024;

/// Returns `nominal` times a factor from [0.8, 1.2], which `unit` from [0, 1) selects.
fn jittered(nominal: Duration, unit: f64) -> Duration {
    // The conversion fails only for waits of more than half a trillion years.
    Duration::try_from_secs_f64(nominal.as_secs_f64() * (0.8 + 0.4 * unit)).unwrap_or(nominal)
}

/// Sends a request until an answer is final by `policy` or no retry is left. `request` is called
/// once for each attempt.
///
/// Each wait is multiplied by a factor from [0.8, 1.2], drawn for `purpose` and the number of the
/// retry. A `Retry-After` replaces the wait and is kept exactly; one above the policy's
/// `retry_after_cap` ends the attempts (PR-10, PR-12). `purpose` also names the request in logs.
///
/// # Errors
/// The [`Failure`] of the last attempt if it brought no whole answer. An answer is never an error,
/// whatever its status. A body above 1 MiB is a failure; with a status that is retried the body is
/// left empty instead.
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
                let asked = asked_wait(&reply.headers, now);
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
                "the service asks for a longer wait than the cap"
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

/// Sends `request` once, within the limits of `policy`.
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
        // A status that is retried needs no body: its `Retry-After` counts even if the body broke
        // or is too large.
        Some(head) if head.is_retried => Ok(head),
        _ => Err(failure),
    }
}
