//! What a cache hands out, and when it asks for more (PR-12, PR-20 to PR-26).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use std::sync::{Arc, Mutex};

use core_support::{HOUR, Host, MINUTE, SECOND, Source, jwt_with};
use credsim_identity::{
    AccessToken, Error, ErrorKind, IdentityChange, Observer, TokenRequest,
    cache::{CacheKey, SingleFlight, TokenCache},
};
use jiff::SignedDuration;

struct World {
    host: Host,
    source: Source,
    cache: TokenCache,
}

impl World {
    /// Draws are 0: refreshes come as late, and pauses are as short, as they may be.
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

    async fn ask(&self, request: &TokenRequest) -> Result<AccessToken, Error> {
        match self.cache.hit(request, |r| Some(CacheKey::of(r))) {
            Some(hit) => Ok(hit.into_token()),
            None => {
                let key = CacheKey::of(request);
                self.cache.get(key, request, || self.source.fetch()).await
            }
        }
    }

    async fn get(&self) -> Result<AccessToken, Error> {
        self.ask(&request()).await
    }

    /// Lets background work run.
    async fn settle(&self) {
        self.host.sleep(SECOND / 1000).await;
    }

    async fn sleep_until(&self, seconds: u64) {
        self.host
            .sleep(u32::try_from(seconds).unwrap() * SECOND - self.host.elapsed())
            .await;
    }
}

fn request() -> TokenRequest {
    TokenRequest::new(["scope"])
}

