//! Single flight, its waiters and its end (PR-24, PR-27, PR-29).

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod core_support;

use core_support::{HOUR, Host, MINUTE, SECOND, Source};
use credsim_identity::{
    AccessToken, Cached, Error, ErrorKind, TokenCredential, TokenCredentialExt, TokenRequest,
    cache::{CacheKey, SingleFlight, TokenCache},
    platform::BoxFuture,
};
use proptest::prelude::*;

struct World {
    host: Host,
    source: Source,
    cache: TokenCache,
    flights: SingleFlight,
}

impl World {
    /// Every answer takes ten seconds.
    fn new() -> Self {
        let host = Host::new(0.0);
        let source = Source::new(&host);
        source.takes(10 * SECOND);
        let cache = TokenCache::new(host.platform(), "Test");
        let flights = SingleFlight::new(&host.platform(), "Test");
        Self {
            host,
            source,
            cache,
            flights,
        }
    }

    async fn get(&self) -> Result<AccessToken, Error> {
        let request = TokenRequest::new(["scope"]);
        self.cache
            .get(CacheKey::of(&request), &request, || self.source.fetch())
            .await
    }

    async fn run(&self, key: &str) -> Result<AccessToken, Error> {
        self.flights.run(key, || self.source.fetch()).await
    }

    /// A `get` that is given up after `seconds`.
    async fn give_up_after(&self, seconds: u32) {
        let answer = self
            .host
            .platform()
            .within(seconds * SECOND, self.get())
            .await;
        assert!(answer.is_none());
    }

    async fn settle(&self) {
        self.host.sleep(SECOND / 1000).await;
    }
}

fn kind(answer: Result<AccessToken, Error>) -> ErrorKind {
    answer.unwrap_err().kind()
}

#[tokio::test(start_paused = true)]
async fn pr_24_one_request_however_many_ask() {
    let world = World::new();
    let (a, b, c) = tokio::join!(world.get(), world.get(), async {
        world.host.sleep(5 * SECOND).await;
        world.get().await
    });
    assert_eq!(
        [a.unwrap(), b.unwrap(), c.unwrap()].map(|t| t.secret().to_owned()),
        ["token 1"; 3]
    );
    assert_eq!(
        (world.source.count(), world.host.elapsed()),
        (1, 10 * SECOND)
    );
}

#[tokio::test(start_paused = true)]
async fn pr_24_all_waiting_callers_get_the_same_error() {
    let world = World::new();
    world.source.fails();
    let (a, b) = tokio::join!(world.get(), world.get());
    assert_eq!([kind(a), kind(b)], [ErrorKind::Failed; 2]);
    assert_eq!(world.source.count(), 1);
    assert_eq!(kind(world.get().await), ErrorKind::Failed);
    assert_eq!(world.source.count(), 2, "an error is not kept");
}

#[tokio::test(start_paused = true)]
async fn pr_24_a_waiter_owns_only_its_wait() {
    let world = World::new();
    let ((), b) = tokio::join!(world.give_up_after(3), world.get());
    assert_eq!(b.unwrap().secret(), "token 1");
    assert_eq!(
        (world.source.count(), world.host.elapsed()),
        (1, 10 * SECOND)
    );
}

#[tokio::test(start_paused = true)]
async fn pr_24_the_work_ends_with_its_last_waiter() {
    let world = World::new();
    tokio::join!(world.give_up_after(3), world.give_up_after(4));
    world.settle().await;
    assert_eq!(world.source.in_flight(), (0, 1));
    assert_eq!(world.get().await.unwrap().secret(), "token 2");
}

#[tokio::test(start_paused = true)]
async fn pr_24_a_background_refresh_ends_with_its_owner() {
    let world = World::new();
    world.get().await.unwrap();
    world.host.sleep(56 * MINUTE).await;
    world.get().await.unwrap();
    world.settle().await;
    assert_eq!(world.source.in_flight().0, 1, "without any waiter");
    let clone = world.cache.clone();
    drop(world.cache);
    world.host.sleep(SECOND).await;
    assert_eq!(world.source.in_flight().0, 1, "a clone is left");
    drop(clone);
    world.host.sleep(SECOND / 1000).await;
    assert_eq!(world.source.in_flight().0, 0);
}

#[tokio::test(start_paused = true)]
async fn pr_24_a_refresh_that_hangs_ends_with_its_last_waiter_once_the_token_has() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.takes(1000 * HOUR);
    world.host.sleep(56 * MINUTE).await;
    world.get().await.unwrap();
    world.host.sleep(4 * MINUTE).await;
    assert_eq!(world.source.in_flight().0, 1);
    tokio::join!(world.give_up_after(3), world.give_up_after(4));
    world.settle().await;
    assert_eq!(world.source.in_flight().0, 0);
    world.source.takes(SECOND);
    assert_eq!(world.get().await.unwrap().secret(), "token 3");
}

#[tokio::test(start_paused = true)]
async fn pr_23_a_refresh_that_hangs_is_given_up_and_replaced() {
    let world = World::new();
    world.source.gives(24 * HOUR);
    world.get().await.unwrap();
    world.source.takes(1000 * HOUR);
    world.host.sleep(13 * HOUR).await;
    world.get().await.unwrap();
    world.host.sleep(29 * MINUTE).await;
    assert_eq!(world.source.in_flight().0, 1, "long enough for any retries");
    world.host.sleep(2 * MINUTE).await;
    assert_eq!(world.source.in_flight().0, 0);
    world.source.takes(SECOND);
    assert_eq!(world.get().await.unwrap().secret(), "token 1");
    world.host.sleep(2 * SECOND).await;
    assert_eq!(world.get().await.unwrap().secret(), "token 3");
}

