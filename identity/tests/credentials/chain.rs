//! ChainedTokenCredential: which members are asked, which one answers, and what is reported.

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AccessToken, AzureCliCredential, Cached, ChainedTokenCredential, ContinueAfter, Error,
    ErrorKind, FallbackPolicy, ManagedIdentityCredential, Outcome, TokenCredential,
    TokenCredentialExt, TokenRef, TokenRequest, chain::ChainedTokenCredentialBuilder,
    internals::FastPath, platform::BoxFuture,
};

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

fn chain(stub: &Arc<Stub>, members: &[&Arc<Puppet>]) -> ChainedTokenCredentialBuilder {
    let builder = ChainedTokenCredential::builder().platform(stub.platform());
    members
        .iter()
        .fold(builder, |builder, &member| builder.shared(member.clone()))
}

/// As an application asks: a hit, if it is one.
async fn ask(chain: &ChainedTokenCredential) -> Result<AccessToken, Error> {
    chain.token(&request()).await.map(AccessToken::from)
}

/// PR-02: after Unavailable, and after nothing else.
#[tokio::test(start_paused = true)]
async fn it_goes_on_after_unavailable_only() {
    use ErrorKind::*;
    for (kind, goes_on, goes_on_after_failure) in [
        (Unavailable, true, true),
        (Failed, false, true),
        (InteractionRequired, false, true),
        (Configuration, false, true),
        (Cancelled, false, false),
    ] {
        for (continue_after, expected) in [
            (ContinueAfter::Unavailable, goes_on),
            (ContinueAfter::Failure, goes_on_after_failure),
        ] {
            let stub = Stub::new();
            let (first, second) = (
                Puppet::new("First", Err(kind)),
                Puppet::new("Second", Ok("b")),
            );
            let chain = chain(&stub, &[&first, &second])
                .continue_after(continue_after)
                .build()
                .unwrap();
            let answer = ask(&chain).await;
            assert_eq!(answer.is_ok(), expected, "{kind} {continue_after:?}");
            assert_eq!(second.asked(), u32::from(expected));
            if let Err(error) = answer {
                assert_eq!(error.kind(), kind);
                assert_eq!(error.credential(), "ChainedTokenCredential");
                let headline = match kind {
                    ErrorKind::Cancelled => "the credential was disposed",
                    _ => "First failed",
                };
                assert!(error.message().starts_with(headline), "{error}");
                assert!(matches!(
                    error.chain().unwrap().tried[0].outcome,
                    Outcome::Stopped(_)
                ));
            }
        }
    }
}

/// PR-05: all of them, in order, one line each, with what to do.
#[tokio::test(start_paused = true)]
async fn without_an_answer_all_members_are_listed() {
    let stub = Stub::new();
    let first = Puppet::new("First", Err(ErrorKind::Unavailable));
    let second = Puppet::new("Second", Err(ErrorKind::Unavailable));
    let chain_of = |kind| {
        second.will(Err(kind));
        chain(&stub, &[&first, &second])
            .continue_after(ContinueAfter::Failure)
            .build()
            .unwrap()
    };
    let error = failure(&chain_of(ErrorKind::Unavailable)).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.message(),
        "no credential of the chain is available:\n  \
         1. First: is unavailable as told; help First\n  \
         2. Second: is unavailable as told; help Second"
    );
    let error = failure(&chain_of(ErrorKind::Failed)).await;
    assert_eq!(error.kind(), ErrorKind::Failed, "one of them was there");
    let empty = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::Configuration);
}

/// PR-03: what the last answerer still holds, without a walk; then from the top.
#[tokio::test(start_paused = true)]
async fn the_last_answerer_is_kept_while_its_token_lives() {
    let stub = Stub::new();
    let first = Puppet::new("First", Err(ErrorKind::Unavailable));
    let second = Puppet::new("Second", Ok("b"));
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .shared(first.clone())
        .credential(Cached::on(stub.platform(), Shared(second.clone())))
        .build()
        .unwrap();
    ask(&chain).await.unwrap();
    first.will(Ok("a"));
    let token = ask(&chain).await.unwrap();
    assert_eq!(token.answered_by(), "Second");
    assert_eq!((first.asked(), second.asked()), (1, 1));
    let record = token.chain().expect("a record on every token");
    assert_eq!(record.tried.len(), 1);
    assert_eq!(chain.cached(&request()).unwrap(), token);
    tokio::time::sleep(Duration::from_secs(3601)).await;
    assert_eq!(ask(&chain).await.unwrap().answered_by(), "First");
}

