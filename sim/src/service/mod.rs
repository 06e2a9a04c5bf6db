//! The simulated services, one folder each.
//!
//! They answer as `fixtures/facts` says, byte for byte where a client could notice, and leave in
//! the trace what reached them, what they decided and why. They know no subject.

pub mod entra;
pub mod imds;
pub mod redis;
pub mod resource;
