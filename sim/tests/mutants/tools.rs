//! Builds wrong subjects from `identity`: on a platform that misreports, with other options than
//! the scenario's, or behind a wrapper.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim::{
    credential::{Credential, RedisSubject, RetryOptions},
    scenario::Span,
    subject::{Built, Identity, Lent, RedisClient, Subject},
};
use credsim_identity::{
    AccessToken, Error, Platform, TokenCredential, TokenCredentialExt as _, TokenRef, TokenRequest,
    internals::FastPath,
    platform::{BoxFuture, Clock, HttpClient, HttpRequest, HttpResponse, Random, TransportError},
};
use jiff::{Timestamp, tz::TimeZone};

/// Builds a credential from the one that a scenario describes.
type Build = dyn Fn(&Credential, &Lent) -> Result<Built, Error> + Send + Sync;

/// A wrong subject.
pub struct Wrong(Box<Build>);

impl Wrong {
    pub fn builds<F>(build: F) -> Arc<dyn Subject>
    where
        F: Fn(&Credential, &Lent) -> Result<Built, Error> + Send + Sync + 'static,
    {
        Arc::new(Self(Box::new(build)))
    }

    /// `identity` on a changed platform.
    pub fn lent(change: fn(&mut Lent)) -> Arc<dyn Subject> {
        Self::builds(move |credential, lent| {
            let mut lent = lent.clone();
            change(&mut lent);
            Identity.build(credential, &lent)
        })
    }

    /// `identity` with other options than the scenario's.
    pub fn options(change: fn(&mut Credential)) -> Arc<dyn Subject> {
        Self::builds(move |credential, lent| {
            let mut credential = credential.clone();
            change(&mut credential);
            Identity.build(&credential, lent)
        })
    }

    /// `identity` behind a wrapper.
    pub fn behind<W: Wrapper>(wrapper: fn() -> W) -> Arc<dyn Subject> {
        Self::builds(move |credential, lent| {
            let ours = Ours {
                first: Identity.build(credential, lent)?.credential,
                described: credential.clone(),
                lent: lent.clone(),
            };
            let wrapper = wrapper();
            Ok(Built::shared(Arc::new(Wrapped { ours, wrapper })))
        })
    }
}

impl Subject for Wrong {
    fn name(&self) -> &str {
        "wrong"
    }

    fn log_targets(&self) -> &[&str] {
        &["credsim_identity", "redis"]
    }

    fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
        (self.0)(credential, lent)
    }

    /// Our Redis client on the wrong credential.
    fn build_redis(
        &self,
        described: &RedisSubject,
        credential: &Credential,
        lent: &Lent,
    ) -> Result<Arc<dyn RedisClient>, Error> {
        super::redis::ours(described, self.build(credential, lent)?.credential, lent)
    }
}

pub type Answer = Result<AccessToken, Error>;

/// A wrapper: it is called by the callers, and calls the credential of `identity`.
pub trait Wrapper: Send + Sync + 'static {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer>;

    fn dispose(&self, ours: &Ours) {
        ours.first.dispose();
    }
}

/// The credential of `identity`, and what is needed to build another one.
pub struct Ours {
    pub first: Arc<dyn TokenCredential>,
    lent: Lent,
    described: Credential,
}

impl Ours {
    /// Builds a new instance, which shares nothing with the first one.
    pub fn another(&self) -> Arc<dyn TokenCredential> {
        let built = Identity.build(&self.described, &self.lent);
        built.expect("the first one could be built").credential
    }

    pub fn now(&self) -> Timestamp {
        self.lent.platform.clock.now()
    }

    /// How long a token is still valid, by the wall clock.
    pub fn left(&self, token: &AccessToken) -> Duration {
        let left = token.expires_on().duration_since(self.now());
        Duration::try_from(left).unwrap_or_default()
    }
}

struct Wrapped<W> {
    ours: Ours,
    wrapper: W,
}

impl<W> fmt::Debug for Wrapped<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapped")
    }
}

impl<W: Wrapper> TokenCredential for Wrapped<W> {
    fn name(&self) -> &str {
        self.ours.first.name()
    }

