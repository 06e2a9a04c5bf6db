//! The hit of a chain: that of the last answerer, unless the chain has to compare or report (PR-03,
//! PR-04).

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    Cached, ChainedTokenCredential, ErrorKind, FallbackPolicy, TokenCredential, TokenCredentialExt,
    TokenRequest,
};

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

const MINUTE: Duration = Duration::from_secs(60);

struct World {
    notes: Arc<Notes>,
    first: Arc<Puppet>,
    second: Arc<Puppet>,
    chain: ChainedTokenCredential,
}

impl World {
    /// After the answer of the second member, since the first is not there.
    async fn new(policy: FallbackPolicy) -> Self {
        let stub = Stub::new();
        let notes: Arc<Notes> = Arc::default();
        let first = Puppet::new("First", Err(ErrorKind::Unavailable));
        let second = Puppet::new("Second", Ok("b"));
        let cached = |puppet: &Arc<Puppet>| Cached::on(stub.platform(), Shared(puppet.clone()));
        let chain = ChainedTokenCredential::builder()
            .platform(stub.platform())
            .observer(notes.clone())
            .credential(cached(&first))
            .credential(cached(&second))
            .fallback_policy(policy)
            .build()
            .unwrap();
        let world = Self {
            notes,
            first,
            second,
            chain,
        };
        assert!(world.chain.hit(&request()).is_none());
        world.chain.get_token(&request()).await.unwrap();
        world
    }

