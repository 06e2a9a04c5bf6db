//! `Cached` around another credential.

use credsim_identity::{Cached, Error};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Built, Credential, CredentialKind, Described, Keeps, Lent, Source};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

/// Options of `Cached`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CachedOptions {
    /// The credential whose tokens are kept.
    pub of: Box<Credential>,
}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = CachedOptions;

    /// Tokens and errors name the credential inside.
    const NAMES: &'static [&'static str] = &[];
    const KEEPS: Keeps = Keeps::All;

    fn check(options: &CachedOptions, place: &Place, check: &mut Check<'_>) {
        options.of.check(&place.key("of"), check);
    }

    fn describe(options: &CachedOptions) -> String {
        format!("Cached around {}", options.of.describe())
    }

    fn members(options: &CachedOptions) -> &[Credential] {
        std::slice::from_ref(&*options.of)
    }

    fn secrets(_: &CachedOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(_: &'a CachedOptions, _: &mut Names<'a>) {}

    fn build(options: &CachedOptions, lent: &Lent) -> Result<Built, Error> {
        let inner = options.of.build(&lent.to_a_member())?.credential;
        let cached = Cached::on(lent.platform.clone(), inner);
        Ok(Built::new(cached.observer(lent.observer.clone())))
    }

    fn describe_to_driver(_: &CachedOptions, _: &str) -> Described {
        Described::default()
    }

    fn retries(_: &CachedOptions, _: &Source) -> Option<u32> {
        None
    }
}
