//! Who asks for tokens, and when.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RedisHow, Span};

/// One call, or a series of them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Call {
    /// The first one, counted from the world's start. Default: 0s.
    #[serde(default)]
    pub at: Span,
    /// Repeats it this often, whether or not the one before has its answer. Default: once.
    pub every: Option<Span>,
    /// The last repetition begins before this. Default: the world's end.
    pub until: Option<Span>,
    /// How many callers do it at the same moment. Default: 1.
    #[serde(default = "one")]
    pub callers: u32,
    /// The callers begin one after another, evenly over this time, each time anew. Default: all at
    /// the same moment.
    pub ramp_up: Option<Span>,
    /// Which credential they ask. Default: shared.
    #[serde(default)]
    pub credential: Instance,
    /// A caller gives up after this long. Default: it waits.
    pub gives_up_after: Option<Span>,
    /// What they do.
    #[serde(rename = "do")]
    pub action: CallDo,
}

impl Call {
    /// How long after the first of them a caller begins, counted from 1.
    pub fn begins_after(&self, caller: u32) -> Duration {
        let callers = self.callers.max(1);
        let whole = self.ramp_up.unwrap_or_default().0;
        let share = whole.as_nanos() * u128::from(caller.saturating_sub(1)) / u128::from(callers);
        Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

impl Instance {
    /// Whether it is, or comes from, the one that all calls share.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::Shared | Self::Clone)
    }
}

/// Which credential is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Instance {
    /// The one that all calls share, built when the world begins.
    #[default]
    Shared,
    /// A new one for each call.
    New,
    /// A clone of the shared one for each call.
    Clone,
    /// A new one for each of the callers, built at its first call and asked again at the later
    /// ones: a fleet.
    EachItsOwn,
}

/// What a caller does.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum CallDo {
    /// Gets a token.
    GetToken(GetToken),
    /// Gets a token and calls a resource with it.
    UseResource(UseResource),
    /// Sends commands to `world.redis`, through the subject's Redis client.
    Redis(RedisWork),
    /// Listens to channels of `world.redis`, from then on.
    RedisSubscribe(RedisSubscribe),
}

/// A token request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GetToken {
    /// The scopes, in which `{n}` is the number of the repetition, from 1, and `{caller}` that of
    /// the caller.
    pub scopes: Vec<String>,
    /// The tenant. Default: the credential's.
    pub tenant: Option<String>,
    /// The claims of a challenge.
    pub claims: Option<String>,
    /// Declares that the caller handles continuous access evaluation. Default: false.
    #[serde(default)]
    pub cae: bool,
    /// Waits for a new token if the cached one has less than this left. Default: 30s.
    pub min_remaining: Option<Span>,
    /// The caller keeps its token and asks again only after `refresh_on`. Default: false.
    #[serde(default)]
    pub keeps_token: bool,
}

/// A use of a resource.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UseResource {
    /// One of `world.resources`.
    pub resource: String,
    /// What is done there: one of the rights in its grants. Default: read.
    #[serde(default = "read")]
    pub right: String,
}

/// Commands for Redis.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisWork {
    /// The commands as one types them: `SET greeting "hello world"`. `{n}` is the number of the
    /// repetition, from 1, and `{caller}` that of the caller.
    pub send: Vec<String>,
    /// How they are sent. Default: one-by-one.
    #[serde(default)]
    pub how: RedisHow,
    /// How long the caller thinks between two of them. Default: 0s.
    #[serde(default)]
    pub pause: Span,
    /// The name of the connection; it is made at first use and kept. Default: main.
    #[serde(default = "main_connection")]
    pub connection: String,
    /// Whether each of several callers has a connection of its own: `main-1`, `main-2`. Default:
    /// false.
    #[serde(default)]
    pub each_its_own: bool,
}

/// A subscriber that listens until the world's end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisSubscribe {
    /// The channels.
    pub channels: Vec<String>,
    /// The name of the subscriber. Default: subscriber.
    #[serde(default = "subscriber")]
    pub connection: String,
}

fn main_connection() -> String {
    "main".to_owned()
}
fn subscriber() -> String {
    "subscriber".to_owned()
}
fn one() -> u32 {
    1
}
fn read() -> String {
    "read".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_begin_evenly_and_the_series_fits() {
        let call = |ramp_up: &str| -> Call {
            let text = format!("callers = 3\n{ramp_up}\ndo.get-token = {{ scopes = [\"a\"] }}");
            toml::from_str(&text).unwrap()
        };
        let begin = |ramp_up| [1, 2, 3].map(|caller| call(ramp_up).begins_after(caller));
        assert_eq!(begin(""), [Duration::ZERO; 3]);
        assert_eq!(
            begin("ramp-up = \"10s\""),
            [0, 3_333_333_333, 6_666_666_666].map(Duration::from_nanos)
        );
    }
}
