//! The commands that change subscriptions.

use redis::{Cmd, cmd};

/// A command that changes subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubscriptionVerb {
    Subscribe,
    Unsubscribe,
    PSubscribe,
    PUnsubscribe,
}

impl SubscriptionVerb {
    fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::PSubscribe => "PSUBSCRIBE",
            Self::PUnsubscribe => "PUNSUBSCRIBE",
        }
    }

    /// Whether it adds subscriptions.
    pub fn adds(self) -> bool {
        match self {
            Self::Subscribe | Self::PSubscribe => true,
            Self::Unsubscribe | Self::PUnsubscribe => false,
        }
    }

    /// The command with `names`.
    pub fn command<'a>(self, names: impl IntoIterator<Item = &'a Vec<u8>>) -> Cmd {
        let mut command = cmd(self.name());
        for name in names {
            command.arg(name.as_slice());
        }
        command
    }
}