/// PR-04: reported once, even if several callers ask at the same time; recorded on the token.
#[tokio::test(start_paused = true)]
async fn a_change_of_identity_is_reported_once() {
    let stub = Stub::new();
    let notes = Arc::new(Notes::default());
    let (first, second) = (
        Puppet::new("First", Ok("a")),
        Puppet::new("Second", Ok("b")),
    );
    let chain = chain(&stub, &[&first, &second])
        .observer(notes.clone())
        .build()
        .unwrap();
    let token = ask(&chain).await.unwrap();
    assert_eq!(token.chain().unwrap().change, None);
    assert_eq!(notes.taken(), ["answered First"]);

    first.will(Err(ErrorKind::Unavailable));
    let (one, two) = (request(), request());
    let (a, b) = tokio::join!(chain.get_token(&one), chain.get_token(&two));
    let changes: Vec<bool> = [a, b]
        .into_iter()
        .map(|token| token.unwrap().chain().unwrap().change.is_some())
        .collect();
    assert_eq!(changes, [true, false]);
    assert_eq!(
        notes.taken(),
        [
            "changed First as a -> Second as b",
            "answered Second",
            "answered Second"
        ]
    );

    // Another principal of the same credential is a change, too; an opaque token is none.
    second.will(Ok(""));
    ask(&chain).await.unwrap();
    second.will(Ok("c"));
    ask(&chain).await.unwrap();
    assert_eq!(
        notes.taken(),
        [
            "answered Second",
            "changed Second as b -> Second as c",
            "answered Second"
        ]
    );
}

/// Another credential is a change in whatever tenant it shows first.
#[tokio::test(start_paused = true)]
async fn another_credential_is_a_change_in_every_tenant() {
    let stub = Stub::new();
    let notes = Arc::new(Notes::default());
    let (first, second) = (
        Puppet::new("First", Ok("a")),
        Puppet::new("Second", Ok("b")),
    );
    let chain = chain(&stub, &[&first, &second])
        .observer(notes.clone())
        .build()
        .unwrap();
    ask(&chain).await.unwrap();
    first.will(Err(ErrorKind::Unavailable));
    let other = request().with_tenant("other");
    chain.token(&other).await.map(AccessToken::from).unwrap();
    chain.token(&other).await.map(AccessToken::from).unwrap();
    ask(&chain).await.unwrap();
    assert_eq!(
        notes.taken(),
        [
            "answered First",
            "changed First as a -> Second as b",
            "answered Second",
            "answered Second",
            "changed First as a -> Second as b",
            "answered Second"
        ]
    );
}

/// PR-04: `Refuse` hands nothing out until the previous identity is back; PR-27: a chain caches no
/// more than its members do.
#[tokio::test(start_paused = true)]
async fn a_refused_change_hands_nothing_out() {
    let stub = Stub::new();
    let notes = Arc::new(Notes::default());
    let (first, second) = (
        Puppet::new("First", Ok("a")),
        Puppet::new("Second", Ok("b")),
    );
    let chain = chain(&stub, &[&first, &second])
        .fallback_policy(FallbackPolicy::Refuse)
        .observer(notes.clone())
        .build()
        .unwrap();
    ask(&chain).await.unwrap();
    first.will(Err(ErrorKind::Unavailable));
    for _ in 0..2 {
        let error = failure(&chain).await;
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.chain().unwrap().change.as_ref().unwrap().refused);
        assert!(
            error.message().contains("First as a answered until now"),
            "{error}"
        );
    }
    assert!(chain.cached(&request()).is_none());
    first.will(Ok("a"));
    let token = ask(&chain).await.unwrap();
    assert_eq!(token.chain().unwrap().change, None);
    assert_eq!(
        notes.taken(),
        [
            "answered First",
            "changed First as a -> Second as b (refused)",
            "failed after 2",
            "failed after 2",
            "answered First"
        ]
    );
}

