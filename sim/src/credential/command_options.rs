//! The options that the credentials of commands share.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Described, described::milliseconds};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// Options of the credentials that run a command.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CliOptions {
    /// The tenant to ask in.
    pub tenant: Option<String>,
    /// How long the command may take. Default: 15s.
    pub process_timeout: Option<Span>,
}

impl CliOptions {
    /// Reports what makes no sense in them.
    pub(super) fn check(&self, place: &Place, check: &mut Check<'_>) {
        if let Some(timeout) = self.process_timeout {
            let help = "no command is that fast; leave it out for 15s";
            check.longer_than_zero(timeout, &place.key("process-timeout"), help);
        }
    }

    /// Describes the credential of this name.
    pub(super) fn describe(&self, name: &str) -> String {
        let limit = self.process_timeout;
        let limit = limit.map(|time| format!(", waiting up to {time}"));
        format!("{name}{}", limit.unwrap_or_default())
    }

    /// Describes them to a driver.
    pub(super) fn describe_to_driver(&self) -> Described {
        Described::default()
            .option("tenant", self.tenant.as_ref())
            .option("process-timeout", self.process_timeout.map(milliseconds))
    }
}

/// Defines the kind of a credential that runs a command. The builders of ours are alike, and share
/// no trait.
macro_rules! command_credential {
    ($credential:ident) => {
        pub(super) struct Kind;

        impl $crate::credential::CredentialKind for Kind {
            type Options = $crate::credential::CliOptions;

            const NAMES: &'static [&'static str] = &[stringify!($credential)];
            const KEEPS: $crate::credential::Keeps = $crate::credential::Keeps::Nothing;

            fn check(
                options: &Self::Options,
                place: &$crate::scenario::document::Place,
                check: &mut $crate::check::Check<'_>,
            ) {
                options.check(place, check);
            }

            fn describe(options: &Self::Options) -> String {
                options.describe(stringify!($credential))
            }

            fn members(_: &Self::Options) -> &[$crate::credential::Credential] {
                &[]
            }

            fn secrets(_: &Self::Options) -> Vec<&str> {
                Vec::new()
            }

            fn names<'a>(_: &'a Self::Options, _: &mut $crate::check::Names<'a>) {}

            fn build(
                options: &Self::Options,
                lent: &$crate::credential::Lent,
            ) -> Result<$crate::credential::Built, credsim_identity::Error> {
                let mut builder = $credential::builder()
                    .platform(lent.platform.clone())
                    .observer(lent.observer.clone());
                if let Some(tenant) = &options.tenant {
                    builder = builder.tenant_id(tenant);
                }
                if let Some(limit) = options.process_timeout {
                    builder = builder.process_timeout(limit.0);
                }
                builder.build().map($crate::credential::Built::new)
            }

            fn describe_to_driver(
                options: &Self::Options,
                _: &str,
            ) -> $crate::credential::Described {
                options.describe_to_driver()
            }

            fn retries(_: &Self::Options, _: &$crate::credential::Source) -> Option<u32> {
                None
            }
        }
    };
}
pub(super) use command_credential;
