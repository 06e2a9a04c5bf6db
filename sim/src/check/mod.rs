//! What the parts of a scenario file are checked with: who and what has a name, and what the rest
//! of the file says. It is plain data, so that every part can be checked in its own room.

mod names;
mod part;

pub(crate) use names::{Names, is_guid};
pub use part::Uses;
pub(crate) use part::{Check, Rest, Series};
