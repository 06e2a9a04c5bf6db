//! The factories (RD-51, RD-52, RD-56) and what they refuse.

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    ErrorKind, ManagedIdentityId, RetryOptions,
    redis::{
        AuthorityConfig, EntraIdCredentialsProvider, EntraIdCredentialsProviderFactory as Factory,
        EntraIdProviderOptions, TokenManagerConfig, TokenRetryPolicy,
    },
};

use crate::{
    core_support::{Exchange, Host, SECOND, jwt, status},
    support::{Answer, Idp, World},
};

fn options(host: &Host) -> EntraIdProviderOptions {
    EntraIdProviderOptions {
        platform: Some(host.platform()),
        ..EntraIdProviderOptions::default()
    }
}

fn answer(body: &str) -> Exchange {
    Exchange::Answer {
        status: 200,
        headers: Vec::new(),
        body: vec![crate::core_support::Chunk::Bytes(body.as_bytes().to_vec())],
    }
}

fn good() -> Exchange {
    let token = jwt("oid-1", 1);
    answer(&format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":"3600"}}"#
    ))
}

async fn url_and_body(host: &Host, provider: EntraIdCredentialsProvider) -> (String, String) {
    host.script([good()]);
    let credentials = provider.credentials().await.unwrap();
    assert_eq!(credentials.user_name(), "oid-1");
    let request = host.requests().pop().unwrap();
    (
        request.url.to_string(),
        String::from_utf8(request.body).unwrap(),
    )
}

#[tokio::test(start_paused = true)]
async fn managed_identities() {
    let host = Host::new(0.5);
    let provider = Factory::create_for_system_assigned_managed_identity(options(&host)).unwrap();
    let (url, _) = url_and_body(&host, provider).await;
    assert!(
        url.contains("resource=https%3A%2F%2Fredis.azure.com") && !url.contains("client_id"),
        "{url}"
    );

    for (id, expected) in [
        (ManagedIdentityId::ClientId("c".to_owned()), "client_id=c"),
        (ManagedIdentityId::ObjectId("o".to_owned()), "object_id=o"),
        (ManagedIdentityId::ResourceId("r".to_owned()), "res_id=r"),
    ] {
        let host = Host::new(0.5);
        let provider =
            Factory::create_for_user_assigned_managed_identity(id, options(&host)).unwrap();
        let (url, _) = url_and_body(&host, provider).await;
        assert!(url.contains(expected), "{url}");
    }
}

/// RD-37, RD-51: never the system-assigned identity for want of an id.
#[tokio::test(start_paused = true)]
async fn a_user_assigned_identity_needs_its_id() {
    let host = Host::new(0.5);
    for id in [
        ManagedIdentityId::SystemAssigned,
        ManagedIdentityId::ClientId(String::new()),
        ManagedIdentityId::ObjectId(" ".to_owned()),
        ManagedIdentityId::ResourceId(String::new()),
    ] {
        let error = Factory::create_for_user_assigned_managed_identity(id, options(&host));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
    }
}

fn for_application(
    host: &Host,
    authority: AuthorityConfig,
) -> Result<EntraIdCredentialsProvider, credsim_identity::Error> {
    Factory::create_for_client_credentials(authority, "client", "s3cr3t", options(host))
}

