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
//! | `limits` | what one scenario may take: events, memory, real time, connections, bodies |
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
//!
//! `sim/README.md` says which files a new thing touches.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | platform | what a host lends to a credential: clock, HTTP client, commands, environment, files, random numbers |
//! | subject | the implementation under test: ours, the official crate, or a driver process around an SDK |
//! | driver | a process that speaks the driver protocol and asks an SDK for tokens |
//! | service, command | what is simulated: `imds`, `app-service`, `service-fabric`, `entra`, `redis`, resources; `az`, `azd`, `pwsh` |
//! | world | the services, commands and the host of one scenario, and the date at which they begin |
//! | backend | the state that the services and commands of one running world share |
//! | exchange | one HTTP request and its answer, as a client makes it |
//! | issuer | what issues the tokens of a world |
//! | draws | random numbers, keyed by purpose, that follow from the seed |
//! | fault | what a service or a command does wrong on purpose, and when: a rule of a scenario. What goes wrong in the harness itself is a failure |
//! | effect, preset | what a fault does to a request; a body that a service says word for word |
//! | matcher, facts | which requests a fault strikes or an expectation counts; what is known of a request, in types, on which matchers decide |
//! | target | the service, command or resource that a matcher belongs to |
//! | engine | what carries time and bytes: `lapse` and `turmoil` in virtual time, `live` on the sockets of this machine |
//! | lapse | the default engine: one thread, a paused clock, and an in-memory network with exact times |
//! | trace, event, lane | the ordered record of a run; one entry; the part of the world that an entry belongs to |
//! | scenario | one file: world, subject, timeline (`[[at]]`), calls (`[[call]]`), expectations (`[[expect]]`) |
//! | seed, run, batch | one number from which all randomness of a run derives; one world played to its end; all runs of a scenario |
//! | expectation, invariant | what one scenario asserts; what every run asserts |
//! | visibility, aspect | what can be seen of a subject; a part of it, such as its requests or its log |
//! | plan, view | what judging needs of a scenario; the indexes over a trace that are built once per run |
//! | ruling, finding, evidence | what one assertion says of one run; of all runs; the events that show it |
//! | verdict | all findings of a scenario, with its known failures applied |
//! | known failure | a promise that another subject breaks, declared in the scenario and checked both ways |
//! | peer | an implementation by others that runs in this process, in `sim/peers` |
//! | mutant | a deliberately wrong subject that one invariant or promise must convict, in `sim/tests/mutants` |
//! | capture | requests and commands as they arrived, in full, for comparing clients |
//! | interpose | the crate that shows the virtual clock to foreign code that reads the real one |
//!
//! Ids such as `MI-60` are facts, `PR-12` are promises; `credsim explain MI-60` prints one, and
//! they stand in `fixtures/facts/` and `fixtures/promises.toml`.

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
pub mod limits;
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
