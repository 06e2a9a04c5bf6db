//! Token caches: they return a valid token at once, refresh it in time, and send one request at a
//! time (PR-20 to PR-29).
//!
//! Every credential of this crate that sends HTTP requests has such a cache. [`Cached`] adds one to
//! any other credential; [`TokenCache`] is the cache itself, and lists its promises.
//!
//! ```
//! # use credsim_identity::{AccessToken, Error, platform::BoxFuture};
//! use credsim_identity::{Cached, TokenCredential, TokenCredentialExt, TokenRequest};
//!
//! # /// A credential that caches nothing.
//! # #[derive(Debug)]
//! # struct Slow;
//! # impl TokenCredential for Slow {
//! #     fn name(&self) -> &str { "Slow" }
//! #     fn get_token<'a>(&'a self, _: &'a TokenRequest)
//! #         -> BoxFuture<'a, Result<AccessToken, Error>> {
//! #         let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
//! #         Box::pin(async move { Ok(AccessToken::new("a token".to_owned(), ends, "Slow")) })
//! #     }
//! # }
//! # async fn example(slow: Slow) -> Result<(), Error> {
//! let credential = Cached::new(slow).capacity(100);
//! let request = TokenRequest::new(["https://vault.azure.net/.default"]);
//! assert!(credential.cached(&request).is_none());
//!
//! let token = credential.get_token(&request).await?; // from `slow`
//! let again = credential.get_token(&request).await?; // from the cache
//! assert_eq!(token, again);
//! assert!(token.refresh_on().is_some_and(|at| at < token.expires_on()));
//!
//! let new = credential.get_token(&request.with_force_refresh(true)).await?; // from `slow`
//! # let _ = new;
//! # Ok(())
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> { example(Slow).await }
//! ```

mod cached;
mod entries;
pub(crate) mod fast_path;
mod key;
mod memory;
pub(crate) mod policy;
mod single_flight;
mod sync;

use std::{fmt, sync::Arc, time::Duration};

pub use cached::Cached;
pub use key::CacheKey;
pub(crate) use memory::DEFAULT_CAPACITY;
pub(crate) use policy::Life;
pub use single_flight::SingleFlight;
pub(crate) use single_flight::{Flights, Outcome};

use crate::{
    AccessToken, DEFAULT_MIN_REMAINING, Error, ErrorKind, Platform, TokenRef, TokenRequest,
    chain::ObserverRef,
    platform::{BoxFuture, nanoseconds},
    source::UserAssertion,
};
use fast_path::Asked;
use memory::{Found, Memory};
use single_flight::{Waiter, Work, cancelled};

/// The time limit of work that may have no waiter, such as a background refresh. It is longer than
/// all attempts of any credential of this crate by default: the slowest, a managed identity, makes
/// 6 attempts of 10 s with 5 waits of 60 s between them (PR-10, PR-12, PR-15).
pub(crate) const LIMIT: Duration = Duration::from_secs(30 * 60);

/// A forced call that is dropped ends the refresh that it joined only if that has been under way
/// for this long and thus seems to hang. It is longer than all attempts of any credential of this
/// crate by default, unless the service asks for waits: 6 attempts of 10 s, with waits of 112 s
/// after answers of 410 (PR-11, PR-15).
const PATIENCE: Duration = Duration::from_secs(3 * 60);

/// The tokens of one credential and the requests for them that are in flight. Clones share them; a
/// new cache is empty (PR-06). Dropping the last clone ends the requests and drops the tokens.
///
/// - A token is returned while it is valid by the wall clock and by the monotonic time since it was
///   received (PR-20). A token that has expired when it arrives is an error.
/// - It is refreshed in the background before it expires, as long as it is asked for (PR-21,
///   PR-22). A failed refresh is not reported to callers and is repeated after 30 s or more
///   (PR-23); so is a refresh that returns the same token (PR-25). A refresh that hangs is given up
///   after 30 minutes.
/// - A caller that wants a longer life than is left waits for the refresh, but no longer than the
///   cached token is valid.
/// - One request is in flight per key (PR-24). After an error with a `retry_at`, every call gets
///   that error until then, and nothing is sent (PR-12).
/// - A request that [forces a refresh](TokenRequest::with_force_refresh) gets the new answer of the
///   source or its error, never the cached token. That token is replaced on success, and stays for
///   other callers on failure.
/// - Claims have a cache entry of their own, so they bypass the cached token once; their token
///   replaces the entry without claims, too (PR-26).
/// - A change of principal between two tokens of one key is logged as a warning and reported to the
///   observer (PR-04).
#[derive(Clone)]
pub struct TokenCache {
    platform: Platform,
    memory: Arc<Memory>,
    flights: Flights<CacheKey>,
}

