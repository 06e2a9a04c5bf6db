//! How a chain finds back to a better source while its answerer renews its own token (PR-03).

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AccessToken, Cached, CachedCredential, ChainedTokenCredential, ClientSecretCredential,
    CommonOptions, DefaultAzureCredential, EnvironmentCredential, Error, ErrorKind, FallbackPolicy,
    ManagedIdentityCredential, TokenCredential, TokenCredentialExt, TokenRequest,
    cache::CacheKey,
    chain::ChainedTokenCredentialBuilder,
    internals::FastPath,
    platform::BoxFuture,
    source::{AccountStore, Fetched, TokenSource},
};

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A chain whose first member is not there yet, and whose second answers; both cache.
struct World {
    stub: Arc<Stub>,
    notes: Arc<Notes>,
    first: Arc<Puppet>,
    second: Arc<Puppet>,
}

impl World {
    fn new() -> Self {
        Self {
            stub: Stub::new(),
            notes: Arc::default(),
            first: Puppet::new("First", Err(ErrorKind::Unavailable)),
            second: Puppet::new("Second", Ok("b")),
        }
    }

    fn cached(&self, puppet: &Arc<Puppet>) -> Cached<Shared> {
        Cached::on(self.stub.platform(), Shared(puppet.clone()))
    }

    fn builder(&self) -> ChainedTokenCredentialBuilder {
        ChainedTokenCredential::builder()
            .platform(self.stub.platform())
            .observer(self.notes.clone())
    }

    /// The chain after its first answer.
    async fn chain(&self, policy: FallbackPolicy) -> ChainedTokenCredential {
        let chain = self
            .builder()
            .credential(self.cached(&self.first))
            .credential(self.cached(&self.second))
            .fallback_policy(policy)
            .build()
            .unwrap();
        assert_eq!(ask(&chain).await, "Second");
        assert_eq!(self.notes.taken(), ["answered Second"]);
        chain
    }
}

/// Returns the member that answers.
async fn ask(chain: &ChainedTokenCredential) -> String {
    let token = chain
        .token(&request())
        .await
        .map(AccessToken::from)
        .unwrap();
    token.answered_by().to_owned()
}

/// Asks every minute, as a busy application does, so that the answerer renews its token in time.
async fn ask_for(minutes: u32, chain: &ChainedTokenCredential) -> Vec<String> {
    let mut answers = Vec::new();
    for _ in 0..minutes {
        tokio::time::sleep(MINUTE).await;
        answers.push(ask(chain).await);
    }
    answers.dedup();
    answers
}

/// PR-03: after the life of the token that the walk brought, in the background.
#[tokio::test(start_paused = true)]
async fn a_better_source_that_returns_is_taken() {
    let world = World::new();
    let chain = world.chain(FallbackPolicy::Report).await;
    world.first.will(Ok("a"));
    assert_eq!(ask_for(59, &chain).await, ["Second"]);
    assert_eq!(world.first.asked(), 1, "the principal is stable until then");
    assert_eq!(world.second.asked(), 2, "renewed in time, as ever");

    tokio::time::sleep(2 * MINUTE).await;
    let before = tokio::time::Instant::now();
    assert_eq!(ask(&chain).await, "Second");
    assert_eq!(before.elapsed(), Duration::ZERO, "no caller waits for it");
    assert_eq!(world.notes.taken(), [""; 0]);

    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        world.notes.taken(),
        ["changed Second as b -> First as a", "answered First"]
    );
    let token = chain
        .token(&request())
        .await
        .map(AccessToken::from)
        .unwrap();
    assert_eq!(token.answered_by(), "First");
    assert_eq!(token.chain().unwrap().change, None);
    assert_eq!(chain.cached(&request()), Some(token));

    // From the top, where no member stands before it.
    assert_eq!(ask_for(180, &chain).await, ["First"]);
    assert_eq!(world.second.asked(), 2);
    assert_eq!(world.notes.taken(), [""; 0]);
}

/// PR-03: once per life of a token, if no better member answers.
#[tokio::test(start_paused = true)]
async fn a_search_in_vain_is_repeated_once_per_life() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Failed] {
        let world = World::new();
        let chain = world.chain(FallbackPolicy::Report).await;
        world.first.will(Err(kind));
        // Renewed after some 55 minutes, the token then held ends at minute 115 or so.
        assert_eq!(ask_for(100, &chain).await, ["Second"]);
        assert_eq!(world.first.asked(), 2, "{kind}");
        assert_eq!(ask_for(60, &chain).await, ["Second"]);
        assert_eq!(world.first.asked(), 3, "{kind}");
        assert_eq!(world.notes.taken(), [""; 0], "no caller of it has failed");
    }
}

