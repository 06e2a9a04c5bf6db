//! Our credentials for clients of `azure_core`, and theirs among ours.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use std::{
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential as Theirs, TokenRequestOptions},
    error::ErrorKind as TheirKind,
    time::{Duration, OffsetDateTime},
};
use core_support::{Host, Source};
use credsim_identity::{
    Cached, ChainedTokenCredential, Error, ErrorKind, TokenCredential, TokenRequest,
    adapters::azure_core::{AzureCoreCredential, ForAzureCore},
    platform::BoxFuture,
};

/// A credential of ours around a source.
#[derive(Debug)]
struct Ours(Source);

impl TokenCredential for Ours {
    fn name(&self) -> &str {
        "Ours"
    }

    fn get_token<'a>(
        &'a self,
        _: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<credsim_identity::AccessToken, Error>> {
        self.0.fetch()
    }
}

/// A credential of theirs, without a cache.
#[derive(Debug, Default)]
struct Foreign {
    asked: AtomicUsize,
    fails: Option<&'static str>,
}

#[async_trait::async_trait]
impl Theirs for Foreign {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["scope"]);
        let number = self.asked.fetch_add(1, Relaxed) + 1;
        if let Some(why) = self.fails {
            return Err(azure_core::Error::with_message(TheirKind::Credential, why));
        }
        // After any moment of a test host, whose clock begins in 2026.
        let ends = OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap();
        Ok(AccessToken::new(
            Secret::new(format!("their token {number}")),
            ends + Duration::hours(1),
        ))
    }
}

fn request() -> TokenRequest {
    TokenRequest::new(["scope"])
}

#[tokio::test(start_paused = true)]
async fn our_token_reaches_their_clients_with_its_end() {
    let host = Host::new(0.0);
    let source = Source::new(&host);
    let ours = Cached::on(host.platform(), Ours(source.clone()));
    let theirs: Arc<dyn Theirs> = Arc::new(ForAzureCore::new(ours.clone()));
    for _ in 0..3 {
        let token = theirs.get_token(&["scope"], None).await.unwrap();
        let same = ours.get_token(&request()).await.unwrap();
        assert_eq!(token.token.secret(), same.secret());
        assert_eq!(
            token.expires_on.unix_timestamp_nanos(),
            same.expires_on().as_nanosecond()
        );
    }
    assert_eq!(source.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn our_error_reaches_their_clients_as_it_is() {
    let host = Host::new(0.0);
    let source = Source::new(&host);
    source.fails();
    let theirs = ForAzureCore::new(Ours(source));
    let error = Theirs::get_token(&theirs, &["scope"], None)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), TheirKind::Credential);
    assert!(error.to_string().contains("scripted"), "{error}");
    let ours = error
        .source()
        .and_then(|source| source.downcast_ref::<Error>());
    assert_eq!(ours.map(Error::kind), Some(ErrorKind::Failed));
}

#[tokio::test(start_paused = true)]
async fn pr_27_their_credential_gets_our_cache() {
    let host = Host::new(0.0);
    let foreign = Arc::new(Foreign::default());
    let bare = AzureCoreCredential::new("Contoso", foreign.clone());
    let cached = Cached::on(host.platform(), bare.clone());
    for _ in 0..3 {
        let token = cached.get_token(&request()).await.unwrap();
        assert_eq!(token.secret(), "their token 1");
        assert_eq!((token.answered_by(), cached.name()), ("Contoso", "Contoso"));
    }
    assert_eq!(foreign.asked.load(Relaxed), 1);
    assert_eq!(
        bare.get_token(&request()).await.unwrap().secret(),
        "their token 2"
    );
}

#[tokio::test(start_paused = true)]
async fn pr_02_their_credential_in_our_chain_ends_it_unless_it_is_not_available() {
    let host = Host::new(0.0);
    let theirs = AzureCoreCredential::new(
        "Contoso",
        Arc::new(Foreign {
            fails: Some("no identity here"),
            ..Foreign::default()
        }),
    );
    let chain = |theirs: &AzureCoreCredential| {
        ChainedTokenCredential::builder()
            .platform(host.platform())
            .credential(theirs.clone())
            .credential(Ours(Source::new(&host)))
            .build()
            .unwrap()
    };
    let error = chain(&theirs).get_token(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("no identity here"), "{error}");
    let bare = theirs.get_token(&request()).await.unwrap_err();
    assert!(
        bare.source()
            .is_some_and(|theirs| theirs.is::<azure_core::Error>())
    );

    let known = theirs.unavailable_when(|error| error.to_string().contains("no identity"));
    let token = chain(&known).get_token(&request()).await.unwrap();
    assert_eq!(token.secret(), "token 1");
}

#[tokio::test(start_paused = true)]
async fn what_their_trait_does_not_take_is_refused() {
    let foreign = Arc::new(Foreign::default());
    let theirs = AzureCoreCredential::new("Contoso", foreign.clone());
    for (request, what) in [
        (request().with_tenant("t"), "a tenant"),
        (request().with_claims("{}"), "claims"),
    ] {
        let error = theirs.get_token(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().contains(what), "{error}");
    }
    assert_eq!(foreign.asked.load(Relaxed), 0);
}
