//! The credential under test and its options, named as the documentation names them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RedisSubject, Span};

/// What is under test.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subject {
    /// The credential.
    pub credential: Credential,
    /// The Redis client that takes its tokens.
    pub redis: Option<RedisSubject>,
}

impl super::Scenario {
    /// Why two runs with the same seed may differ, if they may.
    pub fn unrepeatable(&self) -> Option<&'static str> {
        let redis = self.subject.redis.as_ref();
        let is_cluster = redis.is_some_and(|redis| redis.client == super::RedisClientKind::Cluster);
        is_cluster.then_some(
            "the cluster client of the redis crate draws from the machine's random numbers",
        )
    }
}

/// A credential.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Credential {
    /// `DefaultAzureCredential`.
    Default(DefaultOptions),
    /// `ChainedTokenCredential`.
    Chain(ChainOptions),
    /// `ManagedIdentityCredential`.
    ManagedIdentity(ManagedIdentityOptions),
    /// `ClientSecretCredential`.
    ClientSecret(ClientSecretOptions),
    /// `EnvironmentCredential`.
    Environment(EnvironmentOptions),
    /// `AzureCliCredential`.
    AzureCli(CliOptions),
    /// `AzureDeveloperCliCredential`.
    AzureDeveloperCli(CliOptions),
    /// `AzurePowerShellCredential`.
    #[serde(rename = "azure-powershell")]
    AzurePowerShell(CliOptions),
    /// `Cached` around another credential.
    Cached(CachedOptions),
}

/// Options of `DefaultAzureCredential`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DefaultOptions {
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

/// After which errors a chain goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContinueAfter {
    /// Only when the source is not there.
    #[default]
    Unavailable,
    /// After any failure.
    Failure,
}

/// What a chain does when another identity would answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FallbackPolicy {
    /// Hands the token out and reports the change.
    #[default]
    Report,
    /// Hands nothing out: an error.
    Refuse,
}

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

/// Retries; what is not set has the credential's default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetryOptions {
    /// How many retries after the first attempt.
    pub max_retries: Option<u32>,
    /// The first wait.
    pub retry_delay: Option<Span>,
    /// The longest wait.
    pub max_retry_delay: Option<Span>,
    /// The longest `Retry-After` that is waited for.
    pub retry_after_cap: Option<Span>,
}

/// Options of `ClientSecretCredential`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientSecretOptions {
    /// The tenant. Default: the world's.
    pub tenant: Option<String>,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub secret: String,
    /// Retries.
    #[serde(default)]
    pub retry: RetryOptions,
}

/// Options of `EnvironmentCredential`: none; it reads `world.environment`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EnvironmentOptions {}

/// Options of the credentials that run a command.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CliOptions {
    /// The tenant to ask in.
    pub tenant: Option<String>,
    /// How long the command may take. Default: 15s.
    pub process_timeout: Option<Span>,
}

/// Options of `Cached`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CachedOptions {
    /// The credential whose tokens are kept.
    pub of: Box<Credential>,
}
