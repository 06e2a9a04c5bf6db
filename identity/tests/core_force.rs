//! A forced refresh: what caches do with it (PR-12, PR-23, PR-24).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use core_support::{HOUR, Host, MINUTE, SECOND, Source};
use credsim_identity::{
    AccessToken, Cached, Error, ErrorKind, TokenCredential, TokenRequest,
    cache::{CacheKey, TokenCache},
    platform::{BoxFuture, Clock as _},
};
use jiff::SignedDuration;
use std::time::Duration;

struct World {
    host: Host,
    source: Source,
    cache: TokenCache,
}

impl World {
    fn new() -> Self {
        let host = Host::new(0.0);
        let source = Source::new(&host);
        let cache = TokenCache::new(host.platform(), "Test");
        Self {
            host,
            source,
            cache,
        }
    }

    async fn ask(&self, request: &TokenRequest) -> Result<String, Error> {
        let key = CacheKey::of(request);
        if let Some(hit) = self.cache.hit(request, |_| Some(key.clone())) {
            return Ok(hit.secret().to_owned());
        }
        let token = self.cache.get(key, request, || self.source.fetch()).await?;
        Ok(token.secret().to_owned())
    }

    async fn plain(&self) -> String {
        self.ask(&request()).await.unwrap()
    }

    async fn forced(&self) -> Result<String, Error> {
        self.ask(&request().with_force_refresh(true)).await
    }
}

fn request() -> TokenRequest {
    TokenRequest::new(["scope"])
}

#[tokio::test(start_paused = true)]
async fn the_source_is_asked_and_its_answer_is_for_all() {
    let world = World::new();
    assert_eq!(world.plain().await, "token 1");
    assert_eq!(world.forced().await.unwrap(), "token 2");
    assert_eq!(world.forced().await.unwrap(), "token 3");
    assert_eq!(
        (world.plain().await.as_str(), world.source.count()),
        ("token 3", 3)
    );
}

#[tokio::test(start_paused = true)]
async fn the_new_token_is_kept_though_it_ends_sooner() {
    let world = World::new();
    world.plain().await;
    world.source.gives(20 * MINUTE);
    assert_eq!(world.forced().await.unwrap(), "token 2");
    assert_eq!(world.plain().await, "token 2");
    // And only that one: a refresh that is not forced costs no better token (PR-23).
    world.host.sleep(16 * MINUTE).await;
    world.source.gives(SECOND);
    world.plain().await;
    world.host.sleep(SECOND / 10).await;
    assert_eq!(
        (world.plain().await.as_str(), world.source.count()),
        ("token 2", 3)
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_returned_and_costs_no_token() {
    let world = World::new();
    world.plain().await;
    world.source.fails();
    let error = world.forced().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(world.plain().await, "token 1");
}

#[tokio::test(start_paused = true)]
async fn pr_24_forced_and_waiting_callers_share_one_request() {
    let world = World::new();
    world.source.takes(SECOND);
    let (forced, plain, again) = tokio::join!(world.forced(), world.plain(), world.forced());
    assert_eq!((forced.unwrap(), again.unwrap()), (plain.clone(), plain));
    assert_eq!(world.source.count(), 1);
    // A refresh that is under way in the background is as good.
    world.host.sleep(56 * MINUTE).await;
    assert_eq!(world.plain().await, "token 1");
    assert_eq!(world.forced().await.unwrap(), "token 2");
    assert_eq!(world.source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pr_24_it_ends_with_its_last_caller() {
    let world = World::new();
    world.plain().await;
    world.source.takes(HOUR);
    let given_up = world.host.platform().within(SECOND, world.forced()).await;
    assert!(given_up.is_none());
    world.host.sleep(SECOND / 1000).await;
    assert_eq!(world.source.in_flight(), (0, 1));
    world.source.takes(SECOND);
    assert_eq!(world.forced().await.unwrap(), "token 3");
}

/// A forced call that is dropped leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn a_dropped_call_forces_nothing_later() {
    let world = World::new();
    world.plain().await;
    world.source.takes(HOUR);
    let given_up = world.host.platform().within(SECOND, world.forced()).await;
    assert!(given_up.is_none());
    // A refresh that brings a token of less use does not replace the better one (PR-23).
    world.host.sleep(56 * MINUTE).await;
    world.source.takes(Duration::ZERO).gives(SECOND);
    world.plain().await;
    world.host.sleep(SECOND / 10).await;
    assert_eq!(
        (world.plain().await.as_str(), world.source.count()),
        ("token 1", 3)
    );
}

/// A call has its answer once that has come, even before its future is polled.
#[tokio::test(start_paused = true)]
async fn a_call_with_an_answer_forces_nothing_more() {
    let world = World::new();
    world.plain().await;
    world.source.takes(SECOND);
    let mut forced = std::pin::pin!(world.forced());
    let still_under_way = world
        .host
        .platform()
        .within(Duration::ZERO, &mut forced)
        .await;
    assert!(still_under_way.is_none());
    world.host.sleep(56 * MINUTE).await;
    // A refresh brings a token of less use, which does not replace the better one (PR-23).
    world.source.takes(Duration::ZERO).gives(SECOND);
    assert_eq!(world.plain().await, "token 2");
    world.host.sleep(SECOND / 10).await;
    assert_eq!(
        (world.plain().await.as_str(), world.source.count()),
        ("token 2", 3)
    );
    assert_eq!(forced.await.unwrap(), "token 2");
}

/// Impatient callers do not keep a refresh from its end.
#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_a_refresh_to_its_owner() {
    let world = World::new();
    world.plain().await;
    world.host.sleep(56 * MINUTE).await;
    world.source.takes(100 * SECOND);
    world.plain().await;
    for _ in 0..10 {
        let given_up = world.host.platform().within(SECOND, world.forced()).await;
        assert!(given_up.is_none());
        world.host.sleep(9 * SECOND).await;
    }
    world.host.sleep(SECOND).await;
    assert_eq!(
        (world.plain().await.as_str(), world.source.count()),
        ("token 2", 2)
    );
}

/// But one that hangs is ended by them.
#[tokio::test(start_paused = true)]
async fn a_dropped_call_ends_a_refresh_that_hangs() {
    let world = World::new();
    world.plain().await;
    world.host.sleep(56 * MINUTE).await;
    world.source.takes(24 * HOUR);
    world.plain().await;
    world.host.sleep(179 * SECOND).await;
    let give_up = async || {
        let given_up = world
            .host
            .platform()
            .within(2 * SECOND, world.forced())
            .await;
        assert!(given_up.is_none());
        world.host.sleep(SECOND / 1000).await;
    };
    give_up().await;
    assert_eq!(world.source.in_flight().0, 0);
    world.source.takes(SECOND);
    assert_eq!(world.forced().await.unwrap(), "token 3");
}

/// Another flight may fail between the two steps of a forced call: that it is forced, and that it
/// joins a flight.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_another_flight_does_not_answer_a_forced_call() {
    let host = Host::new(0.0);
    let cache = TokenCache::new(host.platform(), "Test");
    let token = |secret: &str, seconds| {
        let ends = host.now() + SignedDuration::from_secs(seconds);
        AccessToken::new(secret.to_owned(), ends, "Test")
    };
    let key = CacheKey::of(&request());
    // No other is asked for within half of its life.
    let first = token("old", 4);
    let seed = || -> BoxFuture<'static, _> { Box::pin(async { Ok(first) }) };
    cache.get(key.clone(), &request(), seed).await.unwrap();
    host.sleep(2 * SECOND + SECOND / 10).await;

    // A caller that wants more life than is left waits for a refresh, which fails on cue.
    let (fail, failing) = tokio::sync::oneshot::channel::<()>();
    let (over, is_over) = std::sync::mpsc::channel();
    let (other, other_key) = (cache.clone(), key.clone());
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let caller = host.platform().spawner.spawn(Box::pin(async move {
        let request = request().with_min_remaining(2 * HOUR);
        let fetch = || -> BoxFuture<'static, _> {
            Box::pin(async move {
                begun.send(()).unwrap();
                failing.await.unwrap();
                Err(Error::new(ErrorKind::Failed, "Test", "scripted"))
            })
        };
        let kept = other.get(other_key, &request, fetch).await.unwrap();
        assert_eq!(kept.secret(), "old");
        over.send(()).unwrap();
    }));
    has_begun.await.unwrap();

    let second = token("new", 3600);
    let forced = request().with_force_refresh(true);
    let fetch = move || -> BoxFuture<'static, _> {
        fail.send(()).unwrap();
        is_over.recv().unwrap();
        Box::pin(async { Ok(second) })
    };
    let token = cache.get(key, &forced, fetch).await.unwrap();
    assert_eq!(token.secret(), "new");
    drop(caller);
}

