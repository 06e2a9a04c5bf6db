//! The members of `DefaultAzureCredential`, and their selection by the environment (CH-01, CH-03,
//! CH-04).

use crate::{Error, ErrorKind, platform::Platform};

use super::default::NAME;

/// Selects members: `dev`, `prod` or the name of one.
const VARIABLE: &str = "AZURE_TOKEN_CREDENTIALS";

/// A member of the default chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Environment,
    WorkloadIdentity,
    ManagedIdentity,
    VisualStudioCode,
    AzureCli,
    AzurePowerShell,
    AzureDeveloperCli,
    Broker,
}

/// All members, in the documented order (CH-01).
const ALL: [Kind; 8] = [
    Kind::Environment,
    Kind::WorkloadIdentity,
    Kind::ManagedIdentity,
    Kind::VisualStudioCode,
    Kind::AzureCli,
    Kind::AzurePowerShell,
    Kind::AzureDeveloperCli,
    Kind::Broker,
];

impl Kind {
    /// Returns the class name that documentation uses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Environment => "EnvironmentCredential",
            Self::WorkloadIdentity => "WorkloadIdentityCredential",
            Self::ManagedIdentity => "ManagedIdentityCredential",
            Self::VisualStudioCode => "VisualStudioCodeCredential",
            Self::AzureCli => "AzureCliCredential",
            Self::AzurePowerShell => "AzurePowerShellCredential",
            Self::AzureDeveloperCli => "AzureDeveloperCliCredential",
            Self::Broker => "BrokerCredential",
        }
    }

    /// Returns whether it signs in as the developer at this machine and not as a deployed
    /// application.
    pub(super) fn is_developer(self) -> bool {
        !matches!(
            self,
            Self::Environment | Self::WorkloadIdentity | Self::ManagedIdentity
        )
    }
}

/// The members that the environment selects, and whether one was selected by its name.
pub(super) struct Selection {
    pub(super) members: Vec<Kind>,
    pub(super) named: bool,
}

impl Selection {
    /// Reads `AZURE_TOKEN_CREDENTIALS`. Case and surrounding blanks are ignored; an empty value
    /// selects all members.
    ///
    /// # Errors
    /// `Configuration` for any other value.
    pub(super) fn read(platform: &Platform) -> Result<Self, Error> {
        let value = platform.environment.var(VARIABLE).unwrap_or_default();
        let value = value.trim().to_ascii_lowercase();
        let group = |developer| {
            ALL.into_iter()
                .filter(|k| k.is_developer() == developer)
                .collect()
        };
        match value.as_str() {
            "" => {
                return Ok(Self {
                    members: ALL.to_vec(),
                    named: false,
                });
            }
            "prod" => {
                return Ok(Self {
                    members: group(false),
                    named: false,
                });
            }
            "dev" => {
                return Ok(Self {
                    members: group(true),
                    named: false,
                });
            }
            _ => {}
        }
        // The broker cannot be selected by name (CH-03).
        let names = ALL.into_iter().filter(|kind| *kind != Kind::Broker);
        let named = names
            .clone()
            .find(|kind| kind.name().eq_ignore_ascii_case(&value));
        match named {
            Some(kind) => Ok(Self {
                members: vec![kind],
                named: true,
            }),
            None => {
                let names: Vec<&str> = names.map(Kind::name).collect();
                Err(Error::new(
                    ErrorKind::Configuration,
                    NAME,
                    format!("{VARIABLE} has a value that selects nothing"),
                )
                .with_help(format!(
                    "set it to dev, prod or one of: {}",
                    names.join(", ")
                )))
            }
        }
    }
}

/// Checks that each of `names` is set and not empty (CH-04).
///
/// # Errors
/// `Configuration`, naming those that are not.
pub(super) fn require(platform: &Platform, names: &[String]) -> Result<(), Error> {
    let set = |name: &str| {
        platform
            .environment
            .var(name)
            .is_some_and(|value| !value.is_empty())
    };
    let missing: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !set(name))
        .collect();
    let message = match missing.as_slice() {
        [] => return Ok(()),
        [one] => format!("the required environment variable {one} is not set or empty"),
        many => {
            format!(
                "the required environment variables {} are not set or empty",
                many.join(", ")
            )
        }
    };
    Err(Error::new(ErrorKind::Configuration, NAME, message)
        .with_help("set them, or require fewer with required_env_vars"))
}
