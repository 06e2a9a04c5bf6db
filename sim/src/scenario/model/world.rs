//! The simulated world: hosts, services, commands and who exists in them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use crate::command::{Account, Az, Azd, Pwsh};

use super::{Moment, Range, Redis, SignedSpan, Span};

/// The world at its start.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct World {
    /// The date and time at which the world begins.
    pub start: Moment,
    /// How long it lasts.
    pub lasts: Span,
    /// The host that the subject runs on.
    #[serde(default)]
    pub host: HostWorld,
    /// The environment variables of that host.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What signs the tokens. Default: common.
    #[serde(default)]
    pub signing_key: SigningKey,
    /// The instance metadata service. Without it nothing answers at 169.254.169.254.
    pub imds: Option<Imds>,
    /// Microsoft Entra ID at login.microsoftonline.com.
    pub entra: Option<Entra>,
    /// People who can sign in, by user name.
    #[serde(default)]
    pub accounts: BTreeMap<String, Account>,
    /// The Azure CLI. Without it `az` is not installed.
    pub az: Option<Az>,
    /// The Azure Developer CLI. Without it `azd` is not installed.
    pub azd: Option<Azd>,
    /// PowerShell. Without it `pwsh` is not installed.
    pub pwsh: Option<Pwsh>,
    /// A Redis that takes Entra tokens.
    pub redis: Option<Redis>,
    /// APIs that check tokens, by the name by which calls and expectations know them.
    #[serde(default)]
    pub resources: BTreeMap<String, Resource>,
}

/// What signs the tokens of a world: RS256, with a key of 2,048 bits that Entra publishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SigningKey {
    /// A key of two primes, as most are: half a millisecond of real time for each token.
    #[default]
    Common,
    /// A key of 32 small primes: microseconds for each token, for fleets that get hundreds of
    /// thousands of them.
    Fast,
}

/// The host that the subject runs on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostWorld {
    /// Its time zone by IANA name: `Europe/Berlin`. Default: UTC.
    pub time_zone: Option<String>,
    /// How far its clock is ahead of the true time, or behind. Default: 0s.
    #[serde(default)]
    pub clock_skew: SignedSpan,
}

/// Whether packets reach a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// They do.
    #[default]
    Reachable,
    /// Connections are refused: nobody listens.
    Refused,
    /// Packets vanish: a connect hangs until it times out.
    BlackHoled,
    /// The host has no route there: a connect fails at once.
    Unreachable,
}

impl Reach {
    /// What it means for a client that connects.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Refused => "connections are refused",
            Self::BlackHoled => "packets vanish on the way",
            Self::Unreachable => "there is no route to it",
        }
    }
}

/// The instance metadata service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Imds {
    /// How long its tokens live. Default: 24h.
    #[serde(default = "one_day")]
    pub token_life: Span,
    /// Whether the platform hands out the token it already has for a resource, as real hosts do,
    /// until it is at the end of its life. Default: false (each request gets a new one).
    #[serde(default)]
    pub keeps_tokens: bool,
    /// With `keeps-tokens`: how much life the token must have left to be handed out again.
    /// Default: 0s.
    #[serde(default)]
    pub keeps_until_left: Span,
    /// The system-assigned identity, if the host has one.
    pub system_identity: Option<ManagedIdentity>,
    /// The user-assigned identities.
    #[serde(default)]
    pub user_identities: Vec<ManagedIdentity>,
    /// How long an answer takes. Default: 0s.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
    /// How many token requests it serves per window before it answers 429.
    pub limit: Option<Limit>,
    /// How the token answer is written.
    #[serde(default)]
    pub answer: ImdsAnswer,
}

/// Details of IMDS's token answer that differ between hosts and services.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImdsAnswer {
    /// Writes `expires_in` and `expires_on` as JSON numbers instead of strings. Default: false.
    #[serde(default)]
    pub numbers: bool,
    /// Leaves `expires_in` out. Default: false.
    #[serde(default)]
    pub without_expires_in: bool,
    /// Leaves `expires_on` out. Default: false.
    #[serde(default)]
    pub without_expires_on: bool,
    /// The error code of a request without the `Metadata` header. Default: bad_request_102.
    pub missing_header_code: Option<String>,
}

/// A managed identity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManagedIdentity {
    /// Its object (principal) id.
    pub object_id: String,
    /// Its client id. Default: derived from the object id.
    pub client_id: Option<String>,
    /// Its resource id; only user-assigned identities have one.
    pub resource_id: Option<String>,
    /// How many app roles it has been granted. Each makes its tokens 52 bytes longer. Default: 0.
    #[serde(default)]
    pub app_roles: u16,
}

/// Microsoft Entra ID.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entra {
    /// How long its tokens live. Default: 60m.
    #[serde(default = "one_hour")]
    pub token_life: Span,
    /// After how long the answer's `refresh_in` wants the token renewed. Default: not said.
    pub refresh_in: Option<Span>,
    /// The tenant's id. Default: a fixed one.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// The registered applications.
    #[serde(default)]
    pub apps: Vec<App>,
    /// How long an answer takes. Default: 0s.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
    /// How many token requests of one application it serves per window before it answers 429.
    pub limit: Option<Limit>,
    /// Separates the lines of an error description with CR LF instead of spaces. Default: false.
    #[serde(default)]
    pub crlf_descriptions: bool,
}

/// An application registered in Entra.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// Its client id.
    pub client_id: String,
    /// The object id of its service principal.
    pub object_id: String,
    /// Its secret.
    pub secret: Option<String>,
    /// Whether an administrator disabled it. Default: false.
    #[serde(default)]
    pub disabled: bool,
}

/// A request budget.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// How many requests are served.
    pub requests: u32,
    /// In each window of this length, counted from the world's start.
    pub per: Span,
    /// The `Retry-After` header of the 429, as it stands. Default: none.
    pub retry_after: Option<String>,
    /// The 429's body. Default: json.
    #[serde(default)]
    pub body: LimitBody,
}

/// The body of a 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitBody {
    /// The service's JSON error.
    #[default]
    Json,
    /// `Too Many Requests` as plain text.
    Text,
}

/// An API that checks tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Resource {
    /// The audience its tokens must have, which is also its host: `https://vault.azure.net`.
    pub audience: String,
    /// What each principal may do, by object id: `read`, `write`. Who is not here gets 403.
    #[serde(default)]
    pub grants: BTreeMap<String, Vec<String>>,
}

fn one_hour() -> Span {
    Span(std::time::Duration::from_secs(3_600))
}
fn one_day() -> Span {
    Span(std::time::Duration::from_secs(86_400))
}

/// The tenant of a world that names none.
pub const DEFAULT_TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";

/// The subscription of an Azure CLI that names none.
pub const DEFAULT_SUBSCRIPTION: &str = "0b1f6471-0000-0000-0000-00000000cafe";

fn default_tenant() -> String {
    DEFAULT_TENANT.to_owned()
}
