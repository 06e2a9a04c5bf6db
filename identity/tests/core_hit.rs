//! The hit: what is handed out without a lock is what would be handed out with it (PR-20 to PR-29).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use core_support::{HOUR, Host, MINUTE, SECOND, Source};
use credsim_identity::{
    Cached, TokenCredential, TokenCredentialExt, TokenRef, TokenRequest,
    cache::{CacheKey, TokenCache},
};
use jiff::SignedDuration;

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

    fn hit(&self, request: &TokenRequest) -> Option<String> {
        let hit = self.cache.hit(request, |r| Some(CacheKey::of(r)));
        hit.map(|token| token.secret().to_owned())
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<String> {
        let hit = self.cache.hit_scopes(scopes, |r| Some(CacheKey::of(r)));
        hit.map(|token| token.secret().to_owned())
    }

    /// Through the cache's lock, even if there is a hit.
    async fn get(&self, request: &TokenRequest) -> String {
        let key = CacheKey::of(request);
        let token = self.cache.get(key, request, || self.source.fetch()).await;
        token.unwrap().secret().to_owned()
    }

    async fn settle(&self) {
        self.host.sleep(SECOND / 1000).await;
    }
}

fn request() -> TokenRequest {
    TokenRequest::new(["scope"])
}

fn first() -> Option<String> {
    Some("token 1".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_hit_is_there_after_the_first_answer_for_prepared_and_for_new_requests() {
    let world = World::new();
    let prepared = request();
    assert_eq!(world.hit(&prepared), None);
    assert_eq!(world.hit_scopes(&["scope"]), None);
    world.get(&prepared).await;
    for _ in 0..2 {
        assert_eq!(world.hit(&prepared), first());
        assert_eq!(world.hit(&request()), first());
        assert_eq!(world.hit_scopes(&["scope"]), first());
    }
    assert_eq!(world.source.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn pr_26_every_difference_is_another_hit() {
    let world = World::new();
    let prepared = request();
    world.get(&prepared).await;
    assert_eq!(world.hit(&prepared), first());
    for other in [
        prepared.clone().with_tenant("t"),
        prepared.clone().with_claims("{}"),
        prepared.clone().with_cae(true),
        TokenRequest::new(["Scope"]),
        TokenRequest::new(["scope", "more"]),
        TokenRequest::new([""]),
        prepared.clone().with_force_refresh(true),
    ] {
        assert_eq!(world.hit(&other), None, "{other:?}");
    }
    for other in [&["Scope"][..], &["scope", "more"], &[]] {
        assert_eq!(world.hit_scopes(other), None, "{other:?}");
    }
    // What changes no key keeps what it has learned.
    assert_eq!(
        world.hit(&prepared.clone().with_min_remaining(SECOND)),
        first()
    );
}

#[tokio::test(start_paused = true)]
async fn pr_26_scopes_are_a_set_in_every_spelling() {
    let world = World::new();
    world.get(&TokenRequest::new(["a", "b"])).await;
    assert_eq!(world.hit(&TokenRequest::new(["b", "a", "b"])), first());
    assert_eq!(world.hit_scopes(&["b", "a"]), first());
    assert_eq!(world.hit_scopes(&["a", "b"]), first());
}

#[tokio::test(start_paused = true)]
async fn one_request_prepared_for_two_caches_is_answered_by_each() {
    let (one, other) = (World::new(), World::new());
    other.source.gives(2 * HOUR);
    let prepared = request();
    one.get(&prepared).await;
    assert_eq!(one.hit(&prepared), first());
    assert_eq!(other.hit(&prepared), None, "not the token of another cache");
    other.source.fetch().await.unwrap();
    assert_eq!(other.get(&prepared).await, "token 2");
    for _ in 0..2 {
        assert_eq!(other.hit(&prepared).as_deref(), Some("token 2"));
        assert_eq!(one.hit(&prepared), first());
    }
}

#[tokio::test(start_paused = true)]
async fn pr_22_due_is_no_hit_until_a_refresh_is_under_way() {
    let world = World::new();
    let prepared = request();
    world.get(&prepared).await;
    world.host.sleep(55 * MINUTE - SECOND).await;
    assert_eq!(world.hit(&prepared), first());
    world.source.takes(10 * MINUTE);
    world.host.sleep(SECOND).await;
    assert_eq!(world.hit(&prepared), None, "a caller has to start it");
    world.get(&prepared).await;
    world.settle().await;
    assert_eq!(world.source.in_flight().0, 1);
    assert_eq!(world.hit(&prepared), first(), "it is under way");
    let more = prepared.clone().with_min_remaining(10 * MINUTE);
    assert_eq!(world.hit(&more), None, "who wants more has to wait for it");
    world.host.sleep(2 * SECOND).await;
    assert_eq!(world.hit(&prepared), None, "a caller has to trigger it");
    world.get(&prepared).await;
    assert_eq!(world.hit(&prepared), first());
    assert_eq!(world.source.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pr_22_a_new_token_is_the_hit_at_once() {
    let world = World::new();
    let prepared = request();
    world.get(&prepared).await;
    assert_eq!(world.hit(&prepared), first());
    world.host.sleep(55 * MINUTE).await;
    world.get(&prepared).await;
    world.settle().await;
    assert_eq!(world.hit(&prepared).as_deref(), Some("token 2"));
    assert_eq!(world.hit_scopes(&["scope"]).as_deref(), Some("token 2"));
}

#[tokio::test(start_paused = true)]
async fn pr_23_after_a_failed_refresh_the_valid_token_is_a_hit() {
    let world = World::new();
    let prepared = request();
    world.get(&prepared).await;
    world.source.fails();
    world.host.sleep(55 * MINUTE).await;
    world.get(&prepared).await;
    world.settle().await;
    assert_eq!(world.hit(&prepared), first());
    world.host.sleep(29 * SECOND).await;
    assert_eq!(world.hit(&prepared), first());
    world.host.sleep(SECOND).await;
    assert_eq!(world.hit(&prepared), None, "it is time to try again");
}

#[tokio::test(start_paused = true)]
async fn pr_20_no_hit_is_stretched_by_either_clock() {
    let cases: [(&str, i64, u64); 3] = [
        ("the wall clock was set forward", 3600, 0),
        ("the wall clock was set back", -7200, 3600),
        ("the host slept", 0, 0),
    ];
    for (what, step, sleep) in cases {
        let world = World::new();
        let prepared = request();
        world.get(&prepared).await;
        world.host.step(SignedDuration::from_secs(step));
        world
            .host
            .sleep(std::time::Duration::from_secs(sleep))
            .await;
        if step == 0 {
            world.host.suspend(HOUR).await;
        }
        assert_eq!(world.hit(&prepared), None, "{what}");
        assert_eq!(world.hit_scopes(&["scope"]), None, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn pr_29_nothing_is_a_hit_after_the_dispose_or_the_drop() {
    let world = World::new();
    let prepared = request();
    world.get(&prepared).await;
    assert_eq!(world.hit(&prepared), first());
    world.cache.dispose();
    assert_eq!(world.hit(&prepared), None);
    assert_eq!(world.hit_scopes(&["scope"]), None);
}

#[tokio::test(start_paused = true)]
async fn pr_29_what_is_hit_stays_and_what_was_forgotten_is_a_hit_when_it_is_back() {
    let mut world = World::new();
    world.cache = world.cache.capacity(2);
    let [a, b, c] = ["a", "b", "c"].map(|scope| TokenRequest::new([scope]));
    world.get(&a).await;
    world.get(&b).await;
    let (first, second) = (world.hit(&a), world.hit(&b));
    assert!(first.is_some() && second.is_some());
    world.get(&c).await;
    // Both were of use: the one whose token is older went, and the newest stays in any case.
    assert_eq!((world.hit(&a), world.hit(&b)), (None, second));
    assert!(world.hit(&c).is_some());
    world.get(&a).await;
    assert_eq!(world.source.count(), 4);
    let again = world.hit(&a);
    assert!(again.is_some() && again != first, "{again:?}");
    assert_eq!(world.hit(&a), again);
}

#[tokio::test(start_paused = true)]
async fn pr_29_a_hit_counts_as_a_use() {
    let mut world = World::new();
    world.cache = world.cache.capacity(2);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|scope| TokenRequest::new([scope]));
    for request in [&a, &b, &c] {
        world.get(request).await;
    }
    assert_eq!(world.hit(&a), None);
    assert!(world.hit(&b).is_some());
    world.get(&d).await;
    assert!(world.hit(&b).is_some(), "of use since the last one went");
    assert_eq!(world.hit(&c), None);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_keys_and_a_bound() {
    let mut world = World::new();
    world.cache = world.cache.capacity(1_000);
    let requests: Vec<_> = (0..10_000)
        .map(|n| TokenRequest::new([format!("scope-{n}")]))
        .collect();
    for request in &requests {
        world.get(request).await;
        world.hit(request);
    }
    let held = requests.iter().filter(|r| world.hit(r).is_some()).count();
    assert_eq!((held, world.source.count()), (1_000, 10_000));
    assert!(world.hit(&requests[9_999]).is_some());
}

/// Whether something behind a `dyn` lends as well as the thing itself.
#[tokio::test(start_paused = true)]
async fn a_credential_of_unknown_type_lends_what_its_cache_lends() {
    #[derive(Debug)]
    struct Foreign(Source);
    impl TokenCredential for Foreign {
        fn name(&self) -> &str {
            "Foreign"
        }
        fn get_token<'a>(
            &'a self,
            _: &'a TokenRequest,
        ) -> credsim_identity::platform::BoxFuture<
            'a,
            Result<credsim_identity::AccessToken, credsim_identity::Error>,
        > {
            self.0.fetch()
        }
    }

    let host = Host::new(0.0);
    let source = Source::new(&host);
    let uncached = Foreign(source.clone());
    let prepared = request();
    uncached.token(&prepared).await.unwrap();
    assert!(uncached.hit(&prepared).is_none(), "it has no cache");

    let cached = Cached::on(host.platform(), uncached);
    let shared: std::sync::Arc<dyn TokenCredential> = std::sync::Arc::new(cached.clone());
    let secret = |token: TokenRef| token.secret().to_owned();
    assert_eq!(secret(cached.token(&prepared).await.unwrap()), "token 2");
    for _ in 0..2 {
        assert_eq!(secret(cached.token(&prepared).await.unwrap()), "token 2");
        let fast_path = cached.fast_path().unwrap();
        assert_eq!(secret(fast_path.hit_scopes(&["scope"]).unwrap()), "token 2");
        assert_eq!(secret(shared.token(&prepared).await.unwrap()), "token 2");
        let fast_path = shared.fast_path().unwrap();
        assert_eq!(secret(fast_path.hit_scopes(&["scope"]).unwrap()), "token 2");
    }
    assert_eq!(source.count(), 2);
    let (lent, token) = (
        shared.token(&prepared).await.unwrap(),
        shared.get_token(&prepared).await.unwrap(),
    );
    assert_eq!(lent.expires_on(), token.expires_on());
    assert_eq!(lent.refresh_on(), token.refresh_on());
    assert!(lent.refresh_on().is_some());
    assert_eq!(lent.answered_by(), "Test");
    let debug = format!("{lent:?}");
    assert!(
        debug.contains("answered_by") && !debug.contains("token 2"),
        "{debug}"
    );
}
