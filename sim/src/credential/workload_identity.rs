//! `WorkloadIdentityCredential`.

use credsim_identity::{Error, WorkloadIdentityCredential};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Built, Credential, CredentialKind, Described, Keeps, Lent, RetryOptions, Source};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

/// Options of `WorkloadIdentityCredential`; what is not set comes from the variables of the host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkloadIdentityOptions {
    /// The tenant. Default: AZURE_TENANT_ID.
    pub tenant: Option<String>,
    /// The application. Default: AZURE_CLIENT_ID.
    pub client_id: Option<String>,
    /// The file with the token. Default: AZURE_FEDERATED_TOKEN_FILE.
    pub file: Option<String>,
    /// Retries of the requests to Entra.
    #[serde(default)]
    pub retry: RetryOptions,
}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = WorkloadIdentityOptions;

    const NAMES: &'static [&'static str] = &["WorkloadIdentityCredential"];
    const KEEPS: Keeps = Keeps::All;

    fn check(options: &WorkloadIdentityOptions, place: &Place, check: &mut Check<'_>) {
        if let Some(client) = &options.client_id {
            check.text(
                client,
                &place.key("client-id"),
                "the client id of an application",
            );
        }
        if let Some(file) = &options.file {
            check.text(file, &place.key("file"), "the path of a file");
        }
        options.retry.check(&place.key("retry"), check);
    }

    fn describe(options: &WorkloadIdentityOptions) -> String {
        let retry = options.retry.describe();
        let client = options.client_id.as_ref();
        let of = client.map_or_else(String::new, |client| format!(" of {client}"));
        format!("WorkloadIdentityCredential{of}{retry}")
    }

    fn members(_: &WorkloadIdentityOptions) -> &[Credential] {
        &[]
    }

    fn secrets(_: &WorkloadIdentityOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(options: &'a WorkloadIdentityOptions, names: &mut Names<'a>) {
        names.clients.extend(options.client_id.as_deref());
    }

    fn build(options: &WorkloadIdentityOptions, lent: &Lent) -> Result<Built, Error> {
        let mut builder = WorkloadIdentityCredential::builder()
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .retry(options.retry.ours());
        if let Some(tenant) = &options.tenant {
            builder = builder.tenant_id(tenant);
        }
        if let Some(client) = &options.client_id {
            builder = builder.client_id(client);
        }
        if let Some(file) = &options.file {
            builder = builder.token_file(file);
        }
        builder.build().map(Built::new)
    }

    fn describe_to_driver(options: &WorkloadIdentityOptions, _: &str) -> Described {
        Described::default()
            .option("tenant", options.tenant.as_ref())
            .option("client-id", options.client_id.as_ref())
            .option("file", options.file.as_ref())
            .retry(&options.retry)
    }

    fn retries(options: &WorkloadIdentityOptions, source: &Source) -> Option<u32> {
        match source {
            Source::Imds { .. } | Source::Endpoint => None,
            Source::Entra => Some(options.retry.most(3)),
        }
    }
}
