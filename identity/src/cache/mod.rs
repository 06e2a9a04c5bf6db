//! Token caches: a valid token at once, a newer one in time, and one request at a time
//! (PR-20 to PR-29).

mod cached;
mod entries;
mod flight;
mod key;
mod memory;
mod refresh;
mod sync;

use std::{fmt, sync::Arc, time::Duration};

pub use cached::Cached;
pub use flight::SingleFlight;
pub(crate) use flight::{Flights, Outcome};
pub use key::CacheKey;
pub(crate) use memory::DEFAULT_CAPACITY;
pub(crate) use refresh::{Life, Moment, PAUSE, half_of_a_long_life};

use crate::{
    AccessToken, DEFAULT_MIN_REMAINING, Error, ErrorKind, Platform, TokenRef, TokenRequest,
    chain::ObserverRef,
    hit::Asked,
    platform::{BoxFuture, nanoseconds},
};
use flight::{Waiter, Work, cancelled};
use memory::{Found, Memory};

/// How long work may take that need not have a waiter, who would notice that it hangs: a refresh,
/// or a chain's walk upward. Longer than the attempts of every credential here by default: for a
/// managed identity, the slowest, 6 of 10 s with 5 waits of 60 s between them (PR-10, PR-12,
/// PR-15).
pub(crate) const LIMIT: Duration = Duration::from_secs(30 * 60);

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
/// - A request that [forces a refresh](TokenRequest::force_refresh) gets what the source gives now,
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
    /// claims and CAE, so it must depend on nothing else.
    #[inline(always)]
    pub fn hit(
        &self,
        request: &TokenRequest,
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        if request.is_refresh_forced() {
            return None;
        }
        let wanted = nanoseconds(request.least_remaining());
        match request.memo.find(self.memory.owner()) {
            Some(slot) => self.memory.lend(slot, wanted),
            None => self.hit_unprepared(request, wanted, key),
        }
    }

    /// What the hit of a prepared request need not carry along.
    #[inline(never)]
    fn hit_unprepared(
        &self,
        request: &TokenRequest,
        wanted: u64,
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        let slot = self.memory.slot(&request.asked(), || key(request))?;
        request.memo.note(&slot);
        self.memory.lend(&slot, wanted)
    }

    /// What [`hit`](Self::hit) would find for a new request for these scopes.
    pub fn hit_scopes(
        &self,
        scopes: &[&str],
        key: impl FnOnce(&TokenRequest) -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        const WANTED: u64 = DEFAULT_MIN_REMAINING.as_nanos() as u64;
        self.memory.hit(&Asked::plain(scopes), WANTED, || {
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
        let wanted = request.least_remaining();
        if request.is_refresh_forced() {
            return self.forced(key, wanted, fetch).await;
        }
        match self.memory.look(&key, wanted) {
            Found::Fresh(token) => Ok(token),
            Found::Due(token) => {
                self.flights
                    .run(&key, || self.work(&key, wanted, self.limited(fetch())));
                self.memory.refreshing(&key);
                Ok(token)
            }
            Found::Short(patience) => {
                let refresh = self.work(&key, wanted, self.limited(fetch()));
                let waiter = self.flights.join(&key, refresh);
                waiter.adopt();
                self.wait_for_newer(waiter, &key, patience).await
            }
            Found::Nothing => {
                // Limited, because a wall clock that is set back may make it a refresh.
                let fetch = self.work(&key, wanted, self.limited(fetch()));
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
        wanted: Duration,
        fetch: F,
    ) -> Result<AccessToken, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<AccessToken, Error>> + Send,
    {
        match self.memory.force(&key) {
            Found::Refused(error) => return Err(error),
            Found::Closed => return Err(cancelled(&self.memory.credential)),
            _ => {}
        }
        // Limited, because it may become a refresh for the sake of others, without a waiter.
        let fetch = self.work(&key, wanted, self.limited(fetch()));
        let mut waiter = self.flights.join(&key, fetch);
        waiter.take_over();
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
    fn work(&self, key: &CacheKey, wanted: Duration, fetch: Work) -> Work {
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
                Some(memory) => memory.land(&key, begun, outcome),
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
