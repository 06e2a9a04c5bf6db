//! What looks like a secret, and texts in which secrets are covered.
//!
//! A secret is recognised in one of four ways: by its own form ([`shape`], [`looks_like_token`]), by
//! the name of what holds it ([`is_secret_name`], [`is_secret_field`], [`is_secret_header`]), by its
//! place in a command line ([`arguments`]), or because it is known ([`Secrets`]). This is the lowest
//! room: it knows texts only, no request, no world and no trace.

mod arguments;
mod name;
mod secrets;
mod shape;
mod token;

pub use arguments::{Dialect, arguments};
pub use name::{is_secret_field, is_secret_header, is_secret_name, looks_secret};
pub use secrets::{Secrets, WITHHELD, holds};
pub use shape::{Shape, masked, percent_decoded, shape, words};
pub use token::looks_like_token;

/// Stands in a text where a secret is covered.
pub const MASK: &str = "***";
