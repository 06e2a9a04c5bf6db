//! What scenarios assert, one file each.
//!
//! To add an expectation: a file here with its TOML keys (a struct that derives `Deserialize` and
//! `JsonSchema`) and its `Expectation`, and a line in the registry `expectations!`. The line
//! gives it its name in files and findings and its place in the schema; the trait has no default
//! bodies, so what is forgotten does not compile. Beside these two files change only scenarios that
//! use it and generated files (`sim/scenario.schema.json`, approved traces).

mod attempts;
mod check;
mod claims;
mod count;
mod error;
mod http_reply;
mod identity_change;
mod in_flight;
mod log;
mod not_built;
mod passed_over;
mod percentile;
mod rate;
mod recovery;
mod redis_closed;
mod redis_failure;
mod redis_received;
mod redis_replies;
mod redis_reported;
mod requests;
mod resource_saw;
mod share;
mod statistics;
mod token_from;
mod tokens;
mod waited;
mod window;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::Check;
use crate::judge::{Aspect, Finding, Plan, Ruling, View};
use crate::scenario::document::Place;
use crate::trace::{Event, Kind, RedisEvent};
use crate::world::World;

pub(crate) use claims::{Claim, Outcome, conflicts};
pub use error::ErrorKind;
pub use identity_change::ChangeIs;
pub(crate) use window::Scale;

