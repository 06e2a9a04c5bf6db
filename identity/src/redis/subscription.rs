//! What one subscriber sees of the token.

use std::{fmt, sync::Arc};

use crate::{Error, cache::Moment};

use super::{RedisCredentials, board::Board, interest::Interest, owner::Owner, watch};

/// The credentials as they change. While one lives, the token is renewed; when the last one is
/// dropped, the timers stop, and a token that is still valid stays for the next one (RD-18).
///
/// Only the newest is kept for a subscriber, so a slow or idle one holds nobody up (RD-36) and
/// never gets what is outdated. Keeps its provider alive.
pub struct CredentialsSubscription {
    board: watch::Receiver<Board>,
    /// The number of the last credentials that were taken.
    credentials_seen: u64,
    /// The number of the last error that was taken.
    error_seen: u64,
    interest: Interest,
    // Dropped last: it may be the last of its provider.
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

    /// First the credentials that are there, if they are valid; then each change, once:
    ///
    /// - new credentials: every connection should send them with `AUTH`;
    /// - an error: requests keep failing, or the token has ended and there is no other. Whoever
    ///   holds valid credentials keeps them; the provider goes on trying, and what comes of it is
    ///   told.
    ///
    /// `None` once the provider is disposed. Cancel-safe: what was not returned is returned by the
    /// next call.
    pub async fn next(&mut self) -> Option<Result<RedisCredentials, Error>> {
        loop {
            {
                let board = self.board.borrow_and_update();
                if board.closed {
                    return None;
                }
                if board.credentials_number != self.credentials_seen {
                    self.credentials_seen = board.credentials_number;
                    let now = Moment::of(&*self.interest.shared().platform.clock);
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
