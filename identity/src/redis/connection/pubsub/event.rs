//! The events of a subscriber.

use jiff::Timestamp;

/// One event of an [`EntraPubSub`](super::EntraPubSub).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PubSubEvent {
    /// A message was published.
    Message {
        /// The channel that it was published to.
        channel: Vec<u8>,
        /// The pattern that matched the channel; `None` for a subscription to the channel itself.
        pattern: Option<Vec<u8>>,
        /// The message.
        payload: Vec<u8>,
    },
    /// Messages may be missing here.
    Gap {
        /// When the connection was last heard from, by the wall clock of this host.
        from: Timestamp,
        /// When the next connection had subscribed, or when reading went on.
        until: Timestamp,
        /// What happened.
        why: String,
    },
    /// A connection that was made anew subscribes to some channels no longer, because the server
    /// refuses them, such as after a change of the identity's ACL. Reported once. The subscriptions
    /// are tried again after 1 s, doubled up to 30 s, until they are accepted, which a
    /// [`Gap`](Self::Gap) reports, or until they are unsubscribed from. Other channels are
    /// unaffected.
    Refused {
        /// The refused channels.
        channels: Vec<Vec<u8>>,
        /// The refused patterns.
        patterns: Vec<Vec<u8>>,
        /// The error of the server.
        error: String,
    },
}
