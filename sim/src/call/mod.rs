//! What callers do: `[[call]]`, one file for each `do`, and the list of them.
//!
//! # How to add a kind
//! Two files change beside generated ones:
//! 1. `call/<kind>.rs`: the options (serde and schemars; their doc comments are the schema's
//!    descriptions) and their `CallKind`;
//! 2. this one: a line in `calls!`, and the module.
//!
//! From that line come the variant of [`CallDo`], its key in TOML, its schema, the place for what
//! its calls remember, and every dispatch. `CallKind` has no default bodies: what a new kind does
//! not decide does not compile. What a call may use while it plays is a `Caller`; when it plays,
//! and which credential it asks, is decided by the run.

mod asking;
mod caller;
mod check;
mod get_token;
mod http;
mod redis;
mod redis_subscribe;
mod use_resource;

use std::time::Duration;

use credsim_identity::TokenRequest;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    check::Check,
    scenario::{Span, document::Place},
    world::World,
};

pub use crate::check::Uses;
pub(crate) use caller::{CallContext, Caller, SecretWatch, SubjectInstance};
pub(crate) use check::check;
pub use get_token::GetToken;
pub use http::{Http, HttpMethod, HttpReply, HttpSent};
pub use redis::RedisWork;
pub use redis_subscribe::RedisSubscribe;
pub use use_resource::UseResource;

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

impl Instance {
    /// Whether it is, or comes from, the one that all calls share.
    pub fn is_shared(self) -> bool {
        match self {
            Self::Shared | Self::Clone => true,
            Self::New | Self::EachItsOwn => false,
        }
    }
}

/// What the rest of the harness must know of a kind of call.
pub(crate) trait CallKind {
    /// What the calls of this kind remember from one to the next, through a whole run.
    type State: Default + Send + Sync;

    /// Reports what makes no sense in its options, which stand at `place`, in this series.
    fn check(&self, series: &Call, place: &Place, check: &mut Check<'_>);

    /// Describes what the callers do, as a verb with its objects; the verb ends in `plural`, which
    /// is `s` after one caller.
    fn describe(&self, plural: &str) -> String;

    /// What of the subject it uses.
    fn uses(&self) -> Uses;

    /// The token request that it makes itself, if it does.
    fn token_request(&self, world: &World, which: Which) -> Option<TokenRequest>;

    /// The options of its token request that a scenario spells out, by their names in the driver
    /// protocol.
    fn request_options(&self) -> Vec<&'static str>;

    /// The resource of the world that it uses.
    fn resource(&self) -> Option<&str>;

    /// The names of the Redis commands that it sends in transactions, in capitals.
    fn commands_in_transactions(&self) -> Vec<String>;

    /// The channels of Redis that it listens to.
    fn subscription(&self) -> Option<Subscription<'_>>;

    /// Plays one call, and records it.
    fn play(&self, caller: &Caller, state: &Self::State) -> impl Future<Output = ()> + Send;

    /// The shared subject is about to be disposed: lets go of what keeps it alive.
    fn before_dispose(state: &Self::State);
}

/// Channels of Redis that a subscriber listens to.
#[derive(Clone, Copy, Debug)]
pub struct Subscription<'a> {
    /// The name of the subscriber.
    pub connection: &'a str,
    /// The channels.
    pub channels: &'a [String],
}

/// Which call of a series: the values of `{n}` and `{caller}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// Which repetition of the series, from 1.
    pub repetition: u64,
    /// Among the concurrent callers of the series, from 1.
    pub caller: u32,
}

impl Which {
    /// The first call of a series.
    pub const FIRST: Self = Self {
        repetition: 1,
        caller: 1,
    };

    /// `text` with the numbers in their places.
    pub fn fill(self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        text.replace("{n}", &self.repetition.to_string())
            .replace("{caller}", &self.caller.to_string())
    }
}

/// The list of kinds: what the schema says, the key, the module, the variant with its options.
macro_rules! calls {
    ($callback:ident) => {
        $callback! {
            /// Gets a token.
            "get-token" get_token GetToken(GetToken),
            /// Gets a token and calls a resource with it.
            "use-resource" use_resource UseResource(UseResource),
            /// Sends commands to `world.redis`, through the subject's Redis client.
            "redis" redis Redis(RedisWork),
            /// Listens to channels of `world.redis`, from then on.
            "redis-subscribe" redis_subscribe RedisSubscribe(RedisSubscribe),
            /// Sends a bare HTTP request, with no credential in between.
            "http" http Http(Http),
        }
    };
}

