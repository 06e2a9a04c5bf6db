//! Replays Azure credential failures in virtual time and asserts what the client did.
//!
//! # Map
//!
//! A room is a module of this crate. It uses only rooms above it on this map, and no two modules of
//! one room use each other in a circle; the test target `tidy` reads this table and checks both.
//!
//! | room | what is in it |
//! |---|---|
//! | `wording` | counts in sentences |
//! | `redact` | what looks like a secret, and texts in which secrets are covered |
//! | `scenario` | the file format: document and spans, parse, diagnostics, shape, times |
//! | `check` | what the parts of a file are checked with: names, and what the rest of the file says |
//! | `facts` | facts and promises, by id |
//! | `draws` | random numbers drawn from the seed, keyed by purpose |
//! | `engine` | network and clock: `lapse`, `turmoil`, live sockets |
//! | `trace` | events, their recorder, the hash, the text |
//! | `fault` | rules over matchers, and what they do |
//! | `backend` | what the services of one world share: time, token issuer, fault book, journal |
//! | `http` | what services that speak HTTP share: exchange, server, body, limits, replies |
//! | `service` | the simulated services, one folder each |
//! | `command` | the simulated command-line tools, one folder each |
//! | `world` | the registry of services and commands, their names, what checks are given |
//! | `host` | a simulated host: platform, HTTP client, clock, files |
//! | `live` | how processes outside get in: proxy, authority, command links, environment |
//! | `credential` | credential kinds, one file each |
//! | `call` | what `[[call]]` can do, one file each |
//! | `action` | what `[[at]]` can do, one file each |
//! | `judge` | findings, evidence, views of a trace, visibility |
//! | `expectation` | what `[[expect]]` can assert, one file each |
//! | `invariant` | what every run asserts, one file each |
//! | `story` | the root type of a file, its header, known failures, schema, the bundled library |
//! | `verdict` | the findings of a scenario's runs, with known failures applied |
//! | `subject` | the client under test: ours, or a driver process |
//! | `run` | the world, its schedule and the callers: gives a trace |
//! | `simulation` | load, check, skip, play each seed, judge |
//! | `report` | reports for people and programs |
//! | `cli` | the command line |

pub mod action;
pub mod backend;
pub mod call;
pub(crate) mod check;
pub mod cli;
pub mod command;
pub mod credential;
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
pub mod simulation;
pub mod story;
pub mod subject;
pub mod trace;
pub mod verdict;
pub(crate) mod wording;
pub mod world;
