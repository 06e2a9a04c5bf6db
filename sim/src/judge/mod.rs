//! What expectations and invariants are judged with: the record of a run, views of its trace, what
//! can be seen of it, and findings with their evidence.

mod evidence;
mod finding;
pub(crate) mod redis_view;
mod run;
pub(crate) mod statistics;
pub(crate) mod view;
mod visibility;

pub use evidence::Evidence;
pub use finding::{Finding, Judgement, Known};
pub use run::Run;
pub use visibility::{Side, Sight};
