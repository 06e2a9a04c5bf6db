//! Options reach the credential that they are given to, whichever way they are given (PR-06).

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AzureCliCredential, Cached, ChainedTokenCredential, ClientSecretCredential, CommonOptions,
    ContinueAfter, DefaultAzureCredential, EnvironmentCredential, ErrorKind, FallbackPolicy,
    ManagedIdentityCredential, TokenCredential, TokenCredentialExt, TokenRequest,
    chain::DefaultAzureCredentialBuilder, platform::TransportErrorKind,
};

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

const MINUTE: Duration = Duration::from_secs(60);

/// PR-29: an option that is lost lets the memory grow to 10,000 tokens.
#[tokio::test(start_paused = true)]
async fn a_cache_keeps_no_more_than_its_capacity() {
    let stub = Stub::new();
    stub.on_http(|_| imds_token("oid", 86_400));
    let one = CommonOptions::default()
        .with_platform(stub.platform())
        .with_cache_capacity(1);
    let puppet = || Shared(Puppet::new("Foreign", Ok("oid")));
    let identity = || ManagedIdentityCredential::builder().platform(stub.platform());
    let application = || ClientSecretCredential::builder("t", "c", "s").platform(stub.platform());
    let credentials: [Arc<dyn TokenCredential>; 5] = [
        Arc::new(identity().cache_capacity(1).build().unwrap()),
        Arc::new(identity().options(one.clone()).build().unwrap()),
        Arc::new(application().cache_capacity(1).build().unwrap()),
        Arc::new(Cached::on(stub.platform(), puppet()).capacity(1)),
        Arc::new(Cached::with_options(puppet(), &one)),
    ];
    let [first, second] = ["https://first", "https://second"].map(|s| TokenRequest::new([s]));
    for credential in credentials {
        credential.get_token(&first).await.unwrap();
        credential.get_token(&second).await.unwrap();
        assert!(credential.cached(&first).is_none(), "{credential:?}");
        assert!(credential.cached(&second).is_some(), "{credential:?}");
    }
}

/// `Debug` of a credential is what people look at first when something is wrong.
#[tokio::test(start_paused = true)]
async fn debug_names_the_credential_and_its_options() {
    let stub = Stub::new();
    let platform = || stub.platform();
    let cli = || {
        let builder = AzureCliCredential::builder().platform(platform());
        builder.tenant_id("contoso.example").build().unwrap()
    };
    let application = ClientSecretCredential::builder("contoso.example", "client", "s3cr3t");
    let whole = Stub::new()
        .var("AZURE_TENANT_ID", "contoso.example")
        .var("AZURE_CLIENT_ID", "client")
        .var("AZURE_CLIENT_SECRET", "s3cr3t");
    let environment = |stub: &Arc<Stub>| {
        let builder = EnvironmentCredential::builder().platform(stub.platform());
        builder.build().unwrap()
    };
    let identity = ManagedIdentityCredential::builder().platform(platform());
    let credentials: [(Arc<dyn TokenCredential>, &[&str]); 8] = [
        (Arc::new(cli()), &["AzureCliCredential", "contoso.example"]),
        (
            Arc::new(application.platform(platform()).build().unwrap()),
            &["contoso.example", "client"],
        ),
        (
            Arc::new(environment(&whole)),
            &["contoso.example", "client"],
        ),
        (
            Arc::new(environment(&stub)),
            &["EnvironmentCredential", "AZURE_TENANT_ID"],
        ),
        (
            Arc::new(identity.client_id("mine").build().unwrap()),
            &["ManagedIdentity", "mine"],
        ),
        (
            Arc::new(Cached::on(platform(), cli())),
            &["Cached", "AzureCliCredential"],
        ),
        (
            Arc::new(
                ChainedTokenCredential::builder()
                    .credential(cli())
                    .build()
                    .unwrap(),
            ),
            &["ChainedTokenCredential", "AzureCliCredential", "Report"],
        ),
        (
            Arc::new(
                DefaultAzureCredential::builder()
                    .platform(platform())
                    .build()
                    .unwrap(),
            ),
            &["DefaultAzureCredential", "BrokerCredential", "Report"],
        ),
    ];
    for (credential, words) in credentials {
        let name = credential.name();
        assert!(name.ends_with("Credential"), "{name}");
        let debug = format!("{credential:?}");
        assert!(words.iter().all(|word| debug.contains(word)), "{debug}");
        assert!(!debug.contains("s3cr3t"), "{debug}");
    }
}

#[test]
fn debug_of_options_names_their_values() {
    let options = CommonOptions::default().with_observer(Arc::new(Notes::default()));
    let debug = format!("{options:?}");
    assert!(
        debug.contains("observer: true") && debug.contains("cache_capacity: 10000"),
        "{debug}"
    );
}

