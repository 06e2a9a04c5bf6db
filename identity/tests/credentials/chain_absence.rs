//! A member of a chain from which no answer comes is waited for once in five minutes (PR-07).

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AccessToken, Cached, ChainedTokenCredential, ContinueAfter, DefaultAzureCredential, Error,
    ErrorKind, ManagedIdentityCredential, Outcome, TokenCredential, TokenRequest,
    platform::TransportErrorKind,
};
use tokio::time::Instant;

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A laptop without a route to IMDS, and a chain of the managed identity and a credential that
/// caches nothing, as `az` does.
struct Laptop {
    stub: Arc<Stub>,
    second: Arc<Puppet>,
    identity: Arc<ManagedIdentityCredential>,
    chain: ChainedTokenCredential,
}

impl Laptop {
    fn new() -> Self {
        let stub = Stub::new();
        let second = Puppet::new("Second", Ok("b"));
        let identity = ManagedIdentityCredential::builder().platform(stub.platform());
        let identity = Arc::new(identity.build().unwrap());
        let chain = ChainedTokenCredential::builder()
            .platform(stub.platform())
            .shared(identity.clone())
            .shared(second.clone())
            .build()
            .unwrap();
        Self {
            stub,
            second,
            identity,
            chain,
        }
    }

    /// One on which the first call was made.
    async fn waited() -> Self {
        let laptop = Self::new();
        assert!(!quick(&laptop.chain, &request()).await.1, "the first waits");
        laptop
    }

    fn imds_is_back(&self) {
        self.stub.on_http(|_| imds_token("vm", 1_000_000));
    }

    fn imds_answers(&self, status: u16) {
        self.stub.on_http(move |_| reply(status, "{}"));
    }

    fn requests(&self) -> usize {
        self.stub.urls().len()
    }

    /// Asks, and expects an answer of this credential without a wait.
    async fn quickly_answered_by(&self, who: &str) -> AccessToken {
        let (answer, is_quick) = quick(&self.chain, &request()).await;
        let token = answer.unwrap();
        assert_eq!((token.answered_by(), is_quick), (who, true));
        token
    }
}

/// Asks; also returns whether that took less than the probe of a default chain.
async fn quick(
    chain: &dyn TokenCredential,
    request: &TokenRequest,
) -> (Result<AccessToken, Error>, bool) {
    let start = Instant::now();
    let answer = chain.get_token(request).await;
    (answer, start.elapsed() < SECOND)
}

