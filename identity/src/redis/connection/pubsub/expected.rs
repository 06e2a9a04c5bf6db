//! What was sent and not answered yet.

use std::time::Duration;

use super::{change::Change, names::Names, subscription_verb::SubscriptionVerb};
use crate::redis::connection::reauthentication::Auth;

/// A command whose answer is awaited. Answers come in the order of the commands.
pub(super) struct Expected {
    pub what: Awaited,
    /// When the connection counts as unresponsive, by the monotonic clock.
    pub by: Duration,
}

/// What the answer decides.
pub(super) enum Awaited {
    /// A caller's change. The server confirms each name on its own.
    Change {
        /// Number of names without a confirmation.
        left: usize,
        change: Change,
        /// The names that are subscriptions only since this change.
        added: Names,
    },
    /// Another try of a subscription that the server has refused.
    Again {
        verb: SubscriptionVerb,
        name: Vec<u8>,
    },
    /// `AUTH` with a new token.
    Auth(Auth),
}
