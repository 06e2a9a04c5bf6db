//! What is known of the cache from outside: what it was given, and what it has handed out.

use std::{collections::BTreeMap, time::Duration};

use credsim_identity::{AccessToken, platform::Clock as _};
use jiff::Timestamp;

use super::core_support::Host;

/// One moment by both clocks.
#[derive(Clone, Copy)]
pub struct Now {
    pub wall: Timestamp,
    pub monotonic: Duration,
}

impl Now {
    pub fn of(host: &Host) -> Self {
        Self {
            wall: host.now(),
            monotonic: host.monotonic(),
        }
    }

    pub fn until(self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.wall)).unwrap_or_default()
    }
}

/// The life of a token since its last receipt: at least, and at most.
///
/// The same token again goes on with the life it has (PR-20), but a cache cannot know that when
/// it has let go of the token meanwhile, and from outside that does not always show.
#[derive(Clone, Copy)]
struct Life {
    received: Duration,
    least: Duration,
    most: Duration,
}

/// One key of the cache.
#[derive(Clone, Default)]
pub struct Known {
    /// Whether the cache may have let go of the key to make room, so that nothing is sure.
    pub forgotten: bool,
    /// What the source gave last.
    pub last_given: Option<AccessToken>,
    /// What the cache handed out last. It holds that one, unless it was given another since.
    handed_out: Option<AccessToken>,
    given_since: bool,
    lives: BTreeMap<String, Life>,
    /// A forced call waits for the next answer (PR-23).
    pub forced: bool,
    /// Monotonic: the service wants to be left alone until then (PR-12).
    pub refused_until: Duration,
    /// Monotonic: when a request came to nothing, or to the same token (PR-23, PR-25).
    pub in_vain: Option<Duration>,
    pub in_flight: usize,
    /// Monotonic: when the one in flight has begun.
    pub begun: Duration,
    pub callers: usize,
    /// The last caller found no token, or wanted another one: whatever is in flight is there for
    /// those who wait, and ends with them (PR-24).
    pub is_waited_for: bool,
}

impl Known {
    /// The token that the cache surely holds, and how long it is surely valid.
    pub fn held(&self, now: Now) -> Option<(&AccessToken, Duration)> {
        let token = self.surely()?;
        let (least, _) = self.left(token, now);
        (!least.is_zero()).then_some((token, least))
    }

    fn surely(&self) -> Option<&AccessToken> {
        let sure = !self.given_since && !self.forgotten;
        self.handed_out.as_ref().filter(|_| sure)
    }

    /// How long `token` is valid by both clocks: at least, and at most.
    pub fn left(&self, token: &AccessToken, now: Now) -> (Duration, Duration) {
        let Some(life) = self.lives.get(token.secret()) else {
            return (Duration::ZERO, Duration::ZERO);
        };
        let lived = now.monotonic.saturating_sub(life.received);
        let left = |length: Duration| {
            length
                .saturating_sub(lived)
                .min(now.until(token.expires_on()))
        };
        (left(life.least), left(life.most))
    }

    /// The source gives `token`, which the cache may know already.
    pub fn given(&mut self, token: &AccessToken, now: Now) {
        let whole = now.until(token.expires_on());
        let is_held = self.surely() == Some(token);
        let is_known = self.lives.contains_key(token.secret());
        let (least, most) = self.left(token, now);
        let (least, most) = match (is_known, is_held) {
            (true, true) => (least, most),
            (true, false) => (least.min(whole), whole),
            (false, _) => (whole, whole),
        };
        let is_same = is_held && is_known;
        if most.is_zero() {
            self.fails(now);
            return;
        }
        let life = Life {
            received: now.monotonic,
            least,
            most,
        };
        self.in_vain = is_same.then_some(now.monotonic);
        self.lives.insert(token.secret().to_owned(), life);
        self.last_given = Some(token.clone());
        // A refresh does not replace a better token (PR-23).
        let is_kept = !self.forced && self.held(now).is_some_and(|(_, least)| least > most);
        self.given_since |= !is_held && !is_kept;
        self.forced = false;
        self.refused_until = Duration::ZERO;
    }

    /// The source gives nothing.
    pub fn fails(&mut self, now: Now) {
        self.in_vain = Some(now.monotonic);
        self.forced = false;
    }

    /// The cache hands out `token`; how long that is valid at most.
    pub fn handed_out(&mut self, token: &AccessToken, now: Now) -> Duration {
        self.handed_out = Some(token.clone());
        self.given_since = false;
        self.left(token, now).1
    }
}
