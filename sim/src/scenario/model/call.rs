//! Who asks for tokens, and when.

pub use crate::call::*;
