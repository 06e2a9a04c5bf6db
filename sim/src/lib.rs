//! Replays Azure credential failures in virtual time and asserts what the client did.

pub mod action;
pub mod backend;
pub mod cli;
pub mod command;
pub mod draws;
pub mod engine;
pub mod expectation;
pub mod facts;
pub mod fault;
pub mod host;
pub mod http;
pub mod invariant;
pub mod judge;
pub mod live;
pub mod redact;
pub mod report;
pub mod run;
pub mod scenario;
pub mod service;
pub mod subject;
pub mod trace;
pub mod verdict;
pub mod world;
