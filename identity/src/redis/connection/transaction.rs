//! The state of a transaction made by hand.

use super::refusal::Refusal;

/// Whether a transaction made by hand is open.
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
    /// The answer to a command that opens or ends one was never seen.
    Uncertain,
    /// Given up without the caller's doing. What follows until `EXEC` or `DISCARD` belongs to it,
    /// and must not be executed on its own.
    GivenUp(Refusal),
}
