//! A credential of one's own: what it takes, and what the cache does for it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use core_support::{HOUR, Host, MINUTE};
use credsim_identity::{
    AccessToken, CachedCredential, ChainedTokenCredential, CommonOptions, Error, ErrorKind,
    IdentityChange, Observer, Secret, TokenCredential, TokenCredentialExt, TokenRequest,
    cache::{CacheKey, TokenCache},
    platform::{BoxFuture, Clock as _},
    source::{Account, AccountStore, Fetched, OnBehalfOf, TokenSource, UserAssertion},
};
use jiff::SignedDuration;
use tracing_test::traced_test;

/// Counts what it gives, and knows whose account it was asked by.
#[derive(Debug)]
struct Counter {
    host: HostClock,
    given: AtomicUsize,
}

struct HostClock(Host);

impl std::fmt::Debug for HostClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostClock")
    }
}

impl Counter {
    fn token(&self, what: &str) -> AccessToken {
        let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        let ends = self.host.0.now() + SignedDuration::from_hours(1);
        AccessToken::new(format!("{what} {number}"), ends, "Counter")
    }
}

impl TokenSource for Counter {
    fn name(&self) -> &str {
        "Counter"
    }
    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        Ok(CacheKey::of(request).client("counter"))
    }
    fn fetch<'a>(
        &'a self,
        _: &'a TokenRequest,
        accounts: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async move {
            let known = accounts.accounts("counter").await?;
            let mut fetched =
                Fetched::from(self.token(if known.is_empty() { "asked" } else { "silent" }));
            fetched.account = Some(Account {
                home_account_id: "alice.home".to_owned(),
                environment: "login.microsoftonline.com".to_owned(),
                tenant_id: "home".to_owned(),
                user_name: "alice@contoso.example".to_owned(),
            });
            Ok(fetched)
        })
    }
}

impl OnBehalfOf for Counter {
    fn fetch_for<'a>(
        &'a self,
        assertion: &'a UserAssertion,
        _: &'a TokenRequest,
        _: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async move { Ok(self.token(assertion.token().expose()).into()) })
    }
}

fn credential(host: &Host) -> CachedCredential<Counter> {
    let source = Counter {
        host: HostClock(host.clone()),
        given: AtomicUsize::new(0),
    };
    let options = CommonOptions::default().with_platform(host.platform());
    CachedCredential::with_options(source, &options)
}

async fn ask(credential: &impl TokenCredential, request: &TokenRequest) -> String {
    let token = credential.token(request).await.unwrap();
    token.secret().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_cache_is_that_of_every_credential() {
    let host = Host::new(0.0);
    let credential = credential(&host);
    let request = TokenRequest::new(["scope"]);
    for _ in 0..2 {
        assert_eq!(ask(&credential, &request).await, "asked 1");
    }
    let chain = ChainedTokenCredential::builder()
        .platform(host.platform())
        .credential(credential.clone())
        .build()
        .unwrap();
    assert_eq!(ask(&chain, &request).await, "asked 1");
    // Due 5 minutes before its end; by then the person is known.
    host.sleep(56 * MINUTE).await;
    assert_eq!(ask(&credential, &request).await, "asked 1");
    host.sleep(MINUTE).await;
    assert_eq!(ask(&credential, &request).await, "silent 2");
    credential.dispose();
    assert!(credential.cached(&request).is_none());
    credential.token(&request).await.unwrap_err();
}

/// One request, prepared by one user, must not find the token of that user for another.
#[tokio::test(start_paused = true)]
async fn users_share_a_cache_and_no_token() {
    let host = Host::new(0.0);
    let credential = credential(&host);
    let [alice, bob] = ["alice", "bob"].map(|user| credential.for_user(UserAssertion::new(user)));
    let request = TokenRequest::new(["scope"]);
    for _ in 0..3 {
        assert_eq!(ask(&alice, &request).await, "alice 1");
        assert_eq!(ask(&bob, &request).await, "bob 2");
        let hit = alice.fast_path().unwrap().hit_scopes(&["scope"]);
        assert_eq!(hit.unwrap().secret(), "alice 1");
    }
    assert_eq!(ask(&credential, &request).await, "asked 3");
    assert_eq!(ask(&bob, &request).await, "bob 2");
    let again = credential.for_user(UserAssertion::new("bob"));
    assert_eq!(ask(&again, &request).await, "bob 2");
    let debug = format!("{again:?}");
    assert!(
        debug.contains("UserAssertion(***)") && !debug.contains("bob"),
        "{debug}"
    );

    again.dispose();
    assert_eq!(ask(&bob, &request).await, "bob 2", "a view owns nothing");
    credential.dispose();
    bob.token(&request).await.unwrap_err();
}

/// Never answers, and records that it was disposed.
#[derive(Debug)]
struct Mute(AtomicUsize);

impl TokenSource for Mute {
    fn name(&self) -> &str {
        "Mute"
    }
    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        Ok(CacheKey::of(request))
    }
    fn fetch<'a>(
        &'a self,
        _: &'a TokenRequest,
        _: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async { Err(Error::new(ErrorKind::Unavailable, "Mute", "not here")) })
    }
    fn never_answers(&self) -> bool {
        true
    }
    fn dispose(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl OnBehalfOf for Mute {
    fn fetch_for<'a>(
        &'a self,
        _: &'a UserAssertion,
        request: &'a TokenRequest,
        accounts: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        self.fetch(request, accounts)
    }
}

