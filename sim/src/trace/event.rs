//! What can happen in a run. Names are stable; no event holds a secret: tokens appear as
//! fingerprints.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Facts, Fingerprint, RedisEvent, SharedStr, time::nanoseconds};

/// The instance number of commands that an outside process runs: their credential is unknown.
pub const OUTSIDE: u32 = 0;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Event {
    /// Virtual time since the world began.
    #[serde(with = "nanoseconds")]
    pub at: Duration,
    /// What it was.
    #[serde(flatten)]
    pub kind: Kind,
}

/// The kinds of event.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Kind {
    /// The timeline changed the world. The beginning and the end of a fault have events of their
    /// own, and so has the disposal of a credential.
    World {
        /// The change in words: `alice@contoso.example logs in to az`.
        what: String,
    },
    /// A fault begins to apply.
    FaultInstalled {
        /// Its name.
        fault: String,
    },
    /// A fault no longer applies.
    FaultLifted {
        /// Its name.
        fault: String,
    },
    /// A credential was built.
    Built {
        /// The instance's number, from 1.
        instance: u32,
        /// What it is.
        credential: String,
    },
    /// A credential could not be built.
    NotBuilt {
        /// The instance's number, from 1.
        instance: u32,
        /// The kind of the error.
        error: String,
        /// Its text.
        message: String,
    },
    /// A credential was disposed.
    Disposed {
        /// Which.
        instance: u32,
    },
    /// What a disposed credential still holds. Recorded at the end of the run.
    Leftovers {
        /// Which.
        instance: u32,
        /// Background tasks still alive.
        tasks: usize,
        /// Sleeps still pending.
        timers: usize,
        /// Tokens still answered from its cache.
        tokens: usize,
    },
    /// A caller asks for a token.
    CallStarted {
        /// The call's number in this run, from 1.
        call: u64,
        /// Which `[[call]]` of the scenario, from 1.
        step: usize,
        /// Which of several concurrent callers, from 1.
        caller: u32,
        /// The credential asked.
        instance: u32,
        /// The scopes, joined by spaces.
        scope: SharedStr,
    },
    /// The caller has an answer.
    CallEnded {
        /// The call's number.
        call: u64,
        /// Which `[[call]]` of the scenario, from 1.
        step: usize,
        /// The credential asked.
        instance: u32,
        /// How long the caller waited.
        #[serde(with = "nanoseconds")]
        waited: Duration,
        /// The wall clock of the caller's host.
        host_time: Timestamp,
        /// The answer. Calls that are answered alike share it.
        #[serde(with = "shared")]
        outcome: Arc<CallOutcome>,
    },
    /// A caller begins something for which it asks no credential.
    WorkStarted {
        /// The call's number in this run, from 1.
        call: u64,
        /// Which `[[call]]` of the scenario, from 1.
        step: usize,
        /// Which of several concurrent callers, from 1.
        caller: u32,
        /// What, as a verb with its objects, secrets covered: `sends GET http://...`.
        work: String,
        /// What the kind of call knows of it; for expectations.
        #[serde(skip)]
        facts: Facts,
    },
    /// It is over.
    WorkEnded {
        /// The call's number.
        call: u64,
        /// Which `[[call]]` of the scenario, from 1.
        step: usize,
        /// How long it took.
        #[serde(with = "nanoseconds")]
        waited: Duration,
        /// How it ended, as a verb with its objects, secrets covered: `receives 400`.
        outcome: String,
        /// What the kind of call knows of the outcome; for expectations.
        #[serde(skip)]
        facts: Facts,
    },
    /// A credential sends a request.
    RequestSent {
        /// The credential.
        instance: u32,
        /// The exchange's number in this run, from 1.
        exchange: u64,
        /// The method.
        method: SharedStr,
        /// Where to.
        to: SharedStr,
        /// What makes two requests the same request: a digest of method, URL and body without
        /// correlation ids.
        key: Fingerprint,
        /// What the service at that host would know of it; for matchers.
        #[serde(skip)]
        facts: Facts,
    },
    /// The head of an answer reached the credential.
    ResponseReceived {
        /// The credential.
        instance: u32,
        /// The exchange.
        exchange: u64,
        /// The status.
        status: u16,
        /// What the answer says about when to come back, as the header stands.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
    },
    /// The exchange ended: the whole answer was read, or it failed, or the credential gave up.
    ExchangeEnded {
        /// The credential.
        instance: u32,
        /// The exchange.
        exchange: u64,
        /// `complete`; `given up` if the credential dropped the exchange before its end; or the
        /// transport error in words.
        how: SharedStr,
    },
    /// A request reached an endpoint.
    RequestArrived {
        /// The endpoint's name in the scenario: `imds`, `entra`, `resource.vault`.
        endpoint: SharedStr,
        /// Its number at this endpoint, from 1.
        request: u64,
        /// The host that it came from.
        peer: SharedStr,
        /// What is asked for: `probe`, `token`, `discovery`, `configuration`, `keys`, `use`,
        /// `other`.
        what: SharedStr,
        /// Method and path with query, secrets left out.
        line: SharedStr,
        /// What else matters, such as the form's fields in their order (`client_id=a&scope=b`,
        /// a `&`, `%`, `+` or space of a value percent-encoded), secrets replaced by `***`.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        detail: SharedStr,
        /// What the service knows of it; for matchers.
        #[serde(skip)]
        facts: Facts,
    },
    /// An endpoint answered, or decided not to.
    RequestAnswered {
        /// The endpoint.
        endpoint: SharedStr,
        /// The request's number there.
        request: u64,
        /// What was asked for.
        what: SharedStr,
        /// The status; none when no answer was sent: a fault cut the connection or left it hanging,
        /// the client hung up, or the service's host went down.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Why: the rule that decided, in words.
        why: SharedStr,
        /// The fault that decided, if one did.
        #[serde(skip_serializing_if = "Option::is_none")]
        fault: Option<SharedStr>,
        /// The token issued or presented.
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<Fingerprint>,
        /// The object id of the token's principal.
        #[serde(skip_serializing_if = "Option::is_none")]
        principal: Option<SharedStr>,
    },
    /// A credential started a command.
    CommandStarted {
        /// The credential.
        instance: u32,
        /// The command's number in this run, from 1.
        command: u64,
        /// The program: `az`, `azd`, `pwsh`.
        program: SharedStr,
        /// Its arguments, joined by spaces; instead of a script for `pwsh`, what it asks for.
        args: SharedStr,
        /// What the command knows of it; for matchers.
        #[serde(skip)]
        facts: Facts,
    },
    /// A command ended.
    CommandEnded {
        /// The credential.
        instance: u32,
        /// The command.
        command: u64,
        /// The program.
        program: SharedStr,
        /// The exit code; none when it was killed or could not be started.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
        /// Why, in words.
        why: SharedStr,
        /// The fault that decided, if one did.
        #[serde(skip_serializing_if = "Option::is_none")]
        fault: Option<SharedStr>,
        /// The token printed.
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<Fingerprint>,
        /// The object id of the token's principal.
        #[serde(skip_serializing_if = "Option::is_none")]
        principal: Option<SharedStr>,
    },
    /// A credential has read a file of its host.
    FileRead {
        /// The credential.
        instance: u32,
        /// The file.
        path: String,
        /// How long it is, or why it could not be read; never its content.
        outcome: String,
    },
    /// The credential reported that another identity answers now.
    IdentityChanged {
        /// The credential.
        instance: u32,
        /// The credential and identity that answered before: `ManagedIdentityCredential as <object
        /// id>`.
        from: String,
        /// The credential and identity that answers now.
        to: String,
        /// Whether the credential refused to hand the token out.
        refused: bool,
    },
    /// The credential logged a warning or an error.
    Log {
        /// `WARN` or `ERROR`.
        level: String,
        /// The message with its fields.
        message: String,
    },
    /// An outside process asked the proxy for a host that the world does not have; it was refused.
    HostRefused {
        /// The host and port: `example.com:443`.
        host: String,
        /// What the world has instead, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<String>,
    },
    /// An outside process asked for a host to which there is no route, as on a machine without
    /// IMDS.
    NoRoute {
        /// The host.
        host: String,
    },
    /// An outside process asked for a host of the world that gives no sign of life: packets to it
    /// vanish, or it is down. The client waits.
    Unreached {
        /// The host.
        host: String,
        /// Why it gets no answer.
        why: String,
        /// Whether it sees what it would see without a proxy. A proxy accepts every connection, so
        /// that a limit on the time of a connect never ends the waiting.
        shown: bool,
    },
    /// The proxy refused a request for its form, or for where it came from.
    RequestRefused {
        /// Why, in words.
        why: String,
    },
    /// A client outside could not agree on TLS.
    HandshakeFailed {
        /// The host that it asked for.
        host: String,
        /// Why, in words.
        why: String,
        /// Whether the client connected past the proxy.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        direct: bool,
    },
    /// A request held what looks like a secret of the real world.
    RealSecret {
        /// The endpoint that it was sent to.
        endpoint: String,
        /// What it looks like, in words; never the secret.
        what: String,
    },
    /// Something between a Redis client and its server.
    Redis(RedisEvent),
    /// A secret was found where none may be. Recorded when it is found, once in a run for each
    /// place and kind.
    SecretLeaked {
        /// Where: `log`, `error`, `debug`, or `report` for what a Redis client says of itself.
        place: String,
        /// What kind of secret: `token`, `client secret`.
        secret: String,
    },
}

