//! The one redactor of everything that leaves: what looks like a secret, texts in which secrets are
//! covered, and texts of others in a form that is only shown.
//!
//! A secret is recognised in one of four ways: by its own form ([`shape`], [`looks_like_token`]),
//! by the name of what holds it ([`is_secret_name`]), by its place in a command line
//! ([`arguments`]), or because it is known ([`Secrets`]). What has a structure is taken apart
//! first: a URL ([`masked_path`], [`masked_query`]), a body ([`Body`]), a command line; any other
//! text is looked through by [`masked`]. [`escaped`] spells out what a terminal would obey. This is
//! the lowest room: it knows texts only, no request, no world and no trace.

mod arguments;
mod body;
mod escape;
mod name;
mod pairs;
mod redis;
mod secrets;
mod shape;
mod text;
mod token;
mod url;

#[cfg(test)]
mod tests;

pub use arguments::{Dialect, arguments};
pub use body::{Body, Shown, described};
pub use escape::{escaped, escaped_json, escaped_lines, is_hidden, without_commands};
pub use name::{is_secret_in_prose, is_secret_name};
pub use redis::{hides_reply, masked_command, masked_message, redis_secrets, without_echo};
pub use secrets::{Secrets, WITHHELD, holds};
pub use shape::{Shape, percent_decoded, shape, words};
pub use text::{looks_secret, masked, masked_forms, masked_in_place};
pub use token::looks_like_token;
pub use url::{masked_path, masked_query, masked_value};

/// Stands in a text where a secret is covered.
pub const MASK: &str = "***";

/// A text of a file, a client or a service as it may be printed: without its secrets, on one line.
pub fn printable(text: &str) -> String {
    escaped(&masked(text)).into_owned()
}

/// A line of JSON as it may be printed: without what is a secret by its form, and without what a
/// terminal would obey.
pub fn printable_json(document: &str) -> String {
    escaped_json(&masked_forms(document)).into_owned()
}
