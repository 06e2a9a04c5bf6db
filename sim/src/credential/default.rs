//! `DefaultAzureCredential`.

use credsim_identity::{DefaultAzureCredential, Error};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Built, ContinueAfter, Credential, CredentialKind, Described, FallbackPolicy, Keeps, Lent,
    RetryOptions, Source, walk,
};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

/// Options of `DefaultAzureCredential`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DefaultOptions {
    /// The application that its WorkloadIdentityCredential signs in as. Default: AZURE_CLIENT_ID.
    pub workload_identity_client_id: Option<String>,
    /// The user-assigned identity that its ManagedIdentityCredential asks for.
    pub managed_identity_client_id: Option<String>,
    /// Environment variables that must be set.
    #[serde(default)]
    pub required_variables: Vec<String>,
    /// After which errors it goes on. Default: unavailable.
    #[serde(default)]
    pub continue_after: ContinueAfter,
    /// What happens when another identity would answer. Default: report.
    #[serde(default)]
    pub fallback_policy: FallbackPolicy,
    /// Retries of its ManagedIdentityCredential.
    #[serde(default)]
    pub retry: RetryOptions,
}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = DefaultOptions;

    /// Its own name and those of its members.
    const NAMES: &'static [&'static str] = &[
        "DefaultAzureCredential",
        "EnvironmentCredential",
        "WorkloadIdentityCredential",
        "ManagedIdentityCredential",
        "VisualStudioCodeCredential",
        "AzureCliCredential",
        "AzurePowerShellCredential",
        "AzureDeveloperCliCredential",
        "BrokerCredential",
    ];
    const KEEPS: Keeps = Keeps::AsItsMember;

    fn check(options: &DefaultOptions, place: &Place, check: &mut Check<'_>) {
        for (index, name) in options.required_variables.iter().enumerate() {
            let place = place.key("required-variables").index(index);
            check.text(name, &place, "the name of an environment variable");
        }
        options.retry.check(&place.key("retry"), check);
    }

    fn describe(options: &DefaultOptions) -> String {
        let mut text = "DefaultAzureCredential".to_owned();
        if let Some(client) = &options.managed_identity_client_id {
            text += &format!(", its managed identity is {client}");
        }
        if let Some(client) = &options.workload_identity_client_id {
            text += &format!(", its workload identity is {client}");
        }
        if !options.required_variables.is_empty() {
            let names = options.required_variables.join(" and ");
            text += &format!(", insists on {names}");
        }
        text + &walk::describe(options.continue_after, options.fallback_policy)
            + &options.retry.describe()
    }

    fn members(_: &DefaultOptions) -> &[Credential] {
        &[]
    }

    fn secrets(_: &DefaultOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(options: &'a DefaultOptions, names: &mut Names<'a>) {
        names.has_chain = true;
        names
            .clients
            .extend(options.workload_identity_client_id.as_deref());
        names.refuses |= options.fallback_policy == FallbackPolicy::Refuse;
    }

    fn build(options: &DefaultOptions, lent: &Lent) -> Result<Built, Error> {
        let mut builder = DefaultAzureCredential::builder()
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .required_env_vars(options.required_variables.iter().cloned())
            .continue_after(options.continue_after.ours())
            .fallback_policy(options.fallback_policy.ours())
            .retry(options.retry.ours());
        if let Some(id) = &options.managed_identity_client_id {
            builder = builder.managed_identity_client_id(id);
        }
        if let Some(id) = &options.workload_identity_client_id {
            builder = builder.workload_identity_client_id(id);
        }
        builder.build().map(Built::new)
    }

    fn describe_to_driver(options: &DefaultOptions, _: &str) -> Described {
        let variables = Some(&options.required_variables);
        Described::default()
            .option(
                "managed-identity-client-id",
                options.managed_identity_client_id.as_ref(),
            )
            .option(
                "workload-identity-client-id",
                options.workload_identity_client_id.as_ref(),
            )
            .option(
                "required-variables",
                variables.filter(|names| !names.is_empty()),
            )
            .walk(options.continue_after, options.fallback_policy)
            .retry(&options.retry)
    }

    fn retries(options: &DefaultOptions, source: &Source) -> Option<u32> {
        Some(match source {
            Source::Imds { selected: true } | Source::Endpoint => options.retry.most(5),
            // Inside the chain a managed identity that does not answer is passed over at once.
            Source::Imds { selected: false } => 0,
            // Its EnvironmentCredential takes no options.
            Source::Entra => 3,
        })
    }
}
