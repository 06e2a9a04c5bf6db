//! `AzurePipelinesCredential`.

use credsim_identity::{AzurePipelinesCredential, Error};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Built, Credential, CredentialKind, Described, Keeps, Lent, RetryOptions, Source};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
    service::pipelines,
};

/// Options of `AzurePipelinesCredential`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AzurePipelinesOptions {
    /// The tenant. Default: the world's.
    pub tenant: Option<String>,
    /// The application.
    pub client_id: String,
    /// The id of the service connection. Default: that of `world.pipelines`, if it has the default.
    #[serde(default = "service_connection_id")]
    pub service_connection_id: String,
    /// The token of the job. Default: that of `world.pipelines`, if it has the default.
    #[serde(default = "system_access_token")]
    pub system_access_token: String,
    /// Retries of the requests to Entra.
    #[serde(default)]
    pub retry: RetryOptions,
}

fn service_connection_id() -> String {
    pipelines::SERVICE_CONNECTION_ID.to_owned()
}

fn system_access_token() -> String {
    pipelines::SYSTEM_ACCESS_TOKEN.to_owned()
}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = AzurePipelinesOptions;

    const NAMES: &'static [&'static str] = &["AzurePipelinesCredential"];
    const KEEPS: Keeps = Keeps::All;

    fn check(options: &AzurePipelinesOptions, place: &Place, check: &mut Check<'_>) {
        check.text(
            &options.client_id,
            &place.key("client-id"),
            "the client id of an application",
        );
        check.text(
            &options.service_connection_id,
            &place.key("service-connection-id"),
            "the id of a service connection",
        );
        options.retry.check(&place.key("retry"), check);
    }

    fn describe(options: &AzurePipelinesOptions) -> String {
        let retry = options.retry.describe();
        format!("AzurePipelinesCredential of {}{retry}", options.client_id)
    }

    fn members(_: &AzurePipelinesOptions) -> &[Credential] {
        &[]
    }

    fn secrets(options: &AzurePipelinesOptions) -> Vec<&str> {
        vec![&options.system_access_token]
    }

    fn names<'a>(options: &'a AzurePipelinesOptions, names: &mut Names<'a>) {
        names.clients.insert(&options.client_id);
    }

    fn build(options: &AzurePipelinesOptions, lent: &Lent) -> Result<Built, Error> {
        let tenant = options.tenant.as_ref().unwrap_or(&lent.tenant);
        let (client, connection) = (&options.client_id, &options.service_connection_id);
        let token = &options.system_access_token;
        AzurePipelinesCredential::builder(tenant, client, connection, token)
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .retry(options.retry.ours())
            .build()
            .map(Built::new)
    }

    fn describe_to_driver(options: &AzurePipelinesOptions, tenant: &str) -> Described {
        Described::default()
            .option("tenant", Some(options.tenant.as_deref().unwrap_or(tenant)))
            .option("client-id", Some(&options.client_id))
            .option(
                "service-connection-id",
                Some(&options.service_connection_id),
            )
            .option("system-access-token", Some(&options.system_access_token))
            .retry(&options.retry)
    }

    fn retries(options: &AzurePipelinesOptions, source: &Source) -> Option<u32> {
        match source {
            Source::Imds { .. } | Source::Endpoint => None,
            Source::Entra => Some(options.retry.most(3)),
        }
    }
}
