//! `ClientAssertionCredential`.

use std::{io, path::PathBuf, time::Duration};

use credsim_identity::{ClientAssertionCredential, Error, Platform, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Built, Credential, CredentialKind, Described, Keeps, Lent, RetryOptions, Source,
    described::milliseconds,
};
use crate::{
    check::{Check, Names},
    scenario::{Span, document::Place},
};

/// Options of `ClientAssertionCredential`; its callback reads a file of the host.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientAssertionOptions {
    /// The tenant. Default: the world's.
    pub tenant: Option<String>,
    /// The application.
    pub client_id: String,
    /// The file from which the callback takes the assertion.
    pub file: String,
    /// How long the callback takes. Default: 0s.
    #[serde(default)]
    pub takes: Span,
    /// How long the credential waits for it. Default: the credential's own limit.
    pub timeout: Option<Span>,
    /// Retries of the requests to Entra.
    #[serde(default)]
    pub retry: RetryOptions,
}

pub(super) struct Kind;

/// What the application's callback does.
async fn callback(platform: Platform, file: PathBuf, takes: Duration) -> io::Result<Secret> {
    if !takes.is_zero() {
        platform.clock.sleep(takes).await;
    }
    let content = platform.files.load_limited(&file, 64 * 1024).await?;
    Ok(Secret::new(String::from_utf8_lossy(&content)))
}

impl CredentialKind for Kind {
    type Options = ClientAssertionOptions;

    const NAMES: &'static [&'static str] = &["ClientAssertionCredential"];
    const KEEPS: Keeps = Keeps::All;

    fn check(options: &ClientAssertionOptions, place: &Place, check: &mut Check<'_>) {
        check.text(
            &options.client_id,
            &place.key("client-id"),
            "the client id of an application",
        );
        check.text(&options.file, &place.key("file"), "the path of a file");
        options.retry.check(&place.key("retry"), check);
    }

    fn describe(options: &ClientAssertionOptions) -> String {
        let retry = options.retry.describe();
        let (client, file) = (&options.client_id, &options.file);
        format!("ClientAssertionCredential of {client}, whose callback reads {file}{retry}")
    }

    fn members(_: &ClientAssertionOptions) -> &[Credential] {
        &[]
    }

    fn secrets(_: &ClientAssertionOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(options: &'a ClientAssertionOptions, names: &mut Names<'a>) {
        names.clients.insert(&options.client_id);
    }

    fn build(options: &ClientAssertionOptions, lent: &Lent) -> Result<Built, Error> {
        let tenant = options.tenant.as_ref().unwrap_or(&lent.tenant);
        let (platform, file, takes) =
            (lent.platform.clone(), options.file.clone(), options.takes.0);
        let callback = move || callback(platform.clone(), file.clone().into(), takes);
        let mut builder = ClientAssertionCredential::builder(tenant, &options.client_id, callback)
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .retry(options.retry.ours());
        if let Some(Span(limit)) = options.timeout {
            builder = builder.assertion_timeout(limit);
        }
        builder.build().map(Built::new)
    }

    fn describe_to_driver(options: &ClientAssertionOptions, tenant: &str) -> Described {
        Described::default()
            .option("tenant", Some(options.tenant.as_deref().unwrap_or(tenant)))
            .option("client-id", Some(&options.client_id))
            .option("file", Some(&options.file))
            .option(
                "takes",
                (!options.takes.0.is_zero()).then(|| milliseconds(options.takes)),
            )
            .option("timeout", options.timeout.map(milliseconds))
            .retry(&options.retry)
    }

    fn retries(options: &ClientAssertionOptions, source: &Source) -> Option<u32> {
        match source {
            Source::Imds { .. } | Source::Endpoint => None,
            Source::Entra => Some(options.retry.most(3)),
        }
    }
}