/// PR-03: nor more often than every 30 s, however short the lives are; one at a time.
#[tokio::test(start_paused = true)]
async fn short_lives_are_no_reason_to_hurry() {
    let world = World::new();
    world.second.life(Duration::from_secs(40));
    let chain = world.chain(FallbackPolicy::Report).await;
    let patient = request().with_min_remaining(Duration::ZERO);
    for second in 0..600 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        chain.token(&patient).await.map(AccessToken::from).unwrap();
        let asked = world.first.asked();
        assert!(asked <= 2 + second / 30, "{asked} after {second} s");
        assert!(world.first.under_way() <= 1);
    }
    assert!(world.first.asked() > 10);

    world.first.takes(10 * MINUTE);
    for _ in 0..300 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = tokio::time::Instant::now();
        chain.token(&patient).await.map(AccessToken::from).unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO);
        assert!(world.first.under_way() <= 1);
    }
    assert_eq!(world.first.under_way(), 1);
}

/// PR-03: a search that hangs is not the last one.
#[tokio::test(start_paused = true)]
async fn a_search_that_hangs_is_given_up() {
    let world = World::new();
    let chain = world.chain(FallbackPolicy::Report).await;
    world.first.takes(24 * 60 * MINUTE);
    assert_eq!(ask_for(62, &chain).await, ["Second"]);
    assert_eq!(world.first.under_way(), 1);
    assert_eq!(ask_for(31, &chain).await, ["Second"]);
    assert_eq!(world.first.under_way(), 0);
    world.first.takes(MINUTE);
    world.first.will(Ok("a"));
    assert_eq!(ask_for(120, &chain).await, ["Second", "First"]);
}

/// PR-04: `Refuse` keeps the answerer, and reports once, not once per life.
#[tokio::test(start_paused = true)]
async fn a_refused_return_changes_nothing() {
    let world = World::new();
    let chain = world.chain(FallbackPolicy::Refuse).await;
    world.first.will(Ok("a"));
    assert_eq!(ask_for(300, &chain).await, ["Second"]);
    assert!(world.first.asked() >= 3);
    assert_eq!(
        world.notes.taken(),
        ["changed Second as b -> First as a (refused)"]
    );
}

/// PR-03: a caller that waits for the answerer's refresh meanwhile does not turn the chain back.
#[tokio::test(start_paused = true)]
async fn a_late_caller_gets_the_new_answerer() {
    let world = World::new();
    let chain = world.chain(FallbackPolicy::Report).await;
    assert_eq!(ask_for(59, &chain).await, ["Second"]);
    world.first.will(Ok("a"));
    world.second.takes(MINUTE);
    tokio::time::sleep(2 * MINUTE).await;
    let eager = request().with_min_remaining(120 * MINUTE);
    let token = chain.token(&eager).await.map(AccessToken::from).unwrap();
    assert_eq!(token.answered_by(), "First");
    assert_eq!(
        world.notes.taken(),
        ["changed Second as b -> First as a", "answered First"]
    );
}

/// PR-03: nor does a search that comes back with less than a walk has found meanwhile.
#[tokio::test(start_paused = true)]
async fn a_late_second_best_is_not_taken() {
    let world = World::new();
    let best = Puppet::new("Best", Err(ErrorKind::Unavailable));
    let builder = world.builder().shared(best.clone());
    let chain = builder
        .credential(world.cached(&world.first))
        .credential(world.cached(&world.second))
        .build()
        .unwrap();
    assert_eq!(ask(&chain).await, "Second");
    world.first.will(Ok("a"));
    world.first.takes(10 * MINUTE);
    assert_eq!(ask_for(62, &chain).await, ["Second"]);
    assert_eq!(world.first.under_way(), 1);
    best.will(Ok("z"));
    // For another scope the answerer holds nothing.
    let other = TokenRequest::new(["https://storage.azure.com/.default"]);
    let token = chain.token(&other).await.map(AccessToken::from).unwrap();
    assert_eq!(token.answered_by(), "Best");
    assert_eq!(ask_for(20, &chain).await, ["Best"]);
    assert_eq!(world.first.under_way(), 0);
    let told = world.notes.taken();
    let changes = told.iter().filter(|note| note.starts_with("changed"));
    assert_eq!(changes.count(), 1, "{told:?}");
}

