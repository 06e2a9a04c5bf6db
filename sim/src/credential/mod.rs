//! The credentials that a scenario can put under test: one file for each kind, and the list of
//! them.
//!
//! # How to add a kind
//! Two files change beside generated ones:
//! 1. `credential/<kind>.rs`: the options (serde and schemars; their doc comments are the schema's
//!    descriptions), and `struct Kind` with its `CredentialKind`;
//! 2. this one: a line in `credentials!`, and the module.
//!
//! From that line come the variant of [`Credential`], its key in TOML and in the driver protocol,
//! its schema and every dispatch. `CredentialKind` has no default bodies: what a new kind does not
//! decide does not compile. The subjects of `sim/peers` match on [`Credential`] and say for each
//! variant whether they have it; `sim/drivers/README.md` lists the kinds for those who write
//! drivers.

mod azure_cli;
mod azure_developer_cli;
mod azure_pipelines;
mod azure_powershell;
mod build;
mod cached;
mod chain;
mod client_assertion;
mod client_secret;
mod command_options;
mod default;
mod described;
mod environment;
mod github_actions;
mod managed_identity;
pub mod redis_client;
mod retry;
mod subject;
mod walk;
mod workload_identity;

use credsim_identity::Error;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    check::{Check, Names},
    scenario::document::Place,
    service::TokenSource,
};

pub use azure_pipelines::AzurePipelinesOptions;
pub use build::{Built, BuiltSubject, Lent};
pub use cached::CachedOptions;
pub use chain::ChainOptions;
pub use client_assertion::ClientAssertionOptions;
pub use client_secret::ClientSecretOptions;
pub use command_options::CliOptions;
pub use default::DefaultOptions;
pub use described::Described;
pub use environment::EnvironmentOptions;
pub use github_actions::GitHubActionsOptions;
pub use managed_identity::ManagedIdentityOptions;
pub use redis_client::{Protocol, RedisClientKind, RedisHow, RedisSubject, TokenRetry};
pub use retry::RetryOptions;
pub use subject::Subject;
pub use walk::{ContinueAfter, FallbackPolicy};
pub use workload_identity::WorkloadIdentityOptions;

/// What the rest of the harness must know of a kind of credential.
pub(crate) trait CredentialKind {
    /// Its options in a scenario.
    type Options;

    /// The names under which it, or a member that it brings along, answers or fails.
    const NAMES: &'static [&'static str];

    /// Which tokens the documentation has it keep until their end (PR-27).
    const KEEPS: Keeps;

    /// Reports what makes no sense in its options, which stand at `place`, and in the credentials
    /// that they put inside it.
    fn check(options: &Self::Options, place: &Place, check: &mut Check<'_>);

    /// Describes it with the options that matter to a reader.
    fn describe(options: &Self::Options) -> String;

    /// The credentials that its options put inside it.
    fn members(options: &Self::Options) -> &[Credential];

    /// The secrets among its own options: they must never be shown.
    fn secrets(options: &Self::Options) -> Vec<&str>;

    /// Adds what its own options name beside [`NAMES`](Self::NAMES): client ids, and whether it is
    /// a chain.
    fn names<'a>(options: &'a Self::Options, names: &mut Names<'a>);

    /// Builds ours.
    ///
    /// # Errors
    /// The construction error of the credential.
    fn build(options: &Self::Options, lent: &Lent) -> Result<Built, Error>;

    /// Describes it to a driver, for a credential that asks in `tenant` if its options name none.
    /// What the scenario leaves at its default is left out.
    fn describe_to_driver(options: &Self::Options, tenant: &str) -> Described;

    /// How many retries the documentation allows one waiting caller for a token from `source`; none
    /// if it does not ask there itself (PR-10, PR-13, PR-14).
    fn retries(options: &Self::Options, source: &Source) -> Option<u32>;
}

/// Which tokens a credential keeps until their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// Every token that it hands out, whichever member got it.
    All,
    /// None: a command is run for each call.
    Nothing,
    /// What the member that answers keeps.
    AsItsMember,
}

/// A service that credentials get their tokens from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The Instance Metadata Service.
    Imds {
        /// Whether `AZURE_TOKEN_CREDENTIALS` may name the managed identity alone, which then has
        /// its full number of retries inside the default chain too.
        selected: bool,
    },
    /// The endpoint of a managed identity that variables of the host name.
    Endpoint,
    /// Microsoft Entra ID.
    Entra,
}

