//! The simulated world: its services and commands together, and what parts of a scenario are checked
//! with.

mod check;
mod names;
mod registry;
mod running;

pub(crate) use check::{Check, Rest, Series};
pub(crate) use names::{Names, is_guid};
pub use registry::{FaultOn, HostWorld, Service, Target, World};
pub(crate) use registry::{advice, facts_of, preset};
