//! Bridges to other crates, each behind the feature that carries its name. All are off by default.

#[cfg(feature = "azure-core")]
pub mod azure_core;
#[cfg(feature = "reqwest")]
pub mod reqwest;