/// Where a member of a chain gets its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// From Entra.
    Entra,
    /// From the metadata service, or from the endpoint that the host names: never from both.
    ManagedIdentity,
    /// From a command of the host.
    Command,
}

impl From<TokenSource> for Asks {
    fn from(source: TokenSource) -> Self {
        match source {
            TokenSource::Entra => Self::Entra,
            TokenSource::Metadata | TokenSource::Endpoint => Self::ManagedIdentity,
        }
    }
}

/// The list of kinds: what the schema says, the key, the module, the variant with its options.
macro_rules! credentials {
    ($callback:ident) => {
        $callback! {
            /// `DefaultAzureCredential`.
            "default" default Default(DefaultOptions),
            /// `ChainedTokenCredential`.
            "chain" chain Chain(ChainOptions),
            /// `ManagedIdentityCredential`.
            "managed-identity" managed_identity ManagedIdentity(ManagedIdentityOptions),
            /// `ClientSecretCredential`.
            "client-secret" client_secret ClientSecret(ClientSecretOptions),
            /// `ClientAssertionCredential`.
            "client-assertion" client_assertion ClientAssertion(ClientAssertionOptions),
            /// `WorkloadIdentityCredential`.
            "workload-identity" workload_identity WorkloadIdentity(WorkloadIdentityOptions),
            /// `AzurePipelinesCredential`.
            "azure-pipelines" azure_pipelines AzurePipelines(AzurePipelinesOptions),
            /// `GitHubActionsCredential`.
            "github-actions" github_actions GitHubActions(GitHubActionsOptions),
            /// `EnvironmentCredential`.
            "environment" environment Environment(EnvironmentOptions),
            /// `AzureCliCredential`.
            "azure-cli" azure_cli AzureCli(CliOptions),
            /// `AzureDeveloperCliCredential`.
            "azure-developer-cli" azure_developer_cli AzureDeveloperCli(CliOptions),
            /// `AzurePowerShellCredential`.
            "azure-powershell" azure_powershell AzurePowerShell(CliOptions),
            /// `Cached` around another credential.
            "cached" cached Cached(CachedOptions),
        }
    };
}

macro_rules! define {
    ($( $(#[$doc:meta])* $key:literal $module:ident $variant:ident($options:ty), )*) => {
        /// A credential.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub enum Credential {
            $(
                $(#[$doc])*
                #[serde(rename = $key)]
                $variant($options),
            )*
        }

        impl Credential {
            /// The keys of all kinds.
            pub(crate) const KINDS: &'static [&'static str] = &[$( $key ),*];

            /// Its key in a scenario and its kind in the driver protocol.
            pub fn key(&self) -> &'static str {
                match self { $( Self::$variant(_) => $key, )* }
            }

            /// Reports what makes no sense in it; `place` is where its key stands.
            pub(crate) fn check(&self, place: &Place, check: &mut Check<'_>) {
                let place = place.key(self.key());
                match self { $( Self::$variant(options) => $module::Kind::check(options, &place, check), )* }
            }

            /// Describes it with the options that matter to a reader.
            pub fn describe(&self) -> String {
                match self { $( Self::$variant(options) => $module::Kind::describe(options), )* }
            }

            /// The credentials that its options put inside it.
            pub fn members(&self) -> &[Self] {
                match self { $( Self::$variant(options) => $module::Kind::members(options), )* }
            }

            /// The secrets that it and the credentials inside it are built with.
            pub fn secrets(&self) -> Vec<&str> {
                let mut secrets = match self { $( Self::$variant(options) => $module::Kind::secrets(options), )* };
                secrets.extend(self.members().iter().flat_map(Self::secrets));
                secrets
            }

            /// Adds the names that it and the credentials inside it bring along.
            pub(crate) fn names<'a>(&'a self, names: &mut Names<'a>) {
                match self {
                    $( Self::$variant(options) => {
                        names.credentials.extend($module::Kind::NAMES);
                        $module::Kind::names(options, names);
                    } )*
                }
                for member in self.members() {
                    member.names(names);
                }
            }

            /// Builds ours.
            ///
            /// # Errors
            /// The construction error of the credential, or of one inside it.
            pub fn build(&self, lent: &Lent) -> Result<Built, Error> {
                match self { $( Self::$variant(options) => $module::Kind::build(options, lent), )* }
            }

            /// Describes it to a driver, for a credential that asks in `tenant` if its options name
            /// none.
            pub fn describe_to_driver(&self, tenant: &str) -> Described {
                let mut described = match self {
                    $( Self::$variant(options) => $module::Kind::describe_to_driver(options, tenant), )*
                };
                described.kind = self.key();
                described.of = self.members().iter().map(|member| member.describe_to_driver(tenant)).collect();
                described
            }

            /// How many retries the documentation allows one waiting caller for a token from
            /// `source`: the most that it or a credential inside it has. None if none of them asks
            /// there.
            pub(crate) fn retries(&self, source: &Source) -> Option<u32> {
                let own = match self { $( Self::$variant(options) => $module::Kind::retries(options, source), )* };
                let members = self.members().iter();
                own.max(members.filter_map(|member| member.retries(source)).max())
            }

            fn keeping(&self) -> Keeps {
                match self { $( Self::$variant(_) => $module::Kind::KEEPS, )* }
            }

            fn own_names(&self) -> &'static [&'static str] {
                match self { $( Self::$variant(_) => $module::Kind::NAMES, )* }
            }
        }

        /// Whether the credential of this name keeps no token.
        fn keeps_nothing(name: &str) -> bool {
            $( ($module::Kind::KEEPS == Keeps::Nothing && $module::Kind::NAMES.contains(&name)) )||*
        }
    };
}
credentials!(define);

