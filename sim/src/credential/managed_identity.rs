//! `ManagedIdentityCredential`.

use credsim_identity::{Error, ManagedIdentityCredential};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Built, Credential, CredentialKind, Described, Keeps, Lent, RetryOptions, Source};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

/// Options of `ManagedIdentityCredential`; at most one id.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManagedIdentityOptions {
    /// The user-assigned identity by client id.
    pub client_id: Option<String>,
    /// The user-assigned identity by object id.
    pub object_id: Option<String>,
    /// The user-assigned identity by resource id.
    pub resource_id: Option<String>,
    /// Retries.
    #[serde(default)]
    pub retry: RetryOptions,
}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = ManagedIdentityOptions;

    const NAMES: &'static [&'static str] = &["ManagedIdentityCredential"];
    const KEEPS: Keeps = Keeps::All;

    fn check(options: &ManagedIdentityOptions, place: &Place, check: &mut Check<'_>) {
        let given = [
            ("client-id", &options.client_id),
            ("object-id", &options.object_id),
            ("resource-id", &options.resource_id),
        ];
        let mut given = given
            .iter()
            .filter_map(|(key, id)| Some((*key, id.as_deref()?)));
        let first = given.next();
        for (key, id) in first.into_iter().chain(given.clone()) {
            check.text(
                id,
                &place.key(key),
                "an id; leave it out for the system-assigned identity",
            );
        }
        if let (Some((first, _)), Some((second, _))) = (first, given.next()) {
            check
                .at_key(
                    &place.key(second),
                    "a managed identity is named by one id only",
                )
                .label(format!("`{first}` names it already"))
                .expected("at most one of `client-id`, `object-id` and `resource-id`")
                .help("keep one of them, or expect `that.not-built` if this is the story");
        }
        options.retry.check(&place.key("retry"), check);
    }

    fn describe(options: &ManagedIdentityOptions) -> String {
        let ids = [&options.client_id, &options.object_id, &options.resource_id];
        let id = ids.into_iter().flatten().next().map(|id| format!(" {id}"));
        let id = id.unwrap_or_else(|| " of the system".to_owned());
        format!("ManagedIdentityCredential{id}{}", options.retry.describe())
    }

    fn members(_: &ManagedIdentityOptions) -> &[Credential] {
        &[]
    }

    fn secrets(_: &ManagedIdentityOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(_: &'a ManagedIdentityOptions, _: &mut Names<'a>) {}

    fn build(options: &ManagedIdentityOptions, lent: &Lent) -> Result<Built, Error> {
        let mut builder = ManagedIdentityCredential::builder()
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .retry(options.retry.ours());
        if let Some(id) = &options.client_id {
            builder = builder.client_id(id);
        }
        if let Some(id) = &options.object_id {
            builder = builder.object_id(id);
        }
        if let Some(id) = &options.resource_id {
            builder = builder.resource_id(id);
        }
        builder.build().map(Built::new)
    }

    fn describe_to_driver(options: &ManagedIdentityOptions, _: &str) -> Described {
        Described::default()
            .option("client-id", options.client_id.as_ref())
            .option("object-id", options.object_id.as_ref())
            .option("resource-id", options.resource_id.as_ref())
            .retry(&options.retry)
    }

    fn retries(options: &ManagedIdentityOptions, source: &Source) -> Option<u32> {
        match source {
            Source::Imds { .. } | Source::Endpoint => Some(options.retry.most(5)),
            Source::Entra => None,
        }
    }
}