    fn get_token<'a>(&'a self, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        self.wrapper.get_token(&self.ours, request)
    }

    fn dispose(&self) {
        self.wrapper.dispose(&self.ours);
    }

    fn fast_path(&self) -> Option<&dyn FastPath> {
        Some(self)
    }
}

/// Exposes the cached tokens of the inner credential. It has no fast path, which would bypass the
/// wrapper.
impl<W: Wrapper> FastPath for Wrapped<W> {
    fn hit(&self, _: &TokenRequest) -> Option<TokenRef> {
        None
    }

    fn hit_scopes(&self, _: &[&str]) -> Option<TokenRef> {
        None
    }

    fn peek(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.ours.first.cached(request)
    }

    fn never_answers(&self) -> bool {
        false
    }
}

/// Tokens by their scopes, each with the time at which it was received.
#[derive(Default)]
pub struct Tokens(Mutex<BTreeMap<Vec<String>, (AccessToken, Timestamp)>>);

impl Tokens {
    pub fn get(&self, request: &TokenRequest) -> Option<(AccessToken, Timestamp)> {
        self.0.lock().unwrap().get(request.scopes()).cloned()
    }

    pub fn put(&self, request: &TokenRequest, token: &AccessToken, at: Timestamp) {
        let (key, token) = (request.scopes().to_vec(), token.clone());
        self.0.lock().unwrap().insert(key, (token, at));
    }
}

/// Changes the retry options of a credential and of all inside it.
pub fn retries(credential: &mut Credential, change: fn(&mut RetryOptions)) {
    match credential {
        Credential::Default(options) => change(&mut options.retry),
        Credential::ManagedIdentity(options) => change(&mut options.retry),
        Credential::ClientSecret(options) => change(&mut options.retry),
        Credential::Chain(options) => options.of.iter_mut().for_each(|of| retries(of, change)),
        Credential::Cached(options) => retries(&mut options.of, change),
        _ => {}
    }
}

/// Changes how long the commands of a credential may take.
pub fn process_timeout(credential: &mut Credential, limit: Duration) {
    match credential {
        Credential::AzureCli(options)
        | Credential::AzureDeveloperCli(options)
        | Credential::AzurePowerShell(options) => {
            options.process_timeout = Some(Span(limit));
        }
        Credential::Cached(options) => process_timeout(&mut options.of, limit),
        _ => {}
    }
}

/// An HTTP client that changes what is sent and what is answered.
pub struct Http {
    inner: Arc<dyn HttpClient>,
    sends: fn(&mut HttpRequest),
    receives: fn(&mut HttpResponse),
}

impl Http {
    pub fn sends(platform: &mut Platform, sends: fn(&mut HttpRequest)) {
        let inner = platform.http.clone();
        platform.http = Arc::new(Self {
            inner,
            sends,
            receives: |_| {},
        });
    }

    pub fn receives(platform: &mut Platform, receives: fn(&mut HttpResponse)) {
        let inner = platform.http.clone();
        platform.http = Arc::new(Self {
            inner,
            sends: |_| {},
            receives,
        });
    }
}

impl HttpClient for Http {
    fn send(
        &self,
        mut request: HttpRequest,
    ) -> BoxFuture<'static, Result<HttpResponse, TransportError>> {
        (self.sends)(&mut request);
        let (answer, receives) = (self.inner.send(request), self.receives);
        Box::pin(async move {
            let mut response = answer.await?;
            receives(&mut response);
            Ok(response)
        })
    }
}

/// The host's clock without its zone, or without its monotonic time.
pub struct Simplified {
    pub clock: Arc<dyn Clock>,
    pub all_is_utc: bool,
    pub wall_time_only: bool,
}

impl Clock for Simplified {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        if self.wall_time_only {
            let time = self.now().duration_since(Timestamp::UNIX_EPOCH);
            time.unsigned_abs()
        } else {
            self.clock.monotonic()
        }
    }

    fn local_zone(&self) -> TimeZone {
        if self.all_is_utc {
            TimeZone::UTC
        } else {
            self.clock.local_zone()
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }
}

/// One number for every purpose.
pub struct NotRandom;

impl Random for NotRandom {
    fn next(&self, _: &str) -> u64 {
        u64::MAX / 2
    }
}