impl TokenCache {
    /// Creates an empty cache for the credential called `credential`.
    pub fn new(platform: Platform, credential: &str) -> Self {
        let memory = Arc::new(Memory::new(&platform, credential));
        let flights = Flights::new(&platform, credential);
        Self {
            platform,
            memory,
            flights,
        }
    }

    /// Sets the maximum number of entries, at least 1. Beyond that, the entry whose last
    /// [`get`](Self::get) is longest ago is dropped. An entry with a lock-free hit since it was
    /// last considered gets a second chance, because a hit only sets a flag. Default: 10,000
    /// (PR-29).
    #[must_use]
    pub fn capacity(self, entries: usize) -> Self {
        self.memory.set_capacity(entries);
        self
    }

    /// Sets the observer that is notified of changes of the principal, before the token is
    /// returned. Default: none (PR-04).
    #[must_use]
    pub fn observer(self, observer: ObserverRef) -> Self {
        self.memory.set_observer(observer);
        self
    }

    /// Returns the token for `request` if nothing else has to be done: it is valid, enough of its
    /// life is left, and no refresh is due. Takes no lock and does not allocate, except for the
    /// first hit of a request that is spelled like none before (PR-20 to PR-22).
    ///
    /// `key` names the entry. It is not called again for a request with the same scopes, tenant,
    /// claims and CAE, so it must depend on nothing else.
    #[inline(always)]
    pub fn hit(
        &self,
        request: &TokenRequest,
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        self.hit_for(None, request, key)
    }

    /// As [`hit`](Self::hit), for a credential that acts for many users.
    #[inline(always)]
    pub(crate) fn hit_for(
        &self,
        user: Option<&UserAssertion>,
        request: &TokenRequest,
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        if request.force_refresh() {
            return None;
        }
        let wanted = nanoseconds(request.min_remaining());
        // A request may be used for many users, so it does not remember the slot of one.
        let prepared = if user.is_none() {
            request.memo.find(self.memory.owner())
        } else {
            None
        };
        match prepared {
            Some(slot) => self.memory.lend(slot, wanted),
            None => self.hit_unprepared(request, user, wanted, key),
        }
    }

    /// The hit of a request that is not prepared. A separate function, so that the hit of a
    /// prepared one stays small.
    #[inline(never)]
    fn hit_unprepared(
        &self,
        request: &TokenRequest,
        user: Option<&UserAssertion>,
        wanted: u64,
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        let asked = request.asked().for_user(user);
        let memo = user.is_none().then_some(&request.memo);
        self.memory.hit(&asked, memo, wanted, || key(request))
    }

    /// Returns what [`hit`](Self::hit) would return for a new request for these scopes.
    pub fn hit_scopes(
        &self,
        scopes: &[&str],
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        self.hit_scopes_for(None, scopes, key)
    }

    /// As [`hit_scopes`](Self::hit_scopes), for a credential that acts for many users.
    pub(crate) fn hit_scopes_for(
        &self,
        user: Option<&UserAssertion>,
        scopes: &[&str],
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        const WANTED: u64 = DEFAULT_MIN_REMAINING.as_nanos() as u64;
        let asked = Asked::plain(scopes).for_user(user);
        self.memory.hit(&asked, None, WANTED, || {
            key(&TokenRequest::new(scopes.iter().copied()))
        })
    }

    /// Returns the token for `key` if it is still valid, however little of its life is left. Starts
    /// nothing, not even a refresh that is due: a caller that uses the token should also call
    /// [`get`](Self::get), which then returns at once.
    pub fn cached(&self, key: &CacheKey) -> Option<AccessToken> {
        self.memory.valid(key)
    }