/// A source in an `Arc` and one for a user are what is in them.
#[tokio::test(start_paused = true)]
async fn a_source_is_seen_through_what_is_around_it() {
    let host = Host::new(0.0);
    let options = CommonOptions::default().with_platform(host.platform());
    let never = |credential: &dyn TokenCredential| credential.fast_path().unwrap().never_answers();
    let counter = credential(&host);
    let of_user = counter.for_user(UserAssertion::new("alice"));
    assert_eq!((of_user.name(), never(&of_user)), ("Counter", false));

    let mute = Arc::new(Mute(AtomicUsize::new(0)));
    let shared = CachedCredential::with_options(Arc::clone(&mute), &options);
    assert_eq!((shared.name(), never(&shared)), ("Mute", true));
    let plain = CachedCredential::with_options(Mute(AtomicUsize::new(0)), &options);
    let of_user = plain.for_user(UserAssertion::new("alice"));
    assert_eq!((of_user.name(), never(&of_user)), ("Mute", true));
    let error = of_user
        .token(&TokenRequest::new(["scope"]))
        .await
        .unwrap_err();
    assert_eq!(error.credential(), "Mute");
    shared.dispose();
    assert_eq!(mute.0.load(Ordering::Relaxed), 1);
}

/// What was reported.
#[derive(Default)]
struct Changes(Mutex<Vec<String>>);

impl Observer for Changes {
    fn identity_changed(&self, change: &IdentityChange) {
        self.0.lock().unwrap().push(change.to.to_string());
    }
}

/// A token that is overtaken by what claims brought is discarded, and so is its identity.
#[tokio::test(start_paused = true)]
async fn pr_04_a_token_that_is_not_kept_changes_no_identity() {
    let host = Host::new(0.0);
    let changes = Arc::new(Changes::default());
    let cache = TokenCache::new(host.platform(), "Test").observer(Some(changes.clone()));
    let (plain, claims) = (
        TokenRequest::new(["s"]),
        TokenRequest::new(["s"]).with_claims("{}"),
    );
    let get = async |request: &TokenRequest, oid: &'static str, takes| {
        let ends = host.now() + SignedDuration::try_from(HOUR).unwrap();
        let clock = host.platform().clock;
        let fetch = || -> BoxFuture<'static, _> {
            Box::pin(async move {
                clock.sleep(takes).await;
                Ok(AccessToken::new(core_support::jwt(oid, 1), ends, "Test"))
            })
        };
        let token = cache
            .get(CacheKey::of(request), request, fetch)
            .await
            .unwrap();
        token.principal().unwrap().object_id.clone()
    };
    let (slow, quick) = tokio::join!(get(&plain, "old", 2 * MINUTE), async {
        host.sleep(MINUTE).await;
        get(&claims, "new", MINUTE / 2).await
    });
    assert_eq!((slow.as_str(), quick.as_str()), ("new", "new"));
    assert_eq!(*changes.0.lock().unwrap(), [""; 0]);
    assert_eq!(
        get(&claims.with_force_refresh(true), "third", MINUTE).await,
        "third"
    );
    assert_eq!(changes.0.lock().unwrap().len(), 1);
}

/// A store that works for reading and not for writing, and records that it was disposed.
#[derive(Debug, Default)]
struct ReadOnly(AtomicUsize);

impl AccountStore for ReadOnly {
    fn accounts<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<Account>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn refresh_token<'a>(
        &'a self,
        _: &'a Account,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Secret>, Error>> {
        Box::pin(async { Ok(None) })
    }
    fn keep<'a>(&'a self, _: &'a str, _: &'a Fetched) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Err(Error::new(ErrorKind::Failed, "Test", "read-only")) })
    }
    fn forget<'a>(&'a self, _: &'a Account) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
    fn dispose(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[traced_test]
#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_be_kept_costs_no_token() {
    let host = Host::new(0.0);
    let store = Arc::new(ReadOnly::default());
    let credential = credential(&host).with_accounts(store.clone());
    let request = TokenRequest::new(["scope"]);
    assert_eq!(ask(&credential, &request).await, "asked 1");
    assert!(logs_contain("the account could not be kept"));
    assert!(logs_contain("read-only"));

    credential.for_user(UserAssertion::new("alice")).dispose();
    assert_eq!(store.0.load(Ordering::Relaxed), 0, "a view owns nothing");
    credential.dispose();
    assert_eq!(store.0.load(Ordering::Relaxed), 1, "PR-29");
}
