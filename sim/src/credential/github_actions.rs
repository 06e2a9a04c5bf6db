//! `GitHubActionsCredential`.

use credsim_identity::{Error, GitHubActionsCredential};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Built, Credential, CredentialKind, Described, Keeps, Lent, RetryOptions, Source};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

/// Options of `GitHubActionsCredential`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GitHubActionsOptions {
    /// The tenant. Default: the world's.
    pub tenant: Option<String>,
    /// The application.
    pub client_id: String,
    /// The audience of the assertion. Default: that of the cloud.
    pub audience: Option<String>,
    /// Retries of the requests to Entra.
    #[serde(default)]
    pub retry: RetryOptions,
}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = GitHubActionsOptions;

    const NAMES: &'static [&'static str] = &["GitHubActionsCredential"];
    const KEEPS: Keeps = Keeps::All;

    fn check(options: &GitHubActionsOptions, place: &Place, check: &mut Check<'_>) {
        check.text(
            &options.client_id,
            &place.key("client-id"),
            "the client id of an application",
        );
        options.retry.check(&place.key("retry"), check);
    }

    fn describe(options: &GitHubActionsOptions) -> String {
        let retry = options.retry.describe();
        format!("GitHubActionsCredential of {}{retry}", options.client_id)
    }

    fn members(_: &GitHubActionsOptions) -> &[Credential] {
        &[]
    }

    fn secrets(_: &GitHubActionsOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(options: &'a GitHubActionsOptions, names: &mut Names<'a>) {
        names.clients.insert(&options.client_id);
    }

    fn build(options: &GitHubActionsOptions, lent: &Lent) -> Result<Built, Error> {
        let tenant = options.tenant.as_ref().unwrap_or(&lent.tenant);
        let mut builder = GitHubActionsCredential::builder(tenant, &options.client_id)
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .retry(options.retry.ours());
        if let Some(audience) = &options.audience {
            builder = builder.audience(audience);
        }
        builder.build().map(Built::new)
    }

    fn describe_to_driver(options: &GitHubActionsOptions, tenant: &str) -> Described {
        Described::default()
            .option("tenant", Some(options.tenant.as_deref().unwrap_or(tenant)))
            .option("client-id", Some(&options.client_id))
            .option("audience", options.audience.as_ref())
            .retry(&options.retry)
    }

    fn retries(options: &GitHubActionsOptions, source: &Source) -> Option<u32> {
        match source {
            Source::Imds { .. } | Source::Endpoint => None,
            Source::Entra => Some(options.retry.most(3)),
        }
    }
}