macro_rules! define {
    ($( $(#[$doc:meta])* $key:literal $module:ident $variant:ident($options:ty), )*) => {
        /// What a caller does.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub enum CallDo {
            $( $(#[$doc])* #[serde(rename = $key)] $variant($options), )*
        }

        /// What the calls of each kind remember from one to the next.
        #[derive(Default)]
        pub(crate) struct States {
            $( $module: <$options as CallKind>::State, )*
        }

        impl States {
            /// The shared subject is about to be disposed: lets go of what keeps it alive.
            pub fn before_dispose(&self) {
                $( <$options as CallKind>::before_dispose(&self.$module); )*
            }
        }

        impl CallDo {
            /// Its key under `do`.
            pub fn key(&self) -> &'static str {
                match self { $( Self::$variant(_) => $key, )* }
            }

            /// Reports what makes no sense in it; `place` is where its key stands.
            pub(crate) fn check(&self, series: &Call, place: &Place, check: &mut Check<'_>) {
                let place = place.key(self.key());
                match self { $( Self::$variant(kind) => kind.check(series, &place, check), )* }
            }

            /// Describes what the callers do; the verb ends in `plural`.
            fn describe(&self, plural: &str) -> String {
                match self { $( Self::$variant(kind) => kind.describe(plural), )* }
            }

            /// What of the subject it uses.
            pub fn uses(&self) -> Uses {
                match self { $( Self::$variant(kind) => kind.uses(), )* }
            }

            /// The token request that it makes itself, if it does.
            pub fn token_request(&self, world: &World, which: Which) -> Option<TokenRequest> {
                match self { $( Self::$variant(kind) => kind.token_request(world, which), )* }
            }

            /// The options of its token request that a scenario spells out, by their names in the
            /// driver protocol.
            pub fn request_options(&self) -> Vec<&'static str> {
                match self { $( Self::$variant(kind) => kind.request_options(), )* }
            }

            /// The resource of the world that it uses.
            pub fn resource(&self) -> Option<&str> {
                match self { $( Self::$variant(kind) => kind.resource(), )* }
            }

            /// The names of the Redis commands that it sends in transactions, in capitals.
            pub fn commands_in_transactions(&self) -> Vec<String> {
                match self { $( Self::$variant(kind) => kind.commands_in_transactions(), )* }
            }

            /// The channels of Redis that it listens to.
            pub fn subscription(&self) -> Option<Subscription<'_>> {
                match self { $( Self::$variant(kind) => kind.subscription(), )* }
            }

            /// Plays one call, and records it.
            pub(crate) async fn play(&self, caller: &Caller) {
                match self {
                    $( Self::$variant(kind) => kind.play(caller, &caller.context.states.$module).await, )*
                }
            }
        }
    };
}
calls!(define);

impl Call {
    /// How long after the first of them a caller begins, counted from 1.
    pub fn begins_after(&self, caller: u32) -> Duration {
        let callers = self.callers.max(1);
        let whole = self.ramp_up.unwrap_or_default().0;
        let share = whole.as_nanos() * u128::from(caller.saturating_sub(1)) / u128::from(callers);
        Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))
    }

    /// Every token request that it makes when it is repeated so often, each once.
    pub(crate) fn token_requests(&self, world: &World, times: u64) -> Vec<TokenRequest> {
        let request = |which| self.action.token_request(world, which);
        let first = request(Which::FIRST);
        let is_another = |which| {
            let scopes = |request: &Option<TokenRequest>| {
                request.as_ref().map(|request| request.scopes().to_vec())
            };
            scopes(&request(which)) != scopes(&first)
        };
        let second = Which {
            repetition: 2,
            ..Which::FIRST
        };
        let times = if is_another(second) { times } else { 1 };
        let second = Which {
            caller: 2,
            ..Which::FIRST
        };
        let callers = if is_another(second) { self.callers } else { 1 };
        let all = (1..=times)
            .flat_map(|repetition| (1..=callers).map(move |caller| Which { repetition, caller }));
        all.filter_map(request).collect()
    }

    /// Whether it needs the instance that calls share.
    pub(crate) fn needs_shared(&self) -> bool {
        let uses_one = match self.action.uses() {
            Uses::Credential | Uses::RedisClient => true,
            Uses::BareHttp => false,
        };
        uses_one && self.credential.is_shared()
    }

    /// Describes it in a sentence.
    pub fn describe(&self) -> String {
        let mut text = format!("after {}", self.at);
        if let Some(every) = self.every {
            text += &format!(" and every {every}");
            if let Some(until) = self.until {
                text += &format!(" until {until}");
            }
        }
        text += &match (self.callers, self.ramp_up) {
            (1, _) => ": a caller ".to_owned(),
            (many, None) => format!(": {many} callers at once "),
            (many, Some(over)) => format!(": {many} callers, evenly over {over}, "),
        };
        text += &self
            .action
            .describe(if self.callers == 1 { "s" } else { "" });
        text += match self.credential {
            Instance::Shared => "",
            Instance::New => ", with a new credential each time",
            Instance::Clone => ", with a clone of the credential each time",
            Instance::EachItsOwn => ", each with a credential of its own",
        };
        if let Some(patience) = self.gives_up_after {
            text += &format!(", giving up after {patience}");
        }
        text
    }
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(rest: &str) -> Call {
        let text = format!("callers = 3\n{rest}\n");
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn callers_begin_evenly_and_the_series_fits() {
        let call =
            |ramp_up: &str| call(&format!("{ramp_up}\ndo.get-token = {{ scopes = [\"a\"] }}"));
        let begin = |ramp_up| [1, 2, 3].map(|caller| call(ramp_up).begins_after(caller));
        assert_eq!(begin(""), [Duration::ZERO; 3]);
        assert_eq!(
            begin("ramp-up = \"10s\""),
            [0, 3_333_333_333, 6_666_666_666].map(Duration::from_nanos)
        );
    }

    #[test]
    fn a_series_makes_each_of_its_token_requests_once() {
        let world: World =
            toml::from_str("start = \"2026-01-01T00:00:00Z\"\nlasts = \"1m\"\n").unwrap();
        let scopes = |action: &str| -> Vec<String> {
            let requests = call(action).token_requests(&world, 2).into_iter();
            requests.map(|request| request.scopes().join(" ")).collect()
        };
        let get = |scope: &str| scopes(&format!("do.get-token = {{ scopes = [\"{scope}\"] }}"));
        assert_eq!(get("a"), ["a"]);
        assert_eq!(get("a{n}"), ["a1", "a2"]);
        assert_eq!(get("a{caller}"), ["a1", "a2", "a3"]);
        assert_eq!(get("{n}{caller}"), ["11", "12", "13", "21", "22", "23"]);
        assert!(scopes("do.redis = { send = [\"PING {n}\"] }").is_empty());
    }
}
