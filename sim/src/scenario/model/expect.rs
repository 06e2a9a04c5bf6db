//! What a scenario asserts: see `crate::expectation`.

pub use crate::expectation::*;
