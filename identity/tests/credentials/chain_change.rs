//! What is a change of identity, and what is none (PR-03, PR-04); and what is the chain's own
//! (PR-29).

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AccessToken, Cached, ChainedTokenCredential, ErrorKind, FallbackPolicy, TokenCredential,
    TokenCredentialExt, TokenRequest, chain::ChainedTokenCredentialBuilder,
};

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

const SECOND: Duration = Duration::from_secs(1);

fn chain(stub: &Arc<Stub>, notes: &Arc<Notes>) -> ChainedTokenCredentialBuilder {
    ChainedTokenCredential::builder()
        .platform(stub.platform())
        .observer(notes.clone())
}

/// A person has another object id in each tenant: no change.
#[tokio::test(start_paused = true)]
async fn tenants_are_compared_each_with_itself() {
    let (stub, notes) = (Stub::new(), Arc::default());
    let only = Puppet::new("Only", Ok("a"));
    let chain = chain(&stub, &notes).shared(only.clone()).build().unwrap();
    for (answer, request) in [
        ("a", request()),
        ("a-as-guest@other", request().with_tenant("other")),
        ("a-as-guest@other", request().with_tenant("other.example")),
        ("a", request().with_tenant("t")),
        ("a", request()),
    ] {
        only.will(Ok(answer));
        chain.token(&request).await.map(AccessToken::from).unwrap();
    }
    assert_eq!(notes.taken(), ["answered Only"; 5]);
}

/// PR-04: a managed identity ignores the tenant of a request, and a tool's own tenant may be named.
#[tokio::test(start_paused = true)]
async fn another_tenant_in_the_request_hides_no_change() {
    for (answer, asked) in [
        ("b", request().with_tenant("t")),
        ("b", request().with_tenant("home.example")),
        ("b@other", request()),
    ] {
        for policy in [FallbackPolicy::Report, FallbackPolicy::Refuse] {
            let (stub, notes) = (Stub::new(), Arc::default());
            let only = Puppet::new("Only", Ok("a"));
            let chain = chain(&stub, &notes).shared(only.clone());
            let chain = chain.fallback_policy(policy).build().unwrap();
            chain
                .token(&request())
                .await
                .map(AccessToken::from)
                .unwrap();
            only.will(Ok(answer));
            let outcome = chain.token(&asked).await.map(AccessToken::from);
            assert_eq!(outcome.is_ok(), policy == FallbackPolicy::Report);
            let told = notes.taken();
            let change = "changed Only as a -> Only as b";
            assert!(told[1].starts_with(change), "{answer} {asked:?}: {told:?}");
        }
    }
}

/// PR-03: a walk that passed a member over does not overturn what that has answered meanwhile.
#[tokio::test(start_paused = true)]
async fn a_walk_that_was_overtaken_is_repeated() {
    let (stub, notes) = (Stub::new(), Arc::default());
    let first = Puppet::new("First", Err(ErrorKind::Unavailable));
    let second = Puppet::new("Second", Ok("b"));
    let chain = chain(&stub, &notes)
        .shared(first.clone())
        .shared(second.clone())
        .build()
        .unwrap();
    first.takes(37 * SECOND);
    second.takes(10 * SECOND);
    let asked = request();
    let (token, ()) = tokio::join!(chain.get_token(&asked), async {
        tokio::time::sleep(SECOND).await;
        first.takes(SECOND);
        tokio::time::sleep(37 * SECOND).await;
        // The slow walk asks the second by now.
        first.will(Ok("a"));
        let other = TokenRequest::new(["https://storage.azure.com/.default"]);
        let token = chain.token(&other).await.map(AccessToken::from).unwrap();
        assert_eq!(token.answered_by(), "First");
    });
    assert_eq!(token.unwrap().answered_by(), "First");
    assert_eq!(second.asked(), 1);
    assert_eq!(notes.taken(), ["answered First"; 2]);
}

/// But one that has reason to pass it over again does: nothing is repeated without end.
#[tokio::test(start_paused = true)]
async fn a_walk_is_repeated_once_per_better_answer() {
    let (stub, notes) = (Stub::new(), Arc::default());
    let first = Puppet::new("First", Err(ErrorKind::Unavailable));
    let second = Puppet::new("Second", Ok("b"));
    let chain = chain(&stub, &notes)
        .shared(first.clone())
        .shared(second.clone())
        .build()
        .unwrap();
    second.takes(10 * SECOND);
    let asked = request();
    let (token, ()) = tokio::join!(chain.get_token(&asked), async {
        tokio::time::sleep(SECOND).await;
        first.will(Ok("a"));
        chain
            .token(&request())
            .await
            .map(AccessToken::from)
            .unwrap();
        first.will(Err(ErrorKind::Unavailable));
    });
    assert_eq!(token.unwrap().answered_by(), "Second");
    assert_eq!(second.asked(), 2);
    assert_eq!(
        notes.taken(),
        [
            "answered First",
            "changed First as a -> Second as b",
            "answered Second"
        ]
    );
}

/// PR-29: a chain ends its own waits, and the members that are its own.
#[tokio::test(start_paused = true)]
async fn dispose_leaves_shared_members_alone() {
    let (stub, notes) = (Stub::new(), Arc::default());
    let [shared, own] = ["Shared", "Own"].map(|name| {
        let puppet = Puppet::new(name, Ok("a"));
        puppet.takes(60 * SECOND);
        Cached::on(stub.platform(), Shared(puppet))
    });
    let chain = chain(&stub, &notes)
        .shared(Arc::new(shared.clone()))
        .credential(own.clone())
        .build()
        .unwrap();
    let (one, two) = (request(), request());
    let start = tokio::time::Instant::now();
    let (waited, elsewhere, ()) = tokio::join!(
        async {
            let outcome = chain.token(&one).await.map(AccessToken::from);
            (outcome.unwrap_err(), start.elapsed())
        },
        shared.get_token(&two),
        async {
            tokio::time::sleep(SECOND).await;
            chain.dispose();
        }
    );
    assert_eq!((waited.0.kind(), waited.1), (ErrorKind::Cancelled, SECOND));
    assert!(waited.0.help().is_some(), "{}", waited.0);
    assert_eq!(elsewhere.unwrap().answered_by(), "Shared");
    assert_eq!(failure(&chain).await.kind(), ErrorKind::Cancelled);
    assert_eq!(failure(&own).await.kind(), ErrorKind::Cancelled);
    assert!(shared.cached(&request()).is_some());
}