    /// Returns a token for `key`, from the cache or from the future that `fetch` makes.
    ///
    /// `fetch` is called at most once, and not if the cached token is returned as it is. Its future
    /// may be dropped before it is polled, and must not hold a clone of this cache.
    ///
    /// # Errors
    /// Those of the fetch; [`Failed`](crate::ErrorKind::Failed) if the fetched token has already
    /// expired; [`Cancelled`](crate::ErrorKind::Cancelled) after [`dispose`](Self::dispose).
    pub async fn get<F>(
        &self,
        key: CacheKey,
        request: &TokenRequest,
        fetch: F,
    ) -> Result<AccessToken, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<AccessToken, Error>> + Send,
    {
        let wanted = request.min_remaining();
        if request.force_refresh() {
            return self.forced(key, request, fetch).await;
        }
        match self.memory.look(&key, wanted) {
            Found::Fresh(token) => Ok(token),
            Found::Due(token) => {
                self.flights
                    .run(&key, || self.work(&key, request, self.limited(fetch())));
                self.memory.refreshing(&key);
                Ok(token)
            }
            Found::Short(patience) => {
                let refresh = self.work(&key, request, self.limited(fetch()));
                let waiter = self.flights.join(&key, refresh);
                waiter.adopt();
                self.wait_for_newer(waiter, &key, patience).await
            }
            Found::Nothing => {
                // Limited, because it becomes a refresh if the wall clock is set back.
                let fetch = self.work(&key, request, self.limited(fetch()));
                let mut waiter = self.flights.join(&key, fetch);
                // The flight may be a refresh with an owner. No token is valid any more, so it must
                // end with its waiters.
                waiter.take_over();
                self.or_valid(&key, waiter.outcome().await)
            }
            Found::Refused(error) => Err(error),
            Found::Closed => Err(cancelled(&self.memory.credential)),
        }
    }

    /// Returns the next answer of the source. A request that is under way is joined.
    async fn forced<F>(
        &self,
        key: CacheKey,
        request: &TokenRequest,
        fetch: F,
    ) -> Result<AccessToken, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<AccessToken, Error>> + Send,
    {
        let _forced = self.memory.force(&key)?;
        // Limited, because other callers may adopt it as a refresh without a waiter.
        let fetch = self.work(&key, request, self.limited(fetch()));
        let mut waiter = self.flights.join(&key, fetch);
        // If this caller gives up, a background refresh must go on, unless it seems to hang.
        waiter.take_over_after(PATIENCE);
        waiter.outcome().await
    }

    /// Waits for the refresh for at most `patience`. If it fails or takes longer, the cached token
    /// is returned while it is valid (PR-22).
    async fn wait_for_newer(
        &self,
        mut waiter: Waiter<CacheKey>,
        key: &CacheKey,
        patience: Duration,
    ) -> Result<AccessToken, Error> {
        let outcome = match self.platform.within(patience, waiter.outcome()).await {
            Some(outcome) => outcome,
            None => match self.memory.valid(key) {
                Some(token) => return Ok(token),
                None => {
                    waiter.take_over();
                    waiter.outcome().await
                }
            },
        };
        self.or_valid(key, outcome)
    }

    /// Returns `outcome`, or the cached token in place of an error if it is valid: an expired token
    /// becomes valid again if the wall clock is set back (PR-23).
    fn or_valid(&self, key: &CacheKey, outcome: Outcome) -> Outcome {
        outcome.or_else(|error| self.memory.valid(key).ok_or(error))
    }

    /// Returns the work of one flight: fetch a token and store it.
    fn work(&self, key: &CacheKey, request: &TokenRequest, fetch: Work) -> Work {
        let (wanted, within_chain) = (request.min_remaining(), request.within_chain);
        let key = key.clone();
        let credential = self.memory.credential.clone();
        let memory = Arc::downgrade(&self.memory);
        Box::pin(async move {
            let gone = || Err(cancelled(&credential));
            let begun = match memory.upgrade() {
                None => return gone(),
                Some(memory) => match memory.look(&key, wanted) {
                    // Another flight has ended between the look-up and this one.
                    Found::Fresh(token) if !memory.is_forced(&key) => return Ok(token),
                    Found::Refused(error) => return Err(error),
                    Found::Closed => return gone(),
                    _ => memory.begin(),
                },
            };
            let outcome = fetch.await;
            match memory.upgrade() {
                None => gone(),
                Some(memory) => memory.land(&key, begun, within_chain, outcome),
            }
        })
    }

    /// Returns `fetch` with the time limit [`LIMIT`].
    fn limited(&self, fetch: Work) -> Work {
        let (platform, credential) = (self.platform.clone(), self.memory.credential.clone());
        Box::pin(async move {
            let outcome = platform.within(LIMIT, fetch).await;
            outcome.unwrap_or_else(|| Err(hung(&credential)))
        })
    }

    /// Ends all requests and drops all tokens, for all clones and for good. Calls that wait, and
    /// all later calls, fail with [`Cancelled`](crate::ErrorKind::Cancelled) (PR-29).
    pub fn dispose(&self) {
        self.memory.close();
        self.flights.close();
    }
}

fn hung(credential: &str) -> Error {
    let message = format!(
        "a refresh did not end within {} minutes",
        LIMIT.as_secs() / 60
    );
    Error::new(ErrorKind::Failed, credential, message)
        .with_help("give its requests a time limit of their own")
        .with_transient()
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenCache")
            .field(&self.memory.credential)
            .finish()
    }
}
