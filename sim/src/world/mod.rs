//! The simulated world: its services and commands together, and what parts of a scenario are checked
//! with.

mod check;
mod names;

pub(crate) use check::{Check, Rest, Series};
pub(crate) use names::{Names, is_guid};
