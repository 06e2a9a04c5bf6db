//! What the simulated services and commands of one world share: its time, its randomness, the
//! issuer of its tokens, the faults that are installed, and the record of what reached them.

pub(crate) mod capture;
mod certificate;
pub(crate) mod handle;
pub(crate) mod issuer;
pub(crate) mod journal;
pub(crate) mod jwt;
#[cfg(test)]
mod jwt_tests;
mod multi_prime;
pub(crate) mod parts;
pub mod settings;
#[cfg(test)]
pub(crate) mod testing;
mod windows;

pub use capture::{CaptureSink, Captured};
pub use certificate::{Authority, Certificate, SignedBy};
pub use handle::Backend;
pub(crate) use handle::Beginning;
