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

/// Builds ours: the builders of these credentials are alike, and share no trait.
macro_rules! build {
    ($credential:ident, $options:expr, $lent:expr) => {{
        let (options, lent): (&CliOptions, &Lent) = ($options, $lent);
        let mut builder = $credential::builder()
            .platform(lent.platform.clone())
            .observer(lent.observer.clone());
        if let Some(tenant) = &options.tenant {
            builder = builder.tenant_id(tenant);
        }
        if let Some(limit) = options.process_timeout {
            builder = builder.process_timeout(limit.0);
        }
        builder.build().map(Built::new)
    }};
}
pub(super) use build;
