//! Bridges to other crates, each behind the feature that carries its name. All are off by default.

#[cfg(feature = "reqwest")]
pub mod reqwest;