impl Kind {
    /// The endpoint or command that the event belongs to.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::RequestArrived { endpoint, .. } | Self::RequestAnswered { endpoint, .. } => {
                Some(endpoint)
            }
            Self::CommandStarted { program, .. } | Self::CommandEnded { program, .. } => {
                Some(program)
            }
            Self::Redis(event) => event.is_seen_by_server().then_some("redis"),
            _ => None,
        }
    }
}

impl Kind {
    /// The number of the credential or client that the event belongs to, if it belongs to one.
    pub(super) fn instance(&self) -> Option<u32> {
        match self {
            Self::Built { instance, .. }
            | Self::NotBuilt { instance, .. }
            | Self::Disposed { instance }
            | Self::Leftovers { instance, .. }
            | Self::CallStarted { instance, .. }
            | Self::CallEnded { instance, .. }
            | Self::RequestSent { instance, .. }
            | Self::ResponseReceived { instance, .. }
            | Self::ExchangeEnded { instance, .. }
            | Self::CommandStarted { instance, .. }
            | Self::CommandEnded { instance, .. }
            | Self::FileRead { instance, .. }
            | Self::IdentityChanged { instance, .. } => Some(*instance),
            Self::Redis(event) => event.instance(),
            Self::World { .. }
            | Self::FaultInstalled { .. }
            | Self::FaultLifted { .. }
            | Self::WorkStarted { .. }
            | Self::WorkEnded { .. }
            | Self::RequestArrived { .. }
            | Self::RequestAnswered { .. }
            | Self::Log { .. }
            | Self::HostRefused { .. }
            | Self::NoRoute { .. }
            | Self::Unreached { .. }
            | Self::RequestRefused { .. }
            | Self::HandshakeFailed { .. }
            | Self::RealSecret { .. }
            | Self::SecretLeaked { .. } => None,
        }
    }
}

