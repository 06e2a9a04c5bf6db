//! `EnvironmentCredential`.

use credsim_identity::{EnvironmentCredential, Error};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Built, Credential, CredentialKind, Described, Keeps, Lent, Source};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

/// Options of `EnvironmentCredential`: none; it reads `world.environment`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EnvironmentOptions {}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = EnvironmentOptions;

    const NAMES: &'static [&'static str] = &["EnvironmentCredential"];
    const KEEPS: Keeps = Keeps::All;

    fn check(_: &EnvironmentOptions, _: &Place, _: &mut Check<'_>) {}

    fn describe(_: &EnvironmentOptions) -> String {
        "EnvironmentCredential".to_owned()
    }

    fn members(_: &EnvironmentOptions) -> &[Credential] {
        &[]
    }

    fn secrets(_: &EnvironmentOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(_: &'a EnvironmentOptions, _: &mut Names<'a>) {}

    fn build(_: &EnvironmentOptions, lent: &Lent) -> Result<Built, Error> {
        EnvironmentCredential::builder()
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .build()
            .map(Built::new)
    }

    fn describe_to_driver(_: &EnvironmentOptions, _: &str) -> Described {
        Described::default()
    }

    fn retries(_: &EnvironmentOptions, source: &Source) -> Option<u32> {
        match source {
            Source::Imds { .. } | Source::Endpoint => None,
            Source::Entra => Some(3),
        }
    }
}
