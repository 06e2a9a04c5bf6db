//! What looks like a secret, by its own form, by its name or by its place in a command line, and
//! texts in which it is covered.

mod arguments;
mod name;
mod shape;

pub use arguments::{Dialect, arguments};
pub use name::{is_secret_name, looks_secret};
pub use shape::{Shape, masked, percent_decoded, shape, words};

/// What stands where something is covered.
pub const MASK: &str = "***";