#[tokio::test(start_paused = true)]
async fn client_credentials() {
    let custom = |url: &str| AuthorityConfig::Custom {
        authority_url: url.to_owned(),
    };
    let tenant = AuthorityConfig::MultiTenant {
        tenant_id: "contoso.example".to_owned(),
    };
    let public = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
    for (authority, expected) in [
        (tenant, public),
        (
            custom("https://login.microsoftonline.com/contoso.example"),
            public,
        ),
        (
            custom("https://login.microsoftonline.com/contoso.example/"),
            public,
        ),
        (
            custom("https://login.example:8443/some/path/contoso.example"),
            "https://login.example:8443/some/path/contoso.example/oauth2/v2.0/token",
        ),
    ] {
        let host = Host::new(0.5);
        let provider = for_application(&host, authority).unwrap();
        let (url, body) = url_and_body(&host, provider).await;
        assert_eq!(url, expected);
        assert!(
            body.contains("scope=https%3A%2F%2Fredis.azure.com%2F.default"),
            "{body}"
        );
    }

    let host = Host::new(0.5);
    for authority in [
        AuthorityConfig::Default,
        AuthorityConfig::MultiTenant {
            tenant_id: String::new(),
        },
        AuthorityConfig::MultiTenant {
            tenant_id: "common".to_owned(),
        },
        custom("https://login.microsoftonline.com/common"),
        custom("https://login.microsoftonline.com"),
        custom("http://login.microsoftonline.com/contoso.example"),
        custom("https://login.microsoftonline.com/contoso.example?x=y"),
        custom("https://user:pass@login.microsoftonline.com/contoso.example"),
        custom("contoso.example"),
        custom("data:contoso.example"),
        custom(""),
    ] {
        let error = for_application(&host, authority.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{authority:?}");
        assert!(error.help().is_some(), "{authority:?}");
        assert!(!error.to_string().contains("pass"), "{error}");
        if let AuthorityConfig::MultiTenant { tenant_id } = &authority
            && tenant_id.is_empty()
        {
            assert_eq!(error.message(), "the tenant id of the authority is empty");
        }
        let is_no_url = ["http:", "contoso", "data:"];
        if let AuthorityConfig::Custom { authority_url: url } = &authority
            && (is_no_url.iter().any(|start| url.starts_with(start)) || url.ends_with(".com"))
        {
            let message = "the custom authority is not an https URL that ends in a tenant";
            assert_eq!(error.message(), message, "{url}");
        }
    }
}

/// One loop: the manager's, unless the caller wants another.
#[tokio::test(start_paused = true)]
async fn the_credential_makes_no_retries_of_its_own() {
    let host = Host::new(0.5);
    host.script([status(500), status(500), good()]);
    let provider = Factory::create_for_system_assigned_managed_identity(options(&host)).unwrap();
    provider.credentials().await.unwrap();
    let times: Vec<f64> = host.times().iter().map(Duration::as_secs_f64).collect();
    assert_eq!(times, [0.0, 1.0, 3.0], "the waits of the manager");

    let host = Host::new(0.5);
    host.script([status(500), status(500), good()]);
    let options = EntraIdProviderOptions {
        credential_retry: RetryOptions {
            max_retries: Some(2),
            ..RetryOptions::default()
        },
        ..options(&host)
    };
    let provider = Factory::create_for_system_assigned_managed_identity(options).unwrap();
    provider.credentials().await.unwrap();
    let times: Vec<f64> = host.times().iter().map(Duration::as_secs_f64).collect();
    assert_eq!(times, [0.0, 0.8, 2.4], "those of PR-10");
}

/// PR-31: IMDS that is being updated (MI-64) or not reached is tried again.
#[tokio::test(start_paused = true)]
async fn what_a_managed_identity_meets_is_retried() {
    use credsim_identity::platform::TransportErrorKind;
    for trouble in [
        status(404),
        status(410),
        status(429),
        Exchange::Error(TransportErrorKind::Refused),
        Exchange::Hang,
    ] {
        let host = Host::new(0.5);
        host.script([trouble, good()]);
        let provider =
            Factory::create_for_system_assigned_managed_identity(options(&host)).unwrap();
        provider.credentials().await.unwrap();
        assert_eq!(host.times().len(), 2);
    }
}

/// RDD-21: without the scope of Redis, the token would be one for Graph.
#[tokio::test(start_paused = true)]
async fn pkce_adds_the_scope_of_redis() {
    let scopes_of = |given: Option<&[&str]>| {
        let host = Host::new(0.5);
        let idp = Idp::new(&host, [Answer::Hangs]);
        let options = EntraIdProviderOptions {
            scopes: given.map(|scopes| scopes.iter().map(|&s| s.to_owned()).collect()),
            ..options(&host)
        };
        let provider = Factory::create_for_authorization_code_with_pkce(idp, options).unwrap();
        format!("{provider:?}")
    };
    let redis = "https://redis.azure.com/.default";
    for (given, expected) in [
        (None, vec![redis]),
        (Some(["user.read"].as_slice()), vec!["user.read", redis]),
        (Some(&[redis]), vec![redis]),
        (
            Some(&["acca5fbb-b7e4-4009-81f1-37e38fd66d78/.default"]),
            vec!["acca5fbb-b7e4-4009-81f1-37e38fd66d78/.default"],
        ),
        (
            Some(&["https://redis.azure.com"]),
            vec!["https://redis.azure.com"],
        ),
        (
            Some(&["https://redis.azure.com.example/.default"]),
            vec!["https://redis.azure.com.example/.default", redis],
        ),
    ] {
        let shown = scopes_of(given);
        assert!(shown.contains(&format!("scopes: {expected:?}")), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_credentials_are_shared() {
    let host = Host::new(0.5);
    for make in [
        Factory::create_for_token_credential,
        Factory::create_for_client_credentials_with_certificate,
        Factory::create_for_authorization_code_with_pkce,
    ] {
        let idp = Idp::new(&host, [Answer::Token(3600 * SECOND)]);
        let provider = make(idp.clone(), options(&host)).unwrap();
        assert_eq!(provider.credentials().await.unwrap().user_name(), "oid-1");
        provider.dispose();
        assert!(!idp.is_disposed());
    }
}

/// RD-37.
#[tokio::test(start_paused = true)]
async fn scopes_must_say_something() {
    let world = World::new([Answer::Hangs]);
    for scopes in [
        vec![],
        vec![""],
        vec![" "],
        vec!["https://redis.azure.com/.default", "\t"],
    ] {
        let builder = EntraIdCredentialsProvider::builder_shared(world.idp.clone());
        let builder = builder.platform(world.host.platform()).scopes(scopes);
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

/// RD-04, RD-05: what makes no sense is refused at once, and everything has a default.
#[test]
fn the_configuration_is_checked() {
    let good = TokenManagerConfig::default;
    good().validate().unwrap();
    let mut bad = Vec::new();
    for ratio in [0.0, -0.1, 1.01, f64::NAN, f64::INFINITY] {
        bad.push(TokenManagerConfig {
            expiration_refresh_ratio: ratio,
            ..good()
        });
    }
    bad.push(TokenManagerConfig {
        request_timeout: Duration::ZERO,
        ..good()
    });
    let retry = |change: fn(&mut TokenRetryPolicy)| {
        let mut config = good();
        change(&mut config.retry);
        config
    };
    bad.extend([
        retry(|r| r.backoff_multiplier = 0.99),
        retry(|r| r.backoff_multiplier = f64::NAN),
        retry(|r| r.backoff_multiplier = f64::INFINITY),
        retry(|r| r.jitter = -0.1),
        retry(|r| r.jitter = 1.0),
        retry(|r| r.jitter = f64::NAN),
        retry(|r| r.initial_delay = Duration::from_millis(99)),
        retry(|r| r.max_delay = Duration::from_millis(999)),
    ]);
    for config in bad {
        let error = config.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{config:?}");
        assert!(error.help().is_some());
    }
    retry(|r| r.max_attempts = 0).validate().unwrap();
    retry(|r| r.initial_delay = Duration::from_millis(100))
        .validate()
        .unwrap();
    retry(|r| r.max_delay = r.initial_delay).validate().unwrap();
    retry(|r| r.backoff_multiplier = 1.0).validate().unwrap();
    retry(|r| r.max_attempts = u32::MAX).validate().unwrap();
    let ends = TokenManagerConfig {
        expiration_refresh_ratio: 1.0,
        ..good()
    };
    ends.validate().unwrap();
    let _: Arc<dyn Fn(&credsim_identity::Error) -> bool + Send + Sync> = good().retry.is_retryable;
}

#[test]
fn a_wrong_configuration_makes_no_provider() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let host = Host::new(0.5);
        let options = EntraIdProviderOptions {
            config: TokenManagerConfig {
                expiration_refresh_ratio: f64::NAN,
                ..Default::default()
            },
            ..options(&host)
        };
        let error = Factory::create_for_system_assigned_managed_identity(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    });
}