/// PR-04: every way to give an observer.
#[tokio::test(start_paused = true)]
async fn every_observer_is_notified() {
    let stub = Stub::new();
    let notes = Arc::new(Notes::default());
    let puppet = Puppet::new("Foreign", Ok("a"));
    let foreign = || Shared(puppet.clone());
    let common = || CommonOptions::default().with_platform(stub.platform());
    let observed = common().with_observer(notes.clone());
    let chain = ChainedTokenCredential::builder().platform(stub.platform());
    let credentials: [Arc<dyn TokenCredential>; 3] = [
        Arc::new(Cached::with_options(foreign(), &observed)),
        Arc::new(Cached::with_options(foreign(), &common()).observer(notes.clone())),
        Arc::new(
            chain
                .credential(foreign())
                .observer(notes.clone())
                .build()
                .unwrap(),
        ),
    ];
    for credential in credentials {
        puppet.will(Ok("a"));
        credential.get_token(&request()).await.unwrap();
        puppet.will(Ok("b"));
        let forced = request().with_force_refresh(true);
        credential.get_token(&forced).await.unwrap();
        let told = notes.taken();
        let change = "changed Foreign as a -> Foreign as b".to_owned();
        assert!(told.contains(&change), "{told:?}");
    }
}

/// A cache around a credential is one with it.
#[tokio::test(start_paused = true)]
async fn a_cache_passes_on_what_it_wraps() {
    let stub = Stub::new();
    stub.on_http(|_| imds_token("vm", 86_400));
    let builder = ManagedIdentityCredential::builder().platform(stub.platform());
    let inner = builder.build().unwrap();
    let never_answers = |cached: &dyn TokenCredential| cached.fast_path().unwrap().never_answers();
    let cached = Cached::on(stub.platform(), inner.clone());
    assert!(!never_answers(&cached));
    cached.get_token(&request()).await.unwrap();
    cached.dispose();
    assert_eq!(failure(&inner).await.kind(), ErrorKind::Cancelled, "PR-29");

    let builder = EnvironmentCredential::builder().platform(stub.platform());
    let cached = Cached::on(stub.platform(), builder.build().unwrap());
    assert!(never_answers(&cached), "PR-03");
}

fn default_chain(stub: &Arc<Stub>) -> DefaultAzureCredentialBuilder {
    DefaultAzureCredential::builder().platform(stub.platform())
}

#[tokio::test(start_paused = true)]
async fn the_default_chain_passes_its_options_on() {
    let stub = Stub::new();
    stub.on_http(|_| imds_token("vm", 86_400));
    let named = default_chain(&stub).managed_identity_object_id("chosen");
    named.build().unwrap().get_token(&request()).await.unwrap();
    let urls = stub.urls();
    assert!(urls[1].ends_with("&object_id=chosen"), "{urls:?}");

    let stub = Stub::new().var("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential");
    *stub.command_takes.lock().unwrap() = MINUTE;
    let impatient = default_chain(&stub).process_timeout(Duration::from_secs(2));
    let error = failure(&impatient.build().unwrap()).await;
    assert!(
        error.message().contains("did not end within 2 s"),
        "{error}"
    );

    // PR-04: the managed identity goes, and the person's login is not taken.
    let stub = Stub::new();
    stub.on_http(|_| imds_token("vm", 60));
    stub.on_command(|_| az_token("alice", 86_400));
    let strict = default_chain(&stub).fallback_policy(FallbackPolicy::Refuse);
    let strict = strict.build().unwrap();
    strict.get_token(&request()).await.unwrap();
    stub.on_http(|_| reply(400, "Identity not found"));
    tokio::time::sleep(MINUTE).await;
    let error = failure(&strict).await;
    assert!(
        error.chain().unwrap().change.as_ref().unwrap().refused,
        "{error}"
    );

    // PR-02: an IMDS that fails is no reason to go on, unless the chain was told so.
    let stub = Stub::new();
    stub.on_http(|_| reply(500, "{}"));
    stub.on_command(|_| az_token("alice", 86_400));
    let strict = default_chain(&stub).build().unwrap();
    assert_eq!(failure(&strict).await.kind(), ErrorKind::Failed);
    let lenient = default_chain(&stub).continue_after(ContinueAfter::Failure);
    let token = lenient
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap();
    assert_eq!(token.answered_by(), "AzureCliCredential");
}

/// PR-13: a client that cannot send the request is wrong use, and does not show that the service is
/// missing.
#[tokio::test(start_paused = true)]
async fn a_probe_that_cannot_be_sent_stops_the_default_chain() {
    use TransportErrorKind::{NoClient, Unsupported};
    for kind in [NoClient, Unsupported] {
        let stub = Stub::new();
        stub.on_http(move |_| Answer::Fails(kind));
        stub.on_command(|_| az_token("alice", 86_400));
        let error = failure(&default_chain(&stub).build().unwrap()).await;
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(
            error.message().contains("ManagedIdentityCredential failed"),
            "{error}"
        );
    }
}
