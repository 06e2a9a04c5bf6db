//! What expectations and invariants are judged with: the record of a run, views of its trace, what
//! can be seen of it, what the scenario says, and findings with their evidence.
//!
//! What reads a trace matches on the events that it speaks of and passes over the others with `_`,
//! so that a new kind of event does not touch every assertion.

mod entry;
mod evidence;
mod finding;
mod plan;
pub(crate) mod redis_view;
mod ruling;
mod run;
pub(crate) mod view;
mod visibility;
mod waiting;

pub use entry::Entry;
pub use evidence::Evidence;
pub use finding::{Finding, Judgement, Known};
pub use plan::Plan;
pub use ruling::Ruling;
pub use run::{Run, Unshown};
pub use view::View;
pub use visibility::{Aspect, Visibility};