async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_call_waits_and_the_others_do_not() {
    let laptop = Laptop::waited().await;
    for _ in 0..20 {
        sleep(10 * SECOND).await;
        laptop.quickly_answered_by("Second").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_record_lists_the_skipped_member_and_its_error() {
    let laptop = Laptop::waited().await;
    let token = laptop.quickly_answered_by("Second").await;
    let tried = &token.chain().unwrap().tried;
    assert_eq!(tried.len(), 2);
    assert_eq!(tried[0].credential, "ManagedIdentityCredential");
    assert_eq!(tried[0].took, Duration::ZERO);
    let Outcome::PassedOver(error) = &tried[0].outcome else {
        panic!("{:?}", tried[0].outcome);
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let message = error.message();
    assert!(message.contains("IMDS cannot be reached"), "{message}");
    assert!(message.contains("asked in the background"), "{message}");
    assert!(matches!(tried[1].outcome, Outcome::Answered));
}

#[tokio::test(start_paused = true)]
async fn after_five_minutes_without_a_finding_a_walk_waits_again() {
    let laptop = Laptop::waited().await;
    sleep(5 * MINUTE - SECOND).await;
    laptop.quickly_answered_by("Second").await;
    // That one has asked in the background, which takes half a minute and renews the five.
    sleep(5 * MINUTE).await;
    laptop.quickly_answered_by("Second").await;
    sleep(6 * MINUTE).await;
    assert!(!quick(&laptop.chain, &request()).await.1);

    let laptop = Laptop::waited().await;
    sleep(5 * MINUTE).await;
    assert!(
        !quick(&laptop.chain, &request()).await.1,
        "no call has asked"
    );
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_every_thirty_seconds_while_callers_ask() {
    let laptop = Laptop::new();
    // With one attempt each.
    let identity = ManagedIdentityCredential::builder()
        .platform(laptop.stub.platform())
        .retry(credsim_identity::RetryOptions {
            max_retries: Some(0),
            ..Default::default()
        });
    let chain = ChainedTokenCredential::builder()
        .platform(laptop.stub.platform())
        .credential(identity.build().unwrap())
        .shared(laptop.second.clone())
        .build()
        .unwrap();
    laptop.second.takes(Duration::ZERO);
    for _ in 0..=120 {
        chain.get_token(&request()).await.unwrap();
        sleep(SECOND).await;
    }
    let times: Vec<u64> = (laptop.stub.requests.lock().unwrap().iter())
        .map(|(at, _)| at.as_secs())
        .collect();
    assert_eq!(times, [0, 30, 60, 90, 120]);
    sleep(MINUTE).await;
    assert_eq!(laptop.requests(), 5, "no more requests");
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_back_takes_its_place_at_the_next_walk() {
    let laptop = Laptop::waited().await;
    laptop.imds_is_back();
    sleep(31 * SECOND).await;
    laptop.quickly_answered_by("Second").await;
    sleep(SECOND).await;
    let token = laptop
        .quickly_answered_by("ManagedIdentityCredential")
        .await;
    assert!(token.chain().unwrap().change.is_some());
}

/// A quick refusal is an answer.
#[tokio::test(start_paused = true)]
async fn one_that_refuses_is_asked_in_every_walk() {
    let laptop = Laptop::waited().await;
    laptop
        .stub
        .on_http(|_| reply(400, r#"{"error_description":"Identity not found"}"#));
    sleep(31 * SECOND).await;
    laptop.quickly_answered_by("Second").await;
    sleep(SECOND).await;
    let before = laptop.requests();
    for asked in 1..=3 {
        let token = laptop.quickly_answered_by("Second").await;
        assert_eq!(laptop.requests(), before + asked);
        let error = format!("{:?}", token.chain().unwrap().tried[0].outcome);
        assert!(!error.contains("background"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_waited_for_if_no_other_member_answers() {
    for (kind, headline) in [
        (
            ErrorKind::Unavailable,
            "no credential of the chain is available:",
        ),
        (ErrorKind::Failed, "Second failed, which ends the chain:"),
    ] {
        let laptop = Laptop::waited().await;
        laptop.second.will(Err(kind));
        let before = laptop.requests();
        let (answer, is_quick) = quick(&laptop.chain, &request()).await;
        assert!(!is_quick);
        assert_eq!(laptop.requests(), before + 6);
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), kind);
        let lines: Vec<&str> = error.message().lines().collect();
        assert_eq!(lines[0], headline);
        assert!(lines[1].starts_with("  1. ManagedIdentityCredential: IMDS cannot be reached"));
        assert!(!lines[1].contains("background"), "{}", lines[1]);
        assert!(lines[2].starts_with("  2. Second: is"), "{}", lines[2]);
        assert_eq!(lines.len(), 3);

        // Back, but the background has not noticed yet.
        laptop.imds_is_back();
        let (answer, _) = quick(&laptop.chain, &request()).await;
        let token = answer.unwrap();
        let tried = &token.chain().unwrap().tried;
        assert_eq!(tried[0].credential, "Second");
        assert!(matches!(tried[0].outcome, Outcome::PassedOver(_)));
        assert_eq!(tried[1].credential, "ManagedIdentityCredential");
        assert!(matches!(tried[1].outcome, Outcome::Answered));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_walks_own_background_request_finds_is_not_asked_again() {
    // The request in the background is under way when the walk comes back to it, or has ended.
    for takes in [SECOND, 2 * MINUTE] {
        let laptop = Laptop::waited().await;
        sleep(MINUTE).await;
        laptop.second.will(Err(ErrorKind::Unavailable));
        laptop.second.takes(takes);
        let (before, start) = (laptop.requests(), Instant::now());
        let error = laptop.chain.get_token(&request()).await.unwrap_err();
        assert_eq!(laptop.requests() - before, 6, "{takes:?}");
        assert!(start.elapsed() < takes.max(MINUTE) + SECOND, "{takes:?}");
        let message = error.message();
        assert!(message.contains("IMDS cannot be reached"), "{message}");
        assert!(!message.contains("background"), "{message}");
    }
}

/// The first failure in the order of the chain stops it, in whatever order the members were asked.
#[tokio::test(start_paused = true)]
async fn one_that_fails_when_it_is_waited_for_ends_the_chain() {
    let laptop = Laptop::waited().await;
    laptop.second.will(Err(ErrorKind::Failed));
    laptop.imds_answers(403);
    let error = failure(&laptop.chain).await;
    let headline = "ManagedIdentityCredential failed, which ends the chain:";
    assert!(error.message().starts_with(headline), "{error}");
    assert_eq!(error.status(), Some(403));
}

/// If no other member has answered, every walk waits.
#[tokio::test(start_paused = true)]
async fn it_is_not_skipped_before_another_has_answered() {
    let laptop = Laptop::new();
    laptop.second.will(Err(ErrorKind::Unavailable));
    failure(&laptop.chain).await;
    laptop.second.will(Ok("b"));
    assert!(!quick(&laptop.chain, &request()).await.1);
    laptop.quickly_answered_by("Second").await;
}

/// Its members are shared, so it is the chain that ends what it has begun.
#[tokio::test(start_paused = true)]
async fn the_background_request_ends_with_the_chain() {
    for is_disposed in [true, false] {
        let laptop = Laptop::waited().await;
        sleep(31 * SECOND).await;
        laptop.quickly_answered_by("Second").await;
        sleep(2 * SECOND).await;
        let sent = laptop.requests();
        let Laptop {
            stub,
            chain,
            identity: _identity,
            ..
        } = laptop;
        if is_disposed {
            chain.dispose();
            let answer = chain.get_token(&request()).await;
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::Cancelled);
        } else {
            drop(chain);
        }
        sleep(MINUTE).await;
        assert_eq!(stub.urls().len(), sent, "disposed: {is_disposed}");
    }
}

#[tokio::test(start_paused = true)]
async fn forced_requests_obey_it() {
    let laptop = Laptop::waited().await;
    let forced = request().with_force_refresh(true);
    sleep(31 * SECOND).await;
    laptop.imds_is_back();
    let (answer, is_quick) = quick(&laptop.chain, &forced).await;
    assert_eq!((answer.unwrap().answered_by(), is_quick), ("Second", true));
    sleep(SECOND).await;
    let (answer, is_quick) = quick(&laptop.chain, &forced).await;
    let who = answer.unwrap();
    assert_eq!(
        (who.answered_by(), is_quick),
        ("ManagedIdentityCredential", true)
    );
}

/// A forced request finds that the member is silent, and its valid token stays the answer to others
/// without a wait.
#[tokio::test(start_paused = true)]
async fn a_token_at_hand_needs_no_wait() {
    let laptop = Laptop::new();
    laptop.imds_is_back();
    laptop.chain.get_token(&request()).await.unwrap();
    laptop
        .stub
        .on_http(|_| Answer::Fails(TransportErrorKind::Unreachable));
    let other = TokenRequest::new(["https://storage.azure.com/.default"]);
    let (answer, is_quick) = quick(&laptop.chain, &other).await;
    assert_eq!((answer.unwrap().answered_by(), is_quick), ("Second", false));
    let (_, is_quick) = quick(&laptop.chain, &other).await;
    assert!(is_quick, "it is skipped");
    let forced = request().with_force_refresh(true);
    let (answer, is_quick) = quick(&laptop.chain, &forced).await;
    assert_eq!((answer.unwrap().answered_by(), is_quick), ("Second", true));
    laptop
        .quickly_answered_by("ManagedIdentityCredential")
        .await;
}

/// A walk in the background that looks for a better source may find that the member is silent.
#[tokio::test(start_paused = true)]
async fn a_finding_of_a_background_walk_counts() {
    let laptop = Laptop::new();
    let platform = laptop.stub.platform();
    let second = Cached::on(platform.clone(), Shared(laptop.second.clone()));
    let chain = ChainedTokenCredential::builder()
        .platform(platform)
        .shared(laptop.identity.clone())
        .credential(second)
        .build()
        .unwrap();
    laptop
        .stub
        .on_http(|_| reply(400, r#"{"error_description":"Identity not found"}"#));
    chain.get_token(&request()).await.unwrap();
    laptop
        .stub
        .on_http(|_| Answer::Fails(TransportErrorKind::Unreachable));
    let before = laptop.requests();
    for _ in 0..62 {
        sleep(MINUTE).await;
        chain.get_token(&request()).await.unwrap();
    }
    assert_eq!(laptop.requests(), before + 6, "one walk, with its retries");
    let other = TokenRequest::new(["https://storage.azure.com/.default"]);
    let (answer, is_quick) = quick(&chain, &other).await;
    assert_eq!((answer.unwrap().answered_by(), is_quick), ("Second", true));
}

/// The probe's second is paid once, too; a proxy's answer is quick and is asked for each time.
#[tokio::test(start_paused = true)]
async fn a_default_chain_pays_the_probe_once() {
    let stub = Stub::new();
    stub.on_command(|_| az_token("alice", 1_000_000));
    *stub.command_takes.lock().unwrap() = Duration::ZERO;
    let chain = DefaultAzureCredential::builder().platform(stub.platform());
    let chain = chain.build().unwrap();
    stub.on_http(|_| Answer::Hangs);
    let mut waits = Vec::new();
    for _ in 0..3 {
        let (answer, is_quick) = quick(&chain, &request()).await;
        assert_eq!(answer.unwrap().answered_by(), "AzureCliCredential");
        waits.push(!is_quick);
    }
    assert_eq!(waits, [true, false, false]);

    stub.on_http(|_| reply(403, "connecting to an unreachable network"));
    sleep(31 * SECOND).await;
    chain.get_token(&request()).await.unwrap();
    sleep(SECOND).await;
    let before = stub.urls().len();
    for _ in 0..3 {
        chain.get_token(&request()).await.unwrap();
    }
    assert_eq!(stub.urls().len(), before + 3);
}

/// A chain of members that give no answer is such a member itself.
#[tokio::test(start_paused = true)]
async fn a_chain_within_a_chain() {
    let laptop = Laptop::new();
    let inner = ChainedTokenCredential::builder()
        .platform(laptop.stub.platform())
        .shared(laptop.identity.clone())
        .build()
        .unwrap();
    let outer = ChainedTokenCredential::builder()
        .platform(laptop.stub.platform())
        .credential(inner)
        .shared(laptop.second.clone())
        .continue_after(ContinueAfter::Failure)
        .build()
        .unwrap();
    assert!(!quick(&outer, &request()).await.1);
    assert!(quick(&outer, &request()).await.1);
}

/// But a member that refuses quickly is asked in every walk.
#[tokio::test(start_paused = true)]
async fn a_chain_within_a_chain_that_refuses_quickly_is_asked_in_every_walk() {
    let laptop = Laptop::new();
    let first = Puppet::new("First", Err(ErrorKind::Unavailable));
    let chain = || ChainedTokenCredential::builder().platform(laptop.stub.platform());
    let inner = chain().shared(first.clone()).build().unwrap();
    let outer = chain().credential(inner).shared(laptop.second.clone());
    let outer = outer.build().unwrap();
    for asked in 1..=3 {
        outer.get_token(&request()).await.unwrap();
        assert_eq!(first.asked(), asked);
    }
}
