//! Which of two answers a cache keeps (PR-12, PR-20, PR-23).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use core_support::{HOUR, Host, MINUTE, SECOND, Source, jwt_with};
use credsim_identity::{
    AccessToken, Error, ErrorKind, TokenRequest,
    cache::{CacheKey, TokenCache},
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

    /// The secret that a caller gets now.
    async fn get(&self) -> String {
        self.ask(&request()).await.unwrap().secret().to_owned()
    }

    /// Asks when a refresh is due, and lets it end.
    async fn refresh(&self) {
        self.get().await;
        self.host.sleep(SECOND / 1000).await;
    }
}

fn request() -> TokenRequest {
    TokenRequest::new(["scope"])
}

#[tokio::test(start_paused = true)]
async fn pr_20_the_same_token_again_does_not_live_anew() {
    for refreshes in [true, false] {
        let world = World::new();
        let token = world.ask(&request()).await.unwrap();
        world.source.gives_again(&token);
        world.host.step(SignedDuration::from_hours(-1));
        world.host.sleep(56 * MINUTE).await;
        if refreshes {
            world.refresh().await;
            assert_eq!(world.source.count(), 2);
        }
        assert_eq!(world.get().await, "token 1");
        world.host.sleep(4 * MINUTE).await;
        assert_eq!(world.cache.cached(&CacheKey::of(&request())), None);
        let error = world.ask(&request()).await.unwrap_err();
        assert!(error.message().contains("already expired"), "{error}");
        world.source.gives(HOUR);
        assert_eq!(world.get().await, format!("token {}", world.source.count()));
    }
}

#[tokio::test(start_paused = true)]
async fn pr_23_a_refresh_that_brings_less_costs_no_valid_token() {
    let world = World::new();
    world.get().await;
    world.source.gives(5 * SECOND);
    world.host.sleep(56 * MINUTE).await;
    world.refresh().await;
    for _ in 0..29 {
        assert_eq!(
            (world.get().await, world.source.count()),
            ("token 1".to_owned(), 2)
        );
        world.host.sleep(SECOND).await;
    }
    world.source.gives(HOUR);
    world.host.sleep(SECOND).await;
    world.refresh().await;
    assert_eq!(world.get().await, "token 3", "after the pause");
}

/// A token of the same person in another format is no other identity: see `Principal`.
#[tokio::test(start_paused = true)]
async fn pr_23_a_shorter_token_in_another_format_costs_no_valid_token() {
    let world = World::new();
    let token = |names: &str, life| {
        let secret = jwt_with(&format!(r#"{{"oid":"alice","tid":"t",{names}}}"#));
        let life = SignedDuration::try_from(life).unwrap();
        AccessToken::new(secret, world.host.platform().clock.now() + life, "Test")
    };
    let long = token(r#""appid":"app","upn":"alice@contoso.example""#, HOUR);
    world.source.gives_again(&long);
    world.get().await;
    world.host.sleep(56 * MINUTE).await;
    let short = token(r#""azp":"app","preferred_username":"Alice""#, MINUTE);
    world.source.gives_again(&short);
    world.refresh().await;
    assert_eq!(
        (world.get().await.as_str(), world.source.count()),
        (long.secret(), 2)
    );
}

#[tokio::test(start_paused = true)]
async fn pr_26_what_claims_bring_is_kept_however_short() {
    let world = World::new();
    world.get().await;
    world.source.gives(MINUTE);
    world.ask(&request().with_claims("{}")).await.unwrap();
    assert_eq!(world.get().await, "token 2");
}

#[tokio::test(start_paused = true)]
async fn pr_04_the_new_identity_is_kept_however_short() {
    let world = World::new();
    world.get().await;
    world.host.sleep(56 * MINUTE).await;
    let ends = world.host.platform().clock.now() + SignedDuration::from_mins(1);
    let other = AccessToken::new("other".to_owned(), ends, "Other");
    world.source.gives_again(&other);
    world.refresh().await;
    assert_eq!(world.get().await, "other");
}

#[tokio::test(start_paused = true)]
async fn pr_12_of_two_refusals_the_longer_counts() {
    let world = World::new();
    let busy = |seconds| {
        let until = world.host.platform().clock.now() + SignedDuration::from_secs(seconds);
        Error::new(ErrorKind::Failed, "Test", "busy").with_retry_at(until)
    };
    world.source.fails_with(busy(10)).takes(2 * SECOND);
    let challenge = request().with_claims("{}");
    let (first, second) = tokio::join!(world.ask(&challenge), async {
        world.host.sleep(SECOND / 2).await;
        world.source.fails_with(busy(100)).takes(SECOND);
        world.ask(&request()).await
    });
    assert!(first.is_err() && second.is_err());
    world.host.sleep(50 * SECOND).await;
    for request in [request(), challenge] {
        assert_eq!(world.ask(&request).await.unwrap_err().message(), "busy");
    }
    assert_eq!(world.source.count(), 2);
}

/// A world whose only token has ended, because the wall clock was set forward.
async fn ended() -> World {
    let world = World::new();
    world.get().await;
    world.host.sleep(MINUTE).await;
    world.host.step(SignedDuration::from_hours(2));
    world
}

#[tokio::test(start_paused = true)]
async fn pr_23_a_token_that_is_valid_again_answers_in_spite_of_an_error() {
    let world = ended().await;
    world.source.fails().takes(2 * SECOND);
    let asked = request();
    let (answer, ()) = tokio::join!(world.ask(&asked), async {
        world.host.sleep(SECOND).await;
        world.host.step(SignedDuration::from_hours(-2));
    });
    assert_eq!(answer.unwrap().secret(), "token 1");
    assert_eq!(world.source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pr_23_a_request_that_became_a_refresh_is_given_up_like_one() {
    let world = ended().await;
    world.source.takes(1000 * HOUR);
    let (asked, more) = (request(), request().with_min_remaining(2 * HOUR));
    let platform = world.host.platform();
    tokio::join!(platform.within(2 * SECOND, world.ask(&asked)), async {
        world.host.sleep(SECOND).await;
        world.host.step(SignedDuration::from_hours(-2));
        platform.within(2 * SECOND, world.ask(&more)).await;
    });
    world.host.sleep(SECOND).await;
    assert_eq!(world.source.in_flight().0, 1, "for the sake of others");
    world.host.sleep(31 * MINUTE).await;
    assert_eq!(world.source.in_flight().0, 0);
}