impl Credential {
    /// Whether it runs a command for each call and keeps no token at all.
    pub(crate) fn keeps_nothing(&self) -> bool {
        self.keeping() == Keeps::Nothing
    }

    /// Whether it depends on the member that answers whether a token is kept.
    pub(crate) fn keeps_as_its_member(&self) -> bool {
        self.keeping() == Keeps::AsItsMember && self.may_run_a_command()
    }

    /// Whether it keeps a token that the credential called `answered_by` got.
    pub(crate) fn keeps_from(&self, answered_by: &str) -> bool {
        self.keeping() == Keeps::All || !keeps_nothing(answered_by)
    }

    /// The most attempts of one request to `source` that one waiting caller may see: those of all
    /// members of a chain that may send the same request. None if it does not ask there.
    pub(crate) fn attempts(&self, source: &Source) -> Option<u32> {
        let asking = self.asking(source);
        let attempts = asking.iter().map(|(one, _)| {
            let alike = asking
                .iter()
                .filter(|(other, _)| one.may_send_the_same(other));
            let attempts = alike.map(|(_, retries)| retries.saturating_add(1));
            attempts.fold(0, u32::saturating_add)
        });
        attempts.max()
    }

    /// Whether a walk through it may send the same request to `source` from two members.
    pub(crate) fn may_repeat_a_request(&self, source: &Source) -> bool {
        let asking = self.asking(source);
        let pairs = asking.iter().enumerate();
        let mut pairs =
            pairs.flat_map(|(index, one)| asking[..index].iter().map(move |other| (one, other)));
        pairs.any(|((one, _), (other, _))| one.may_send_the_same(other))
    }

    /// What asks `source` in a walk through it, and how many retries it has there.
    fn asking(&self, source: &Source) -> Vec<(Described, u32)> {
        if !self.members().is_empty() {
            let members = self.members().iter();
            return members.flat_map(|member| member.asking(source)).collect();
        }
        let retries = self.retries(source);
        let asks = retries.map(|retries| (self.describe_to_driver(""), retries));
        asks.into_iter().collect()
    }

    /// Where a walk through it asks, in order: for each member that has more than one place, and
    /// for the default chain, Entra first and commands last (CH-01).
    pub(crate) fn walk(&self) -> Vec<Asks> {
        if !self.members().is_empty() {
            return self.members().iter().flat_map(Self::walk).collect();
        }
        let asks = |source: &Source| self.retries(source).is_some();
        let places = [
            (Asks::Entra, asks(&Source::Entra)),
            (
                Asks::ManagedIdentity,
                asks(&Source::Imds { selected: false }),
            ),
            (Asks::Command, self.may_run_a_command()),
        ];
        let asked = places.into_iter().filter(|(_, asked)| *asked);
        asked.map(|(place, _)| place).collect()
    }

    /// Whether it, or a credential inside it, may get its tokens from a command.
    fn may_run_a_command(&self) -> bool {
        self.own_names().iter().any(|name| keeps_nothing(name))
            || self.members().iter().any(Self::may_run_a_command)
    }
}
