//! The state of a transaction made by hand.

use super::refusal::Refusal;

/// The state of a transaction made by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Transaction {
    #[default]
    None,
    /// `MULTI` is under way.
    Opening,
    /// `MULTI` was answered.
    Open,
    /// `EXEC` or `DISCARD` is under way.
    Ending,
    /// The answer to a command that opens or ends a transaction was not seen.
    Uncertain,
    /// Given up by this layer. The commands up to `EXEC` or `DISCARD` belong to it, and must not be
    /// executed on their own.
    GivenUp(Refusal),
}