    /// Asks as callers do, until it is a hit.
    async fn settle(&self, request: &TokenRequest) {
        self.chain.get_token(request).await.unwrap();
        assert!(self.chain.hit(request).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hit_equals_the_answer_of_the_chain() {
    let world = World::new(FallbackPolicy::Report).await;
    let prepared = request();
    world.settle(&prepared).await;
    let scopes: Vec<&str> = prepared.scopes().iter().map(String::as_str).collect();
    let asked = world.chain.get_token(&prepared).await.unwrap();
    for hit in [
        world.chain.hit(&prepared).unwrap(),
        world.chain.hit(&request()).unwrap(),
        world
            .chain
            .fast_path()
            .unwrap()
            .hit_scopes(&scopes)
            .unwrap(),
    ] {
        assert_eq!(hit.answered_by(), "Second");
        assert_eq!(hit.principal().unwrap().object_id, "b");
        let record = hit.chain().unwrap();
        assert_eq!(record.chain, "ChainedTokenCredential");
        assert_eq!(record.tried.len(), 1);
        assert_eq!(record.tried[0].credential, "Second");
        let token = hit.into_token();
        assert_eq!(token, asked);
        assert!(token.chain().is_some());
    }
    assert_eq!((world.first.asked(), world.second.asked()), (1, 1));
    for other in [
        prepared.clone().with_claims("{}"),
        prepared.clone().with_force_refresh(true),
        prepared.clone().with_tenant("t2"),
    ] {
        assert!(world.chain.hit(&other).is_none(), "{other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pr_04_a_token_of_another_identity_is_no_hit_before_it_is_reported() {
    for policy in [FallbackPolicy::Report, FallbackPolicy::Refuse] {
        let world = World::new(policy).await;
        let prepared = request();
        world.settle(&prepared).await;
        world.notes.taken();
        // The answerer refreshes its token in the background, and the new one has another identity.
        world.second.will(Ok("c"));
        tokio::time::sleep(56 * MINUTE).await;
        world.chain.get_token(&prepared).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(world.second.asked(), 2);
        assert!(world.notes.taken().is_empty());
        assert!(world.chain.hit(&prepared).is_none(), "{policy:?}");

        let token = world.chain.get_token(&prepared).await.unwrap();
        let notes = world.notes.taken();
        assert_eq!(notes.len(), 1, "{notes:?}");
        let principal = token.principal().unwrap().object_id.clone();
        let hit = world.chain.hit(&prepared);
        match policy {
            FallbackPolicy::Report => assert_eq!(principal, "c"),
            _ => {
                assert_eq!(principal, "b");
                assert!(hit.is_none(), "each call has to look at what was kept");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pr_03_no_hit_when_it_is_time_to_look_upward() {
    let world = World::new(FallbackPolicy::Report).await;
    let prepared = request();
    world.settle(&prepared).await;
    // Refreshed in time by any call.
    tokio::time::sleep(56 * MINUTE).await;
    world.chain.get_token(&prepared).await.unwrap();
    tokio::time::sleep(MINUTE).await;
    world.settle(&prepared).await;
    tokio::time::sleep(2 * MINUTE).await;
    assert!(world.chain.hit(&prepared).is_some());
    assert_eq!(world.first.asked(), 1);
    world.first.takes(10 * MINUTE);
    tokio::time::sleep(2 * MINUTE).await;
    assert!(world.chain.hit(&prepared).is_none(), "its life is over");
    world.chain.get_token(&prepared).await.unwrap();
    assert!(world.chain.hit(&prepared).is_some(), "it is being looked");
    tokio::time::sleep(2 * MINUTE).await;
    assert!(
        world.chain.hit(&prepared).is_none(),
        "a caller has to trigger it"
    );
    assert_eq!(world.first.under_way(), 1);
}

#[tokio::test(start_paused = true)]
async fn pr_29_no_hit_after_a_dispose_of_the_chain_or_of_its_member() {
    let world = World::new(FallbackPolicy::Report).await;
    let prepared = request();
    world.settle(&prepared).await;
    world.chain.dispose();
    assert!(world.chain.hit(&prepared).is_none());

    let stub = Stub::new();
    let shared: Arc<dyn TokenCredential> = Arc::new(Cached::on(
        stub.platform(),
        Shared(Puppet::new("Shared", Ok("b"))),
    ));
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .shared(shared.clone())
        .build()
        .unwrap();
    for _ in 0..2 {
        chain.get_token(&prepared).await.unwrap();
    }
    assert!(chain.hit(&prepared).is_some());
    shared.dispose();
    assert!(chain.hit(&prepared).is_none());
}

/// A member that caches nothing has nothing to lend.
#[tokio::test(start_paused = true)]
async fn pr_27_what_its_member_does_not_cache_is_no_hit() {
    let stub = Stub::new();
    let puppet = Puppet::new("Bare", Ok("b"));
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(Shared(puppet.clone()))
        .build()
        .unwrap();
    for _ in 0..3 {
        chain.token(&request()).await.unwrap();
        assert!(chain.hit(&request()).is_none());
    }
    assert_eq!(puppet.asked(), 3);
}

/// A new scope makes the chain walk, and the hits of the other scopes stay.
#[tokio::test(start_paused = true)]
async fn a_new_scope_costs_a_prepared_request_nothing() {
    let world = World::new(FallbackPolicy::Report).await;
    let prepared = request();
    world.settle(&prepared).await;
    let other = TokenRequest::new(["https://other.contoso.example/.default"]);
    world.chain.get_token(&other).await.unwrap();
    assert!(world.chain.hit(&prepared).is_some());
    world.settle(&other).await;
    assert!(world.chain.hit(&prepared).is_some());
}

/// PR-29: its member is not the chain's to dispose of, and goes on.
#[tokio::test(start_paused = true)]
async fn a_disposed_chain_lends_nothing_of_a_shared_member() {
    let stub = Stub::new();
    let puppet = Puppet::new("Shared", Ok("b"));
    let shared: Arc<dyn TokenCredential> =
        Arc::new(Cached::on(stub.platform(), Shared(puppet.clone())));
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .shared(shared.clone())
        .build()
        .unwrap();
    let prepared = request();
    for _ in 0..2 {
        chain.get_token(&prepared).await.unwrap();
    }
    assert!(chain.hit(&prepared).is_some());
    chain.dispose();
    assert!(shared.hit(&prepared).is_some(), "others still use it");
    assert!(chain.hit(&prepared).is_none());
}

/// PR-03: from the moment in which the better source has answered.
#[tokio::test(start_paused = true)]
async fn the_answerer_before_is_no_hit_any_more() {
    let world = World::new(FallbackPolicy::Report).await;
    let prepared = request();
    world.settle(&prepared).await;
    tokio::time::sleep(56 * MINUTE).await;
    world.chain.get_token(&prepared).await.unwrap();
    tokio::time::sleep(5 * MINUTE).await;
    world.first.will(Ok("a"));
    // Starts the background walk; until it ends, the answerer stays.
    world.settle(&prepared).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.first.asked(), 2);
    assert!(world.chain.hit(&prepared).is_none());
    let token = world.chain.get_token(&prepared).await.unwrap();
    assert_eq!(token.answered_by(), "First");
}
