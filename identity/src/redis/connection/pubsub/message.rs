//! A published message.

/// What was published, and how the subscriber came by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub channel: Vec<u8>,
    /// `None` for a subscription to the channel itself.
    pub pattern: Option<Vec<u8>>,
    pub payload: Vec<u8>,
}
