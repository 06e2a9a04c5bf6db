//! Scenario files: the model, reading them, what is wrong with them, and their JSON Schema.

pub(crate) mod checker;
pub mod command_line;
pub(crate) mod diagnostics;
pub(crate) mod document;
pub mod library;
mod lines;
mod model;
mod parse;
mod schema;
mod shape;
mod syntax;
mod validate;

pub use crate::service::redis::parse_command;
pub use diagnostics::{Diagnostic, Invalid};
pub use model::*;
pub use parse::parse;
pub use schema::schema;

/// A scenario with the name it is known by and the text it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its path under `scenarios/` without the suffix, or the path as it was given.
    pub name: String,
    /// The path as diagnostics and reports show it.
    pub path: String,
    /// The text of the file.
    pub text: String,
    /// What it says.
    pub scenario: Scenario,
}