/// What a caller got.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum CallOutcome {
    /// A token.
    Token {
        /// Which.
        token: Fingerprint,
        /// The credential that gave it; inside a chain the member.
        credential: String,
        /// The object id of its principal.
        #[serde(skip_serializing_if = "Option::is_none")]
        principal: Option<String>,
        /// The person, for user tokens.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// When it ends.
        expires_on: Timestamp,
        /// When to renew it.
        #[serde(skip_serializing_if = "Option::is_none")]
        refresh_on: Option<Timestamp>,
        /// The walk of the chain that found it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tried: Vec<TriedMember>,
    },
    /// Nothing: it gave up waiting.
    GaveUp {},
    /// An error.
    Error {
        /// Its kind: `unavailable`, `failed`, ...
        error: String,
        /// The credential that failed.
        credential: String,
        /// Its whole text.
        message: String,
        /// Not to be asked again before.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
        /// The walk of the chain that failed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tried: Vec<TriedMember>,
    },
}

/// One member of a chain in one walk.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TriedMember {
    /// The member.
    pub credential: String,
    /// How long it took.
    #[serde(with = "nanoseconds")]
    pub took: Duration,
    /// `answered`, `passed-over` or `stopped`; `unknown` for an outcome that the harness has no
    /// name for.
    pub outcome: String,
    /// Why it was passed over or stopped the chain.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// A shared value as if it were not shared.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(it: &Arc<T>, to: S) -> Result<S::Ok, S::Error> {
        T::serialize(it, to)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_small() {
        // A day of 10,000 clients has four million of them.
        assert!(size_of::<Event>() <= 104, "{} bytes", size_of::<Event>());
    }
}
