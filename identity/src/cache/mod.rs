//! Token caches: a valid token at once, a newer one in time, and one request at a time
//! (PR-20 to PR-29).
//!
//! Every credential that asks a service over HTTP has such a cache. [`Cached`] gives one to any
//! other credential; [`TokenCache`] is the cache itself.
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
//! let token = credential.get_token(&request).await?; // asks `slow`
//! let again = credential.get_token(&request).await?; // does not
//! assert_eq!(token, again);
//! assert!(token.refresh_on().is_some_and(|at| at < token.expires_on()));
//!
//! let new = credential.get_token(&request.with_force_refresh(true)).await?; // asks again
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
mod moment;
pub(crate) mod policy;
mod single_flight;
mod sync;

use std::{fmt, sync::Arc, time::Duration};

pub use cached::Cached;
pub use key::CacheKey;
pub(crate) use memory::DEFAULT_CAPACITY;
pub(crate) use moment::Moment;
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

/// How long work may take that need not have a waiter, who would notice that it hangs: a refresh,
/// or a chain's walk upward. Longer than the attempts of every credential here by default: for a
/// managed identity, the slowest, 6 of 10 s with 5 waits of 60 s between them (PR-10, PR-12,
/// PR-15).
pub(crate) const LIMIT: Duration = Duration::from_secs(30 * 60);

/// How long a refresh may be under way before a caller who forced one, and gives up on it, ends it
/// for all. Longer than the attempts of every credential here take by default where the service
/// names no wait: 6 attempts of 10 s each, with waits of 112 s after answers of 410 (PR-11, PR-15).
const PATIENCE: Duration = Duration::from_secs(3 * 60);

/// The tokens of one credential, and the requests for them that are under way. Clones share; a
/// new one is empty (PR-06). When the last clone is dropped, its requests end and its tokens go.
///
/// - A token is handed out while it is valid by the wall clock and by the monotonic time since
///   its receipt (PR-20). One that has ended when it arrives is an error.
/// - It is refreshed in the background in good time, when somebody asks for it (PR-21, PR-22). A
///   refresh that fails surfaces nowhere, and is repeated after 30 s or more (PR-23); so is one
///   that brings nothing newer (PR-25). One that hangs is given up after 30 minutes.
/// - A caller who wants more time than is left waits for the refresh, but never so long that the
///   valid token would be lost over it.
/// - One request is in flight per key (PR-24). An error with a `retry_at` answers everybody until
///   then, and nothing is sent (PR-12).
/// - A request that [forces a refresh](TokenRequest::with_force_refresh) gets what the source gives now,
///   or the error, and never the token that is here. That one stays for the others if it fails, and
///   is replaced if it succeeds.
/// - Claims have an entry of their own, so they bypass the cache once; what they bring replaces
///   the entry without claims, too (PR-26).
/// - A change of principal between two tokens of one key is a warning and an event (PR-04).
#[derive(Clone)]
pub struct TokenCache {
    platform: Platform,
    memory: Arc<Memory>,
    flights: Flights<CacheKey>,
}

impl TokenCache {
    /// An empty cache for the credential called `credential`.
    pub fn new(platform: Platform, credential: &str) -> Self {
        let memory = Arc::new(Memory::new(&platform, credential));
        let flights = Flights::new(&platform, credential);
        Self {
            platform,
            memory,
            flights,
        }
    }

    /// Holds at most so many entries, at least 1; beyond that, one is forgotten: the one whose last
    /// [`get`](Self::get) is longest ago. An entry that was hit since its turn came last is spared
    /// once, for a hit leaves no more than word that there was one. Default: 10,000 (PR-29).
    #[must_use]
    pub fn capacity(self, entries: usize) -> Self {
        self.memory.set_capacity(entries);
        self
    }

    /// Tells `observer` about changes of the principal, before the token is handed out.
    #[must_use]
    pub fn observer(self, observer: ObserverRef) -> Self {
        self.memory.set_observer(observer);
        self
    }

    /// The token for `request` if it can be handed out at once and nothing else is to be done:
    /// it is valid, enough of it is left, and no refresh is due (PR-20 to PR-22). Takes no lock and
    /// allocates nothing, except for the first hit of a request that is spelled like none before.
    ///
    /// `key` names the entry. It is not asked again for a request of the same scopes, tenant,
    /// claims and CAE by the same `user`, so it must depend on nothing else.
    #[inline(always)]
    pub fn hit(
        &self,
        request: &TokenRequest,
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        self.hit_for(None, request, key)
    }

