//! Replays Azure credential failures in virtual time and asserts what the client did.

pub mod check;
pub mod cli;
pub mod door;
pub mod draws;
pub mod endpoint;
pub mod engine;
pub mod facts;
pub mod fault;
pub mod report;
pub mod run;
pub mod scenario;
pub mod subject;
pub mod trace;
