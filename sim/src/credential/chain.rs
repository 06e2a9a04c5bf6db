//! `ChainedTokenCredential`.

use credsim_identity::{ChainedTokenCredential, Error};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Built, ContinueAfter, Credential, CredentialKind, Described, FallbackPolicy, Keeps, Lent,
    Source, walk,
};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

/// Options of `ChainedTokenCredential`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChainOptions {
    /// Its members, in order.
    pub of: Vec<Credential>,
    /// After which errors it goes on. Default: unavailable.
    #[serde(default)]
    pub continue_after: ContinueAfter,
    /// What happens when another identity would answer. Default: report.
    #[serde(default)]
    pub fallback_policy: FallbackPolicy,
}

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = ChainOptions;

    const NAMES: &'static [&'static str] = &["ChainedTokenCredential"];
    const KEEPS: Keeps = Keeps::AsItsMember;

    fn check(options: &ChainOptions, place: &Place, check: &mut Check<'_>) {
        let place = place.key("of");
        if options.of.is_empty() {
            check
                .at_value(&place, "a chain needs at least one member")
                .label("no members")
                .expected("at least one credential")
                .help("write `of = [{ managed-identity = {} }, { azure-cli = {} }]`");
        }
        for (index, member) in options.of.iter().enumerate() {
            member.check(&place.index(index), check);
        }
    }

    fn describe(options: &ChainOptions) -> String {
        let members: Vec<String> = options.of.iter().map(Credential::describe).collect();
        format!(
            "ChainedTokenCredential of [{}]{}",
            members.join("; "),
            walk::describe(options.continue_after, options.fallback_policy),
        )
    }

    fn members(options: &ChainOptions) -> &[Credential] {
        &options.of
    }

    fn secrets(_: &ChainOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(options: &'a ChainOptions, names: &mut Names<'a>) {
        names.has_chain = true;
        names.refuses |= options.fallback_policy == FallbackPolicy::Refuse;
    }

    fn build(options: &ChainOptions, lent: &Lent) -> Result<Built, Error> {
        let mut chain = ChainedTokenCredential::builder()
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .continue_after(options.continue_after.ours())
            .fallback_policy(options.fallback_policy.ours());
        for member in &options.of {
            chain = chain.credential(member.build(&lent.to_a_member())?.credential);
        }
        chain.build().map(Built::new)
    }

    fn describe_to_driver(options: &ChainOptions, _: &str) -> Described {
        Described::default().walk(options.continue_after, options.fallback_policy)
    }

    fn retries(_: &ChainOptions, _: &Source) -> Option<u32> {
        None
    }
}