#[tokio::test(start_paused = true)]
async fn pr_12_a_service_that_wants_to_be_left_alone_is() {
    let world = World::new();
    world.plain().await;
    let until = world.host.now() + SignedDuration::from_mins(5);
    world
        .source
        .fails_with(Error::new(ErrorKind::Failed, "Test", "busy").with_retry_at(until));
    world.forced().await.unwrap_err();
    world.source.gives(HOUR);
    let error = world.forced().await.unwrap_err();
    assert_eq!((error.retry_at(), world.source.count()), (Some(until), 2));
    assert_eq!(world.plain().await, "token 1");
    world.host.sleep(5 * MINUTE).await;
    assert_eq!(world.forced().await.unwrap(), "token 3");
}

#[tokio::test(start_paused = true)]
async fn pr_29_nothing_is_forced_after_dispose() {
    let world = World::new();
    world.cache.dispose();
    let error = world.forced().await.unwrap_err();
    assert_eq!(
        (error.kind(), world.source.count()),
        (ErrorKind::Cancelled, 0)
    );
}

/// A credential without a cache.
#[derive(Debug)]
struct Plain(Source);

impl TokenCredential for Plain {
    fn name(&self) -> &str {
        "Plain"
    }
    fn get_token<'a>(&'a self, _: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, Error>> {
        self.0.fetch()
    }
}

#[tokio::test(start_paused = true)]
async fn pr_27_a_cache_around_a_cache_passes_it_on() {
    let host = Host::new(0.0);
    let source = Source::new(&host);
    let inner = Cached::on(host.platform(), Plain(source.clone()));
    let outer = Cached::on(host.platform(), inner.clone());
    let get = async |credential: &dyn TokenCredential, force| {
        let request = request().with_force_refresh(force);
        let token = credential.get_token(&request).await.unwrap();
        token.secret().to_owned()
    };
    assert_eq!(get(&outer, false).await, "token 1");
    assert_eq!(get(&outer, true).await, "token 2");
    assert_eq!(
        (get(&outer, false).await, get(&inner, false).await),
        ("token 2".to_owned(), "token 2".to_owned())
    );
    assert_eq!(source.count(), 2);
}
