//! Decides who may log in: a client with a token of Entra for this cache [RS-41, RS-45].

use std::time::Duration;

use jiff::Timestamp;

use super::super::resource::server as resource;
use super::Redis;
use super::server::{Gate, Login, Micros};
use crate::{
    backend::{
        Backend,
        jwt::{self, NotVerified},
    },
    trace::{Fingerprint, fingerprint},
};

/// The longest that a command is on its way to the server without a fault: a link takes one
/// millisecond, or one tick of turmoil.
const ON_THE_WAY: Duration = Duration::from_millis(10);

/// The names of Redis as a resource: its address and its application id (RD-50).
const RESOURCES: [&str; 2] = [
    "https://redis.azure.com",
    "acca5fbb-b7e4-4009-81f1-37e38fd66d78",
];

/// Returns the audience that a token of audience `presented` must have where `configured` is asked
/// for. A cache that takes tokens for Redis takes them under each name of the resource (RD-50).
fn accepted_audience<'a>(configured: &'a str, presented: &serde_json::Value) -> &'a str {
    let is = |name: &str, resource: &str| name.trim_end_matches('/').eq_ignore_ascii_case(resource);
    let is_of_redis = RESOURCES.iter().any(|name| is(configured, name));
    let sent = presented.as_str().unwrap_or_default();
    let same = RESOURCES
        .into_iter()
        .find(|name| sent.trim_end_matches('/') == *name);
    same.filter(|_| is_of_redis).unwrap_or(configured)
}

/// An attempted login.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The user name presented.
    pub user: String,
    /// The token presented.
    pub token: Fingerprint,
    /// Whether it is good.
    pub accepted: bool,
    /// Whether the token had ended when the client sent it. One that ends on the way was valid
    /// then.
    pub ended: bool,
    /// Why, in words.
    pub why: String,
    /// When the connection must end, since the world began.
    pub until: Option<Duration>,
}

/// Looks at tokens at one moment.
pub struct EntraGate<'a> {
    backend: &'a Backend,
    at: Duration,
    received: Duration,
    /// What was tried, in order.
    pub tried: Vec<Tried>,
}

impl<'a> EntraGate<'a> {
    /// Judges at `at` after the world began what the server has `received` then or before.
    pub fn new(backend: &'a Backend, at: Duration, received: Duration) -> Self {
        Self {
            backend,
            at,
            received,
            tried: Vec::new(),
        }
    }

    /// When a good token ends, or why it is not good.
    fn judge(&self, user: &str, token: &str) -> Result<Timestamp, (bool, String)> {
        let refused = |why: &str| (false, why.to_owned());
        let claims = jwt::verify(token).map_err(|problem| {
            refused(match problem {
                NotVerified::Malformed => "the password is no token",
                NotVerified::UnknownKey => "the token is signed with an unknown key",
                NotVerified::Signature => "the token's signature is wrong",
            })
        })?;
        let sent = (self.backend).time(self.received.saturating_sub(ON_THE_WAY));
        let has_ended = claims["exp"]
            .as_i64()
            .is_some_and(|exp| sent.as_second() >= exp);
        let redis = self.backend.state().parts.get::<Redis>().cloned();
        let redis = redis.ok_or_else(|| refused("there is no Redis"))?;
        let audience = accepted_audience(&redis.audience, &claims["aud"]);
        let presented = resource::check(self.backend, audience, &claims, self.at)
            .map_err(|(_, why)| (has_ended, why))?;
        if presented.oid != user {
            let why = format!(
                "the user name is not {}, the token's object id",
                presented.oid
            );
            return Err((has_ended, why));
        }
        if !redis.principals.contains(&presented.oid) {
            return Err((has_ended, format!("{} may not sign in here", presented.oid)));
        }
        let end = Timestamp::from_second(presented.exp).unwrap_or(Timestamp::MAX);
        Ok(end.checked_add(redis.grace.0).unwrap_or(Timestamp::MAX))
    }
}

impl Gate for EntraGate<'_> {
    fn check(&mut self, user: &[u8], password: &[u8]) -> Option<Login> {
        let user = String::from_utf8_lossy(user).into_owned();
        let token = String::from_utf8_lossy(password);
        let judged = self.judge(&user, &token);
        let began = self.backend.time(Duration::ZERO);
        let since_the_start = |end: Timestamp| Duration::try_from(end.duration_since(began)).ok();
        let (accepted, ended, until, why) = match &judged {
            Ok(until) => (
                true,
                false,
                since_the_start(*until),
                "the token is good".to_owned(),
            ),
            Err((ended, why)) => (false, *ended, None, why.clone()),
        };
        self.tried.push(Tried {
            user: super::resp::shown(user.as_bytes()),
            token: fingerprint(password),
            accepted,
            ended,
            why,
            until,
        });
        let until: Option<Micros> = judged.ok().map(Timestamp::as_microsecond);
        until.map(|until| Login {
            user,
            until: Some(until),
        })
    }

    fn knows(&self, user: &[u8]) -> bool {
        let state = self.backend.state();
        let principals = state.parts.get::<Redis>().map(|redis| &redis.principals);
        principals
            .into_iter()
            .flatten()
            .any(|principal| principal.as_bytes() == user)
    }
}
