//! Options reach the credential that they are given to, whichever way they are given (PR-06).

use std::sync::Arc;

use credsim_identity::{
    AzureCliCredential, Cached, ChainedTokenCredential, ClientSecretCredential, CommonOptions,
    DefaultAzureCredential, EnvironmentCredential, ManagedIdentityCredential, TokenCredential,
    TokenCredentialExt, TokenRequest,
};

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

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
async fn every_credential_says_what_it_is() {
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
    let options = CommonOptions::default().with_observer(Arc::new(Notes::default()));
    let debug = format!("{options:?}");
    assert!(
        debug.contains("observer: true") && debug.contains("10000"),
        "{debug}"
    );
}
