//! The simulated world: its services and commands together, and what parts of a scenario are checked
//! with.

mod check;
mod names;
mod target;

pub(crate) use check::{Check, Rest, Series};
pub(crate) use names::{Names, is_guid};
pub(crate) use target::facts_of;
pub use target::{FaultOn, Target};