/// What the rest of the harness needs to know of an expectation. No default bodies: each must
/// decide.
pub(crate) trait Expectation {
    /// Checks that it can hold, can fail, and is tested at all. `place` is that of its keys.
    fn check(&self, place: &Place, check: &mut Check<'_>);

    /// What it expects, in a sentence without its full stop: the `expected` of its finding.
    fn describe(&self) -> String;

    /// Which outcome it asserts of the calls in a window, if it does: two expectations must not
    /// contradict each other.
    fn claim(&self) -> Option<Claim<'_>>;

    /// Whether it can be judged in a world without calls, because the credential under test
    /// can't be built.
    fn is_about_building(&self) -> bool;

    /// The hosts of `world`, with their ports, at which it counts requests; empty if it is about
    /// something else.
    fn counts_at(&self, world: &World) -> Vec<(String, u16)>;

    /// When what it speaks about can happen for the first time; none if that does not depend on
    /// the time. A run that ends before does not observe it.
    fn first_observable(&self, plan: &Plan<'_>) -> Option<Duration>;

    /// Whether a run that ended early, within its window, leaves it open: whether what would have
    /// come in the rest of the window could change `ruling`.
    fn may_change(&self, view: &View<'_>, ruling: &Ruling) -> bool;

    /// Moves its times of the timeline, for `serve --speed`. Times that a client waits by its own
    /// clock stay.
    fn scale(&mut self, by: Scale);

    /// Why the timeline can't run faster than the clients of this world, if it can't.
    fn takes_time(&self) -> Option<&'static str>;

    /// Judges the runs of all seeds together: most with [`each_run`].
    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling;
}

/// The registry: for each expectation, what the schema says, its module, its key in files and its
/// keys. The order is that of the schema.
macro_rules! expectations {
    ($callback:ident) => {
        $callback! {
            /// Every call in the window gets a token, from this principal or credential.
            token_from "token-from" TokenFrom(TokenFrom),
            /// Every call in the window fails like this.
            error "error" Error(ErrorLike),
            /// So many requests reach a service.
            requests "requests" Requests(Requests),
            /// Never more than so many requests are under way at a service.
            in_flight "in-flight" InFlight(InFlight),
            /// Never more than so many requests reach a service within a time.
            rate "rate" Rate(Rate),
            /// The waits between the attempts of one call.
            attempts "attempts" Attempts(Attempts),
            /// How long callers wait.
            waited "waited" Waited(Waited),
            /// Whether and how the credential reports that another identity answers.
            identity_change "identity-change" IdentityChange(IdentityChange),
            /// What a chain's walk says about a member that it passed over.
            passed_over "passed-over" PassedOver(PassedOver),
            /// Calls succeed again within a time after the last fault has ended.
            recovery "recovery" Recovery(Recovery),
            /// The principals that used a resource, and how many uses were refused.
            resource_saw "resource-saw" ResourceSaw(ResourceSaw),
            /// The credential could not be built.
            not_built "not-built" NotBuilt(NotBuilt),
            /// How many different tokens the callers of a window hold.
            tokens "tokens" Tokens(Tokens),
            /// The share of calls that succeed, over all seeds.
            share "share" Share(Share),
            /// A percentile of what callers wait, over all seeds.
            percentile "percentile" Percentile(Percentile),
            /// So many warnings and errors are logged.
            log "log" Log(Log),
            /// Every piece of Redis work in the window gets such replies.
            redis_replies "redis-replies" RedisReplies(RedisReplies),
            /// Every piece of Redis work in the window fails like this.
            redis_failure "redis-failure" RedisFailure(RedisFailure),
            /// So many Redis connections end, and why.
            redis_closed "redis-closed" RedisClosed(RedisClosed),
            /// What a subscriber receives.
            redis_received "redis-received" RedisReceived(RedisReceived),
            /// What the Redis client reports about itself.
            redis_reported "redis-reported" RedisReported(RedisReported),
            /// Every bare request in the window gets such a reply.
            http_reply "http-reply" HttpReply(HttpReplies),
        }
    };
}

macro_rules! define {
    ($( $(#[$doc:meta])* $module:ident $key:literal $variant:ident($keys:ident), )*) => {
        $( pub use $module::$keys; )*

        /// What can be asserted.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub enum That {
            $( $(#[$doc])* #[serde(rename = $key)] $variant($keys), )*
        }

        impl That {
            /// Its key in scenario files, by which findings name it.
            pub fn name(&self) -> &'static str {
                match self { $( Self::$variant(_) => $key, )* }
            }

            /// What it expects, in a sentence without its full stop.
            pub fn describe(&self) -> String {
                self.expectation().describe()
            }

            /// The hosts of `world`, with their ports, at which it counts requests.
            pub(crate) fn counts_at(&self, world: &World) -> Vec<(String, u16)> {
                self.expectation().counts_at(world)
            }

            pub(crate) fn expectation(&self) -> &dyn Expectation {
                match self { $( Self::$variant(that) => that, )* }
            }

            pub(crate) fn expectation_mut(&mut self) -> &mut dyn Expectation {
                match self { $( Self::$variant(that) => that, )* }
            }
        }
    };
}
expectations!(define);

/// One expectation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// Why it must hold: what a reader learns when it does not.
    pub why: Option<String>,
    /// What must hold.
    pub that: That,
}

impl Expect {
    /// Checks the `[[expect]]` at `place`.
    pub(crate) fn check(&self, place: &Place, check: &mut Check<'_>) {
        if let Some(why) = &self.why {
            check.text(
                why,
                &place.key("why"),
                "what a reader learns when it does not hold",
            );
            check.visible_text(why, &place.key("why"));
        }
        let place = place.key("that").key(self.that.name());
        self.that.expectation().check(&place, check);
    }

    /// Judges the runs of all seeds. `number` is its number in the file, from 1.
    pub(crate) fn judge(&self, number: usize, plan: &Plan<'_>, runs: &[View<'_>]) -> Finding {
        let that = self.that.expectation();
        let name = format!("expect[{number}] {}", self.that.name());
        Finding {
            expectation: Some(number),
            why: self.why.clone(),
            ..that.judge(plan, runs).into_finding(&name, that.describe())
        }
    }
}

/// Why what would have come later can't be judged.
const ENDED: &str = "the run ended before";
const ENDED_WITHIN: &str = "the run ended within the time that it is about";

/// Judges each run by itself: an expectation holds if it holds in all of them, and the first run in
/// which it does not is shown.
fn each_run<'v, 'a>(
    that: &dyn Expectation,
    plan: &Plan<'_>,
    runs: &'v [View<'a>],
    judge: impl Fn(&'v View<'a>) -> Ruling,
) -> Ruling {
    let first = that.first_observable(plan);
    let rulings = runs.iter().map(|view| {
        let mut ruling = judge(view);
        let unshown = view.run.unshown.as_ref();
        let unshown = unshown.map(|unshown| unshown.why.as_str());
        if first.is_some_and(|first| first >= view.run.ended) {
            ruling = Ruling::not_observed(unshown.unwrap_or(ENDED));
        } else if that.may_change(view, &ruling) {
            ruling = Ruling::not_observed(unshown.unwrap_or(ENDED_WITHIN));
        } else if let Some(unshown) = unshown
            && !ruling.is_held()
            && view.run.visibility.sees(Aspect::Calls)
            && !view.run.trace.events.iter().any(is_answer)
        {
            // It fails for want of a call: none was over before that.
            ruling = Ruling::not_observed(unshown);
        }
        ruling.of_seed(view.run.seed)
    });
    Ruling::worst(rulings).unwrap_or_else(|| Ruling::not_observed("there was no run"))
}

/// Whether a caller has its answer.
fn is_answer(event: &Event) -> bool {
    matches!(
        event.kind,
        Kind::CallEnded { .. } | Kind::WorkEnded { .. } | Kind::Redis(RedisEvent::WorkEnded { .. })
    )
}

/// Whether `text` contains all of `parts`, in this order; the first that it lacks otherwise.
fn lacks<'a>(text: &str, parts: &'a [String]) -> Option<&'a str> {
    // Line breaks and indents don't matter: people write texts on one line.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = text.as_str();
    for part in parts {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return Some(part),
        }
    }
    None
}