/// PR-29: the search ends with dispose, and with the last clone.
#[tokio::test(start_paused = true)]
async fn the_search_ends_with_its_chain() {
    for disposes in [true, false] {
        let world = World::new();
        // Not cached: only its callers wait for the first member.
        let builder = world.builder().shared(world.first.clone());
        let chain = builder
            .credential(world.cached(&world.second))
            .build()
            .unwrap();
        assert_eq!(ask(&chain).await, "Second");
        assert_eq!(world.notes.taken(), ["answered Second"]);
        world.first.will(Ok("a"));
        world.first.takes(60 * MINUTE);
        assert_eq!(ask_for(62, &chain).await, ["Second"]);
        assert_eq!(world.first.under_way(), 1);
        let clone = disposes.then(|| chain.clone());
        if disposes {
            chain.dispose();
        }
        drop(chain);
        tokio::task::yield_now().await;
        assert_eq!(world.first.under_way(), 0, "disposes: {disposes}");
        tokio::time::sleep(90 * MINUTE).await;
        assert_eq!(world.notes.taken(), [""; 0]);
        assert!(clone.is_none_or(|chain| chain.cached(&request()).is_none()));
    }
}

/// Cannot answer, and knows it.
#[derive(Debug)]
struct Never(Arc<Puppet>);

impl TokenSource for Never {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        Ok(CacheKey::of(request))
    }
    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        _: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async move { self.0.get_token(request).await.map(Fetched::from) })
    }
    fn never_answers(&self) -> bool {
        true
    }
}

/// PR-03: members that can never answer are no reason to look.
#[tokio::test(start_paused = true)]
async fn members_that_cannot_answer_are_not_asked_again() {
    let world = World::new();
    let chain = world
        .builder()
        .credential(CachedCredential::with_options(
            Never(world.first.clone()),
            &CommonOptions::default().with_platform(world.stub.platform()),
        ))
        .credential(world.cached(&world.second))
        .build()
        .unwrap();
    assert_eq!(ask(&chain).await, "Second");
    assert_eq!(ask_for(180, &chain).await, ["Second"]);
    assert_eq!(world.first.asked(), 1);
}

/// Members that can never answer: without their variables, their source, or support in this crate.
#[tokio::test(start_paused = true)]
async fn a_member_that_can_never_answer_is_known_as_such() {
    fn never(credential: impl TokenCredential) -> bool {
        let credential: Arc<dyn TokenCredential> = Arc::new(credential);
        let fast_path = credential.fast_path();
        fast_path.is_some_and(FastPath::never_answers)
    }
    let named = |stub: Arc<Stub>, name| {
        let stub = stub.var("AZURE_TOKEN_CREDENTIALS", name);
        let builder = DefaultAzureCredential::builder().platform(stub.platform());
        builder.build().unwrap()
    };
    let managed_identity = |stub: Arc<Stub>| {
        let builder = ManagedIdentityCredential::builder().platform(stub.platform());
        builder.build().unwrap()
    };
    let plain = Stub::new();
    let environment = EnvironmentCredential::builder().platform(plain.platform());
    assert!(never(environment.build().unwrap()));
    assert!(never(named(Stub::new(), "EnvironmentCredential")));
    assert!(never(named(Stub::new(), "WorkloadIdentityCredential")));
    let broken = Stub::new()
        .var("IDENTITY_ENDPOINT", "http://localhost")
        .var("IDENTITY_HEADER", "h")
        .var("IDENTITY_SERVER_THUMBPRINT", "t");
    assert!(never(managed_identity(broken)));

    let environment = Stub::new()
        .var("AZURE_TENANT_ID", "tenant")
        .var("AZURE_CLIENT_ID", "client")
        .var("AZURE_CLIENT_SECRET", "secret");
    assert!(!never(named(environment, "EnvironmentCredential")));
    assert!(!never(managed_identity(plain.clone())));
    assert!(!never(named(Stub::new(), "")));
    let secret = ClientSecretCredential::builder("tenant", "client", "secret");
    assert!(!never(secret.platform(plain.platform()).build().unwrap()));
}