/// PR-04, PR-23: a change under the same credential is seen even when no walk was needed. `Refuse`
/// returns the old token to its end, and reports once.
#[tokio::test(start_paused = true)]
async fn a_new_principal_in_the_cache_is_seen() {
    for (policy, in_time, late) in [
        (FallbackPolicy::Report, "new", Some("new")),
        (FallbackPolicy::Refuse, "old", None),
    ] {
        let stub = Stub::new();
        stub.on_http(|_| imds_token("old", 7200));
        let notes = Arc::new(Notes::default());
        let chain = ChainedTokenCredential::builder()
            .platform(stub.platform())
            .credential(
                ManagedIdentityCredential::builder()
                    .platform(stub.platform())
                    .build()
                    .unwrap(),
            )
            .fallback_policy(policy)
            .observer(notes.clone())
            .build()
            .unwrap();
        let oid = |token: &AccessToken| token.principal().unwrap().object_id.clone();
        ask(&chain).await.unwrap();
        stub.on_http(|_| imds_token("new", 90_000));
        // Past the refresh point: the old token at once, and a new one in the background.
        tokio::time::sleep(Duration::from_secs(4000)).await;
        let token = ask(&chain).await.unwrap();
        assert_eq!(oid(&token), "old");
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            let token = ask(&chain).await.unwrap();
            assert_eq!(oid(&token), in_time);
            assert_eq!(chain.cached(&request()).as_ref(), Some(&token));
            let change = token.chain().unwrap().change.as_ref();
            assert!(change.is_none_or(|change| change.refused == late.is_none()));
        }
        tokio::time::sleep(Duration::from_secs(3180)).await;
        let token = ask(&chain).await;
        assert_eq!(token.ok().as_ref().map(oid).as_deref(), late, "{policy:?}");
        let cached = chain.cached(&request());
        assert_eq!(cached.as_ref().map(oid).as_deref(), late, "{policy:?}");
        let told = notes.taken();
        assert!(told[1].starts_with("changed ManagedIdentityCredential as old"));
        let changes = told.iter().filter(|note| note.starts_with("changed"));
        assert_eq!(changes.count(), 1, "{told:?}");
    }
}

/// CH-22a, PR-03: a managed identity whose token is valid is not given up for `az`.
#[tokio::test(start_paused = true)]
async fn a_dead_imds_costs_no_valid_token() {
    let stub = Stub::new();
    stub.on_http(|_| imds_token("vm", 86_400));
    stub.on_command(|_| az_token("alice", 200_000));
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(
            ManagedIdentityCredential::builder()
                .platform(stub.platform())
                .build()
                .unwrap(),
        )
        .credential(
            AzureCliCredential::builder()
                .platform(stub.platform())
                .build()
                .unwrap(),
        )
        .build()
        .unwrap();
    ask(&chain).await.unwrap();
    stub.on_http(|_| Answer::Fails(credsim_identity::platform::TransportErrorKind::Refused));
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(4300)).await;
        let token = ask(&chain).await.unwrap();
        assert_eq!(token.principal().unwrap().object_id, "vm");
    }
    tokio::time::sleep(Duration::from_secs(500)).await;
    let token = ask(&chain).await.unwrap();
    assert_eq!(token.answered_by(), "AzureCliCredential");
    assert!(token.chain().unwrap().change.is_some(), "and loudly");
}

/// PR-29: dispose reaches the members.
#[tokio::test(start_paused = true)]
async fn dispose_reaches_the_members() {
    let stub = Stub::new();
    stub.on_http(|_| imds_token("vm", 86_400));
    let member = ManagedIdentityCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap();
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(member.clone())
        .build()
        .unwrap();
    ask(&chain).await.unwrap();
    chain.clone().dispose();
    assert_eq!(failure(&chain).await.kind(), ErrorKind::Cancelled);
    assert_eq!(failure(&member).await.kind(), ErrorKind::Cancelled);
    assert!(chain.cached(&request()).is_none());
}

/// Answers once, and then fails although it holds a token.
#[derive(Debug)]
struct Holds(Arc<Puppet>, AccessToken);

impl TokenCredential for Holds {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        self.0.get_token(request)
    }
    fn fast_path(&self) -> Option<&dyn FastPath> {
        Some(self)
    }
}

impl FastPath for Holds {
    fn hit(&self, _: &TokenRequest) -> Option<TokenRef> {
        None
    }
    fn hit_scopes(&self, _: &[&str]) -> Option<TokenRef> {
        None
    }
    fn peek(&self, _: &TokenRequest) -> Option<AccessToken> {
        Some(self.1.clone())
    }
    fn never_answers(&self) -> bool {
        false
    }
}

/// PR-03, PR-23: the token that a member holds is the answer, whatever the member says.
#[tokio::test(start_paused = true)]
async fn an_error_of_the_answerer_costs_no_token_that_it_holds() {
    let stub = Stub::new();
    let puppet = Puppet::new("Holds", Ok("a"));
    let token = puppet.get_token(&request()).await.unwrap();
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(Holds(puppet.clone(), token.clone()))
        .build()
        .unwrap();
    ask(&chain).await.unwrap();
    puppet.will(Err(ErrorKind::Failed));
    assert_eq!(ask(&chain).await.unwrap(), token);
    assert_eq!(puppet.asked(), 3);
    // But who forces a refresh is told.
    let forced = request().with_force_refresh(true);
    assert_eq!(
        chain.get_token(&forced).await.unwrap_err().kind(),
        ErrorKind::Failed
    );
}