fn secrets(answers: &[Result<AccessToken, Error>]) -> Vec<&str> {
    answers
        .iter()
        .map(|answer| answer.as_ref().map_or("error", AccessToken::secret))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn debug_of_a_cache_shows_its_keys_and_no_token() {
    let world = World::new();
    world.get().await.unwrap();
    let flights = SingleFlight::new(&world.host.platform(), "Other");
    let debug = format!("{:?} {flights:?}", world.cache);
    assert!(debug.contains("Test") && debug.contains("Other"), "{debug}");
    assert!(!debug.contains("token 1"), "{debug}");
}

#[tokio::test(start_paused = true)]
async fn pr_20_a_token_is_not_stretched_by_a_clock_that_is_set_back() {
    let world = World::new();
    world.get().await.unwrap();
    world.host.sleep(50 * MINUTE).await;
    world.host.step(SignedDuration::from_hours(-5));
    assert!(world.cache.cached(&CacheKey::of(&request())).is_some());
    world.host.sleep(10 * MINUTE).await;
    assert!(world.cache.cached(&CacheKey::of(&request())).is_none());
    assert_eq!(world.get().await.unwrap().secret(), "token 2");
}

#[tokio::test(start_paused = true)]
async fn pr_20_a_token_is_not_stretched_by_a_host_that_sleeps() {
    let world = World::new();
    world.get().await.unwrap();
    world.host.suspend(2 * HOUR).await;
    assert!(world.cache.cached(&CacheKey::of(&request())).is_none());
    assert_eq!(world.get().await.unwrap().secret(), "token 2");
}

#[tokio::test(start_paused = true)]
async fn pr_20_a_token_that_has_ended_is_an_error_and_not_a_loop() {
    let world = World::new();
    let old = world.get().await.unwrap();
    world.source.gives_again(&old);
    world.host.sleep(HOUR).await;
    let error = world.get().await.unwrap_err();
    assert_eq!((error.kind(), world.source.count()), (ErrorKind::Failed, 2));
    assert!(error.message().contains("already expired"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn pr_22_a_refresh_is_in_the_background() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.takes(10 * SECOND);
    world.sleep_until(55 * 60 - 1).await;
    world.get().await.unwrap();
    world.settle().await;
    assert_eq!(
        world.source.count(),
        1,
        "PR-21: five minutes before the end, and not earlier"
    );

    world.sleep_until(55 * 60).await;
    let asked_at = world.host.elapsed();
    let answers = [world.get().await, world.get().await];
    assert_eq!(secrets(&answers), ["token 1", "token 1"]);
    assert_eq!(world.host.elapsed(), asked_at, "no caller waited");
    world.host.sleep(11 * SECOND).await;
    assert_eq!(world.get().await.unwrap().secret(), "token 2");
    assert_eq!(world.source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pr_22_a_caller_that_wants_more_life_waits() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.takes(10 * SECOND);
    world.sleep_until(40 * 60).await;
    let more = request().with_min_remaining(30 * MINUTE);
    let answers: [_; 2] = tokio::join!(world.ask(&more), world.get()).into();
    assert_eq!(
        secrets(&answers),
        ["token 2", "token 1"],
        "who does not want more does not wait"
    );
    assert_eq!(world.source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pr_22_the_valid_token_is_good_enough_when_the_refresh_fails() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.fails().takes(5 * SECOND);
    world.sleep_until(3600 - 25).await;
    assert_eq!(world.get().await.unwrap().secret(), "token 1");
    assert_eq!(world.host.elapsed(), HOUR - 20 * SECOND);
    assert_eq!(
        world.get().await.unwrap().secret(),
        "token 1",
        "PR-23: at once, for 30 s"
    );
    assert_eq!(world.source.count(), 2);
    world.sleep_until(3600).await;
    assert_eq!(world.get().await.unwrap_err().kind(), ErrorKind::Failed);
    assert_eq!(world.source.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn pr_22_no_wait_costs_the_valid_token() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.takes(MINUTE);
    world.sleep_until(3600 - 25).await;
    assert_eq!(world.get().await.unwrap().secret(), "token 1");
    assert_eq!(
        world.host.elapsed(),
        HOUR - 5 * SECOND,
        "just before it ends"
    );
    assert_eq!(world.source.in_flight().0, 1, "the refresh goes on");
    world.sleep_until(3600).await;
    assert_eq!(world.get().await.unwrap().secret(), "token 2");
    assert_eq!(world.source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pr_23_a_failed_refresh_is_tried_again_every_thirty_seconds() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.fails();
    for second in 55 * 60..3600 {
        world.sleep_until(second).await;
        assert_eq!(world.get().await.unwrap().secret(), "token 1");
    }
    let gaps: Vec<_> = world
        .source
        .asked()
        .windows(2)
        .map(|w| w[1] - w[0])
        .collect();
    assert!(
        gaps[1..]
            .iter()
            .all(|gap| (30 * SECOND..37 * SECOND).contains(gap)),
        "{gaps:?}"
    );
    assert!(gaps.len() >= 9, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn pr_23_without_callers_nothing_is_retried() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.fails();
    world.sleep_until(56 * 60).await;
    world.get().await.unwrap();
    world.sleep_until(60 * 60).await;
    assert_eq!(world.source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pr_25_the_same_token_again_never_becomes_a_loop() {
    let world = World::new();
    world.source.gives(24 * HOUR);
    let token = world.get().await.unwrap();
    let token = token.with_refresh_on(Some(world.host.platform().clock.now()));
    world.source.gives_again(&token);
    for minute in 1..24 * 60 {
        world.sleep_until(minute * 60).await;
        assert_eq!(world.get().await.unwrap().secret(), "token 1");
    }
    let hours: Vec<_> = world
        .source
        .asked()
        .iter()
        .map(|at| at.as_secs() / 60)
        .collect();
    assert_eq!(hours[..4], [0, 12 * 60, 18 * 60, 21 * 60]);
    assert!(hours.len() <= 9, "{hours:?}");
    for second in 24 * 3600 - 59..24 * 3600 {
        world.sleep_until(second).await;
        world.get().await.unwrap();
    }
    assert!(world.source.count() <= 11, "{:?}", world.source.asked());
}

#[tokio::test(start_paused = true)]
async fn pr_25_tokens_that_live_shorter_than_wanted_are_no_loop() {
    let world = World::new();
    world.source.gives(20 * SECOND);
    for second in 0..60 {
        world.sleep_until(second).await;
        world.get().await.unwrap();
    }
    assert!(world.source.count() <= 7, "{:?}", world.source.asked());
}

#[tokio::test(start_paused = true)]
async fn pr_12_nothing_is_sent_before_the_service_wants_it() {
    let world = World::new();
    let now = || world.host.platform().clock.now();
    let busy = |seconds: i64| {
        Error::new(ErrorKind::Failed, "Test", "busy")
            .with_retry_at(now() + SignedDuration::from_secs(seconds))
    };
    world.source.fails_with(busy(100));
    world.get().await.unwrap_err();
    world.host.step(SignedDuration::from_hours(1));
    let challenge = request().with_claims("{}");
    for second in [0, 50, 99] {
        world.sleep_until(second).await;
        assert_eq!(world.get().await.unwrap_err().message(), "busy");
        assert_eq!(
            world.ask(&challenge).await.unwrap_err().message(),
            "busy",
            "with claims"
        );
    }
    assert_eq!(world.source.count(), 1);
    world.source.gives(HOUR);
    assert!(
        world.ask(&TokenRequest::new(["other"])).await.is_ok(),
        "another key is free"
    );
    world.sleep_until(100).await;
    world.get().await.unwrap();

    world.source.fails_with(busy(200 + 55 * 60));
    world.sleep_until(100 + 55 * 60).await;
    for second in [100, 200, 299] {
        world.sleep_until(second + 55 * 60).await;
        assert_eq!(
            world.get().await.unwrap().secret(),
            "token 3",
            "the valid token"
        );
        world.settle().await;
    }
    assert_eq!(world.source.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn pr_26_claims_bypass_the_cache_once() {
    let world = World::new();
    let challenge = request().with_claims(r#"{"access_token":{"nbf":{"value":"1"}}}"#);
    world.get().await.unwrap();
    let answers = [
        world.ask(&challenge).await,
        world.get().await,
        world.ask(&challenge).await,
    ];
    assert_eq!(
        secrets(&answers),
        ["token 2"; 3],
        "the new token is everybody's"
    );
    assert_eq!(world.source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pr_26_what_claims_brought_is_not_overwritten_by_an_older_request() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.takes(10 * SECOND);
    world.sleep_until(55 * 60).await;
    world.get().await.unwrap();
    world.settle().await;
    world.source.takes(SECOND);
    let answer = world.ask(&request().with_claims("{}")).await;
    assert_eq!(secrets(&[answer]), ["token 3"]);
    world.host.sleep(MINUTE).await;
    assert_eq!(
        world.get().await.unwrap().secret(),
        "token 3",
        "not token 2, begun before"
    );
}

#[derive(Default)]
struct Changes(Mutex<Vec<String>>);

impl Observer for Changes {
    fn identity_changed(&self, change: &IdentityChange) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{} -> {}", change.from, change.to));
    }
}

#[tokio::test(start_paused = true)]
#[tracing_test::traced_test]
async fn pr_04_a_change_of_principal_is_reported_once() {
    let mut world = World::new();
    let changes = Arc::new(Changes::default());
    world.cache = world.cache.observer(Some(changes.clone()));
    for (hour, principal) in [(0, "alice"), (1, "alice"), (2, "bob"), (3, "bob")] {
        world.sleep_until(hour * 3600).await;
        world.source.gives_as(principal);
        world.get().await.unwrap();
    }
    assert_eq!(*changes.0.lock().unwrap(), ["Test as alice -> Test as bob"]);
    assert!(logs_contain("identity changed"));
}

/// The resource chooses the version of the token format: `appid` and `upn` in the first, `azp` and
/// `preferred_username` in the second.
#[tokio::test(start_paused = true)]
async fn pr_04_another_token_format_is_no_change_of_principal() {
    let mut world = World::new();
    let changes = Arc::new(Changes::default());
    world.cache = world.cache.observer(Some(changes.clone()));
    for (hour, names) in [
        (0, r#""appid":"app","upn":"alice@contoso.example""#),
        (1, r#""azp":"app","preferred_username":"Alice""#),
        (2, r#""appid":"app""#),
    ] {
        world.sleep_until(hour * 3600).await;
        let secret = jwt_with(&format!(r#"{{"oid":"alice","tid":"t",{names}}}"#));
        let ends = world.host.platform().clock.now() + SignedDuration::from_mins(60);
        let token = AccessToken::new(secret, ends, "Test");
        world.source.gives_again(&token);
        assert_eq!(world.get().await.unwrap(), token);
    }
    assert_eq!(*changes.0.lock().unwrap(), [""; 0]);
}

#[tokio::test(start_paused = true)]
#[tracing_test::traced_test]
async fn pr_23_a_failed_refresh_is_logged_without_the_token() {
    let world = World::new();
    world.get().await.unwrap();
    world.source.fails();
    world.sleep_until(56 * 60).await;
    world.get().await.unwrap();
    world.settle().await;
    assert!(logs_contain("the refresh failed; the token stays valid"));
    assert!(!logs_contain("token 1"));
}

#[tokio::test(start_paused = true)]
async fn pr_29_memory_is_bounded_by_the_longest_unused() {
    let mut world = World::new();
    world.cache = world.cache.capacity(2);
    let [a, b, c] = ["a", "b", "c"].map(|scope| TokenRequest::new([scope]));
    for request in [&a, &b, &a, &c] {
        world.ask(request).await.unwrap();
    }
    let cached = [&a, &b, &c].map(|r| world.cache.cached(&CacheKey::of(r)).is_some());
    assert_eq!(cached, [true, false, true]);
}
