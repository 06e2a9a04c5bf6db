//! The simulated world: its services and commands together, and what parts of a scenario are
//! checked with.

pub(crate) mod files;
mod registry;
mod running;

pub use registry::{FaultOn, HostWorld, Service, Target, World};
pub(crate) use registry::{
    advice, asked, asked_for, facts_of, presets, reserved_hosts, token_sources,
};
