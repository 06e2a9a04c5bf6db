//! A subscription to the credentials.

use std::{fmt, sync::Arc};

use crate::{Error, platform::Reading};

use super::{RedisCredentials, board::Board, interest::Interest, owner::Owner, watch};

/// A subscription to the credentials of a provider. The token is renewed while one exists. When the
/// last one is dropped the timers stop; a token that is still valid is kept for the next
/// subscription (RD-18).
///
/// Only the newest news is kept for a subscriber, so a slow or idle one delays neither the renewal
/// nor other subscribers, and never gets outdated credentials (RD-36, PR-37). Keeps its provider
/// alive.
pub struct CredentialsSubscription {
    board: watch::Receiver<Board>,
    /// The number of the last credentials that were taken.
    credentials_seen: u64,
    /// The number of the last error that was taken.
    error_seen: u64,
    interest: Interest,
    // Dropped last: it may be the last owner of the provider.
    _owner: Arc<Owner>,
}

impl CredentialsSubscription {
    pub(super) fn new(owner: Arc<Owner>) -> Self {
        let interest = Interest::new(&owner.shared);
        let board = owner.shared.board.subscribe();
        let (credentials_seen, error_seen) = {
            let now = board.borrow();
            let before = |number: u64, is_there: bool| number.wrapping_sub(u64::from(is_there));
            (
                before(now.credentials_number, now.credentials.is_some()),
                before(now.error_number, now.error.is_some()),
            )
        };
        Self {
            board,
            credentials_seen,
            error_seen,
            interest,
            _owner: owner,
        }
    }

    /// Returns first the current credentials, if they are valid; then each change, once:
    ///
    /// - new credentials: every connection should send them with `AUTH`;
    /// - an error: requests keep failing, or the token has ended and there is no newer one.
    ///   Credentials that are still valid can be used until they end; the provider continues its
    ///   requests and reports the outcome (PR-36).
    ///
    /// Returns `None` once the provider is disposed. Cancel-safe: news that was not returned is
    /// returned by the next call.
    pub async fn next(&mut self) -> Option<Result<RedisCredentials, Error>> {
        loop {
            {
                let board = self.board.borrow_and_update();
                if board.closed {
                    return None;
                }
                if board.credentials_number != self.credentials_seen {
                    self.credentials_seen = board.credentials_number;
                    let now = Reading::exact(&*self.interest.shared().platform.clock);
                    let alive = board.credentials.as_ref().filter(|new| new.is_alive(now));
                    if let Some(credentials) = alive {
                        return Some(Ok(credentials.clone()));
                    }
                }
                if board.error_number != self.error_seen {
                    self.error_seen = board.error_number;
                    if let Some(error) = &board.error {
                        return Some(Err(error.clone()));
                    }
                }
            }
            self.board.changed().await.ok()?;
        }
    }
}

impl fmt::Debug for CredentialsSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsSubscription")
    }
}