    /// As [`hit`](Self::hit), for `user` if that is one of many.
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
        // A request is prepared for all who ask with it, and not for one of many users.
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

    /// What the hit of a prepared request need not carry along.
    #[inline(never)]
    fn hit_unprepared(
        &self,
        request: &TokenRequest,
        user: Option<&UserAssertion>,
        wanted: u64,
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        let asked = request.asked().for_user(user);
        let slot = self.memory.slot(&asked, || key(request))?;
        if user.is_none() {
            request.memo.note(&slot);
        }
        self.memory.lend(&slot, wanted)
    }

    /// What [`hit`](Self::hit) would find for a new request for these scopes.
    pub fn hit_scopes(
        &self,
        scopes: &[&str],
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        self.hit_scopes_for(None, scopes, key)
    }

    /// As [`hit_scopes`](Self::hit_scopes), for `user` if that is one of many.
    pub(crate) fn hit_scopes_for(
        &self,
        user: Option<&UserAssertion>,
        scopes: &[&str],
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        const WANTED: u64 = DEFAULT_MIN_REMAINING.as_nanos() as u64;
        let asked = Asked::plain(scopes).for_user(user);
        self.memory.hit(&asked, WANTED, || {
            key(&TokenRequest::new(scopes.iter().copied()))
        })
    }

    /// The token for `key` if there is one that is still valid, however short. Starts nothing,
    /// not even a refresh that is due: whoever hands it out should also call [`get`](Self::get),
    /// which answers at once.
    pub fn cached(&self, key: &CacheKey) -> Option<AccessToken> {
        self.memory.valid(key)
    }

    /// A token for `key`, from here or from what `fetch` makes.
    ///
    /// `fetch` is called at most once, and not for a token that needs no request. Its future may
    /// be dropped before it was polled, and must not hold a clone of this cache.
    ///
    /// # Errors
    /// Those of the fetch; [`Failed`](crate::ErrorKind::Failed) if the token that it brought had
    /// already ended; [`Cancelled`](crate::ErrorKind::Cancelled) after [`dispose`](Self::dispose).
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
                // Limited, because a wall clock that is set back may make it a refresh.
                let fetch = self.work(&key, request, self.limited(fetch()));
                let mut waiter = self.flights.join(&key, fetch);
                // It may be a refresh, for whose sake there is no token left.
                waiter.take_over();
                self.or_valid(&key, waiter.outcome().await)
            }
            Found::Refused(error) => Err(error),
            Found::Closed => Err(cancelled(&self.memory.credential)),
        }
    }

    /// What the source gives now. A request under way is as good as one of its own.
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
        // Limited, because it may become a refresh for the sake of others, without a waiter.
        let fetch = self.work(&key, request, self.limited(fetch()));
        let mut waiter = self.flights.join(&key, fetch);
        // A refresh for others is not the caller's to end, unless it seems to hang.
        waiter.take_over_after(PATIENCE);
        waiter.outcome().await
    }

    /// Waits while the valid token lasts; then, or when the refresh fails, that one is good enough
    /// (PR-22).
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

    /// `outcome`, or instead of an error the token that is valid: one that had ended is valid again
    /// once the wall clock is set back (PR-23).
    fn or_valid(&self, key: &CacheKey, outcome: Outcome) -> Outcome {
        outcome.or_else(|error| self.memory.valid(key).ok_or(error))
    }

    /// The work of one flight: fetch, and keep what comes.
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
                    // Another flight has just landed.
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

    /// `fetch`, given up after [`LIMIT`].
    fn limited(&self, fetch: Work) -> Work {
        let (platform, credential) = (self.platform.clone(), self.memory.credential.clone());
        Box::pin(async move {
            let outcome = platform.within(LIMIT, fetch).await;
            outcome.unwrap_or_else(|| Err(hung(&credential)))
        })
    }

    /// Ends all requests and forgets all tokens, for all clones and for good (PR-29): whoever
    /// waits, and whoever comes later, gets [`Cancelled`](crate::ErrorKind::Cancelled).
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