#[tokio::test(start_paused = true)]
async fn pr_24_commands_are_merged_by_their_arguments_and_not_kept() {
    let world = World::new();
    let (a, b, c) = tokio::join!(world.run("a"), world.run("a"), world.run("b"));
    assert!([a, b, c].iter().all(Result::is_ok));
    assert_eq!(world.source.count(), 2);
    world.run("a").await.unwrap();
    assert_eq!(world.source.count(), 3);
    let given_up = world.host.platform().within(SECOND, world.run("a")).await;
    assert!(given_up.is_none());
    world.settle().await;
    assert_eq!(world.source.in_flight().0, 0);
    let (waited, ()) = tokio::join!(world.run("a"), async {
        world.settle().await;
        world.flights.dispose();
    });
    assert_eq!(
        [kind(waited), kind(world.run("a").await)],
        [ErrorKind::Cancelled; 2]
    );
    world.settle().await;
    assert_eq!(world.source.in_flight().0, 0);
}

#[tokio::test(start_paused = true)]
async fn pr_24_work_that_is_aborted_leaves_no_caller_waiting() {
    let world = World::new();
    let broken = world
        .flights
        .run("a", || Box::pin(async { panic!("for the test") }));
    let answer = world.host.platform().within(MINUTE, broken).await;
    assert_eq!(
        kind(answer.expect("it waits no more")),
        ErrorKind::Cancelled
    );
    assert!(world.run("a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn pr_29_dispose_ends_waits_requests_and_tokens() {
    let world = World::new();
    let other = TokenRequest::new(["other"]);
    let get_other = || {
        world
            .cache
            .get(CacheKey::of(&other), &other, || world.source.fetch())
    };
    get_other().await.unwrap();
    let (waited, ()) = tokio::join!(world.get(), async {
        world.host.sleep(SECOND).await;
        world.cache.clone().dispose();
    });
    assert_eq!(kind(waited), ErrorKind::Cancelled);
    assert_eq!(world.host.elapsed(), 11 * SECOND, "at once");
    world.settle().await;
    assert_eq!(world.source.in_flight().0, 0);
    assert!(world.cache.cached(&CacheKey::of(&other)).is_none());
    assert_eq!(
        [kind(world.get().await), kind(get_other().await)],
        [ErrorKind::Cancelled; 2]
    );
    assert_eq!(world.source.count(), 2);
    world.cache.dispose();
}

#[tokio::test(start_paused = true)]
async fn pr_29_dispose_ends_a_wait_that_has_a_valid_token_to_lose() {
    let world = World::new();
    world.get().await.unwrap();
    world.host.sleep(HOUR - 20 * SECOND).await;
    let (waited, ()) = tokio::join!(world.get(), async {
        world.host.sleep(SECOND).await;
        world.cache.dispose();
    });
    assert_eq!(kind(waited), ErrorKind::Cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pr_24_threads_share_one_request() {
    let world = std::sync::Arc::new(World::new());
    // So short that refreshes, ends and cold starts all happen many times.
    world.source.takes(SECOND / 2000).gives(SECOND / 100);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let world = world.clone();
        tasks.spawn(async move {
            for _ in 0..2000 {
                world.get().await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert_eq!(world.source.in_flight().1, 1);
    world.cache.dispose();
    assert_eq!(kind(world.get().await), ErrorKind::Cancelled);
}

/// A credential without a cache, such as a command.
struct Uncached(Source);

impl TokenCredential for Uncached {
    fn name(&self) -> &str {
        "Uncached"
    }
    fn get_token<'a>(&'a self, _: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, Error>> {
        self.0.fetch()
    }
}

impl std::fmt::Debug for Uncached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[tokio::test(start_paused = true)]
async fn pr_27_any_credential_can_be_cached() {
    let world = World::new();
    let cached = Cached::on(world.host.platform(), Uncached(world.source.clone()));
    let request = TokenRequest::new(["a", "b"]);
    assert_eq!(cached.cached(&request), None);
    let token = cached.get_token(&request).await.unwrap();
    let turned = TokenRequest::new(["b", "a", "b"]);
    assert_eq!(cached.clone().get_token(&turned).await.unwrap(), token);
    assert_eq!(cached.cached(&turned), Some(token));
    assert_eq!((cached.name(), world.source.count()), ("Uncached", 1));
    cached
        .get_token(&request.clone().with_tenant("other"))
        .await
        .unwrap();
    assert_eq!(world.source.count(), 2);

    let another = Cached::on(world.host.platform(), Uncached(world.source.clone()));
    assert_eq!(
        another.cached(&request),
        None,
        "PR-06: a new instance is empty"
    );
    cached.dispose();
    assert_eq!(kind(cached.get_token(&request).await), ErrorKind::Cancelled);
    assert!(!format!("{cached:?}").contains("token 1"));
}

proptest! {
    /// Callers come, wait as long as they like, and go: never are there two requests at a time.
    #[test]
    fn pr_24_never_two_at_a_time(callers in proptest::collection::vec((0..60_u32, 1..30_u32), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let peak = runtime.block_on(async {
            let world = std::sync::Arc::new(World::new());
            world.source.gives(15 * SECOND);
            let mut tasks = tokio::task::JoinSet::new();
            for (comes, patience) in callers {
                let world = world.clone();
                tasks.spawn(async move {
                    world.host.sleep(comes * SECOND).await;
                    let platform = world.host.platform();
                    if let Some(answer) = platform.within(patience * SECOND, world.get()).await {
                        assert!(answer.unwrap().expires_on() > platform.clock.now(), "PR-20");
                    }
                });
            }
            while let Some(ended) = tasks.join_next().await {
                ended.unwrap();
            }
            world.source.in_flight().1
        });
        prop_assert!(peak <= 1);
    }
}
