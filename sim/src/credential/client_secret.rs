//! `ClientSecretCredential`.

use credsim_identity::{ClientSecretCredential, Error};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Built, Credential, CredentialKind, Described, Keeps, Lent, RetryOptions, Source};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

/// Options of `ClientSecretCredential`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientSecretOptions {
    /// The tenant. Default: the world's.
    pub tenant: Option<String>,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub secret: String,
    /// Retries.
    #[serde(default)]
    pub retry: RetryOptions,
}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = ClientSecretOptions;

    const NAMES: &'static [&'static str] = &["ClientSecretCredential"];
    const KEEPS: Keeps = Keeps::All;

    fn check(options: &ClientSecretOptions, place: &Place, check: &mut Check<'_>) {
        check.text(
            &options.client_id,
            &place.key("client-id"),
            "the client id of an application",
        );
        check.text(
            &options.secret,
            &place.key("secret"),
            "the secret of the application",
        );
        options.retry.check(&place.key("retry"), check);
    }

    fn describe(options: &ClientSecretOptions) -> String {
        let retry = options.retry.describe();
        format!("ClientSecretCredential of {}{retry}", options.client_id)
    }

    fn members(_: &ClientSecretOptions) -> &[Credential] {
        &[]
    }

    fn secrets(options: &ClientSecretOptions) -> Vec<&str> {
        vec![&options.secret]
    }

    fn names<'a>(options: &'a ClientSecretOptions, names: &mut Names<'a>) {
        names.clients.insert(&options.client_id);
    }

    fn build(options: &ClientSecretOptions, lent: &Lent) -> Result<Built, Error> {
        let tenant = options.tenant.as_ref().unwrap_or(&lent.tenant);
        ClientSecretCredential::builder(tenant, &options.client_id, &options.secret)
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .retry(options.retry.ours())
            .build()
            .map(Built::new)
    }

    fn describe_to_driver(options: &ClientSecretOptions, tenant: &str) -> Described {
        Described::default()
            .option("tenant", Some(options.tenant.as_deref().unwrap_or(tenant)))
            .option("client-id", Some(&options.client_id))
            .option("secret", Some(&options.secret))
            .retry(&options.retry)
    }

    fn retries(options: &ClientSecretOptions, source: &Source) -> Option<u32> {
        match source {
            Source::Imds { .. } | Source::Endpoint => None,
            Source::Entra => Some(options.retry.most(3)),
        }
    }
}
