//! A forced refresh of a chain: which member it asks, and which identity it may return (PR-03,
//! PR-04).

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AccessToken, Cached, ChainedTokenCredential, ErrorKind, FallbackPolicy, Outcome,
    TokenCredentialExt, TokenRequest,
};

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

const MINUTE: Duration = Duration::from_secs(60);

struct World {
    first: Arc<Puppet>,
    second: Arc<Puppet>,
    notes: Arc<Notes>,
    chain: ChainedTokenCredential,
}

impl World {
    /// The first member is not there; the second caches, and has answered.
    async fn new(policy: FallbackPolicy) -> Self {
        let (stub, notes) = (Stub::new(), Arc::<Notes>::default());
        let first = Puppet::new("First", Err(ErrorKind::Unavailable));
        let second = Puppet::new("Second", Ok("b"));
        let cached = |puppet: &Arc<Puppet>| Cached::on(stub.platform(), Shared(puppet.clone()));
        let chain = ChainedTokenCredential::builder()
            .platform(stub.platform())
            .observer(notes.clone())
            .fallback_policy(policy)
            .credential(cached(&first))
            .credential(cached(&second))
            .build()
            .unwrap();
        chain
            .token(&request())
            .await
            .map(AccessToken::from)
            .unwrap();
        notes.taken();
        Self {
            first,
            second,
            notes,
            chain,
        }
    }

    fn asked(&self) -> (u32, u32) {
        (self.first.asked(), self.second.asked())
    }
}

fn forced() -> TokenRequest {
    request().with_force_refresh(true)
}

fn oid(token: &credsim_identity::AccessToken) -> &str {
    &token.principal().unwrap().object_id
}

/// PR-03: while the token is valid, only the member that returned it is asked.
#[tokio::test(start_paused = true)]
async fn the_member_that_answered_last_is_asked() {
    let world = World::new(FallbackPolicy::Report).await;
    let old = world
        .chain
        .token(&request())
        .await
        .map(AccessToken::from)
        .unwrap();
    tokio::time::sleep(MINUTE).await;
    world.first.will(Ok("a"));
    let new = world
        .chain
        .token(&forced())
        .await
        .map(AccessToken::from)
        .unwrap();
    assert_eq!((oid(&new), world.asked()), ("b", (1, 2)));
    assert!(new.expires_on() > old.expires_on());
    assert_eq!(
        world
            .chain
            .token(&request())
            .await
            .map(AccessToken::from)
            .unwrap(),
        new
    );
    assert!(world.notes.taken().is_empty());
}

/// PR-03, PR-04: a passing failure of a source does not change the identity.
#[tokio::test(start_paused = true)]
async fn if_it_fails_no_other_member_is_asked_while_the_token_is_valid() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Failed] {
        let world = World::new(FallbackPolicy::Report).await;
        world.first.will(Ok("a"));
        world.second.will(Err(kind));
        let error = world
            .chain
            .token(&forced())
            .await
            .map(AccessToken::from)
            .unwrap_err();
        assert_eq!((error.kind(), world.asked()), (kind, (1, 2)));
        let tried = &error.chain().unwrap().tried;
        assert_eq!((tried.len(), tried[0].credential.as_str()), (1, "Second"));
        assert!(matches!(tried[0].outcome, Outcome::Stopped(_)));
        let token = world
            .chain
            .token(&request())
            .await
            .map(AccessToken::from)
            .unwrap();
        assert_eq!((oid(&token), world.asked()), ("b", (1, 2)));

        tokio::time::sleep(60 * MINUTE).await;
        let token = world
            .chain
            .token(&forced())
            .await
            .map(AccessToken::from)
            .unwrap();
        assert_eq!((oid(&token), world.asked()), ("a", (2, 2)), "from the top");
    }
}

/// PR-04: neither a token of another identity, nor the old one.
#[tokio::test(start_paused = true)]
async fn a_refused_change_is_an_error() {
    let world = World::new(FallbackPolicy::Refuse).await;
    world.second.will(Ok("c"));
    let error = world
        .chain
        .token(&forced())
        .await
        .map(AccessToken::from)
        .unwrap_err();
    assert!(error.message().contains("refused"), "{error}");
    let kept = world
        .chain
        .token(&request())
        .await
        .map(AccessToken::from)
        .unwrap();
    assert_eq!(oid(&kept), "b");
}

/// PR-04: a change that is not refused is reported.
#[tokio::test(start_paused = true)]
async fn a_change_is_reported() {
    let world = World::new(FallbackPolicy::Report).await;
    world.second.will(Ok("c"));
    let token = world
        .chain
        .token(&forced())
        .await
        .map(AccessToken::from)
        .unwrap();
    assert_eq!(oid(&token), "c");
    assert!(token.chain().unwrap().change.is_some());
    let told = world.notes.taken();
    assert!(told.iter().any(|note| note.contains("changed")), "{told:?}");
}

/// PR-03: a better source that has come back is noticed here, too.
#[tokio::test(start_paused = true)]
async fn it_looks_upward() {
    let world = World::new(FallbackPolicy::Report).await;
    world.first.will(Ok("a"));
    world.first.takes(MINUTE / 120);
    tokio::time::sleep(56 * MINUTE).await;
    world
        .chain
        .token(&forced())
        .await
        .map(AccessToken::from)
        .unwrap();
    tokio::time::sleep(5 * MINUTE).await;
    world
        .chain
        .token(&forced())
        .await
        .map(AccessToken::from)
        .unwrap();
    tokio::time::sleep(MINUTE / 60).await;
    assert_eq!(world.asked(), (2, 3));
    let token = world
        .chain
        .token(&request())
        .await
        .map(AccessToken::from)
        .unwrap();
    assert_eq!(oid(&token), "a");
}

/// PR-27: a chain of members without a cache has no token to refresh, and walks as for any request.
#[tokio::test(start_paused = true)]
async fn without_caches_it_walks() {
    let stub = Stub::new();
    let first = Puppet::new("First", Err(ErrorKind::Unavailable));
    let second = Puppet::new("Second", Ok("b"));
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .shared(first.clone())
        .shared(second.clone())
        .build()
        .unwrap();
    chain
        .token(&request())
        .await
        .map(AccessToken::from)
        .unwrap();
    first.will(Ok("a"));
    let token = chain.token(&forced()).await.map(AccessToken::from).unwrap();
    assert_eq!(oid(&token), "a");
}
