//! The file format, without any word of the domain: a document and the places in it, diagnostics,
//! times, and what checks report with.

pub(crate) mod checker;
pub mod command_line;
pub(crate) mod diagnostics;
pub(crate) mod document;
mod syntax;
mod value;

pub use diagnostics::{Diagnostic, Invalid};
pub use value::{Moment, Nothing, Range, SignedSpan, Span};
