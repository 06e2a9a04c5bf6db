//! `AzurePowerShellCredential`.

use credsim_identity::{AzurePowerShellCredential, Error};

use super::{
    Built, CliOptions, Credential, CredentialKind, Described, Keeps, Lent, Source,
    command_options::build,
};
use crate::{
    check::{Check, Names},
    scenario::document::Place,
};

pub(super) struct Kind;

impl CredentialKind for Kind {
    type Options = CliOptions;

    const NAMES: &'static [&'static str] = &["AzurePowerShellCredential"];
    const KEEPS: Keeps = Keeps::Nothing;

    fn check(options: &CliOptions, place: &Place, check: &mut Check<'_>) {
        options.check(place, check);
    }

    fn describe(options: &CliOptions) -> String {
        options.describe("AzurePowerShellCredential")
    }

    fn members(_: &CliOptions) -> &[Credential] {
        &[]
    }

    fn secrets(_: &CliOptions) -> Vec<&str> {
        Vec::new()
    }

    fn names<'a>(_: &'a CliOptions, _: &mut Names<'a>) {}

    fn build(options: &CliOptions, lent: &Lent) -> Result<Built, Error> {
        build!(AzurePowerShellCredential, options, lent)
    }

    fn describe_to_driver(options: &CliOptions, _: &str) -> Described {
        options.describe_to_driver()
    }

    fn retries(_: &CliOptions, _: &Source) -> Option<u32> {
        None
    }
}
