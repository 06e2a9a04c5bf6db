//! What looks like a secret, by its own form, by its name or by its place in a command line, and
//! texts in which it is covered.

mod arguments;
mod name;
mod shape;
mod token;

pub use arguments::{Dialect, arguments};
pub use name::{is_secret_name, looks_secret};
pub use shape::{Shape, masked, percent_decoded, shape, words};
pub use token::looks_like_token;

/// What stands where something is covered.
pub const MASK: &str = "***";
