//! Single flight under loom: the file `src/cache/single_flight.rs` itself, on loom's locks, in
//! every order in which two or three threads can run it (PR-24, PR-29).
//!
//! Loom fails a test in which no thread can go on, so a caller that waits in vain, or work without
//! waiters that goes on, is a deadlock here.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "../core_support/mod.rs"]
mod core_support;
mod host;
#[path = "../../src/cache/single_flight.rs"]
mod single_flight;
mod sync;
mod work;

mod ends;
mod locks;
mod owners;
mod waiters;

// What the file takes from its crate.
use credsim_identity::{AccessToken, Error, ErrorKind, Platform, platform};

use std::sync::atomic::{AtomicUsize, Ordering};

use host::Host;
use single_flight::{Flights, Waiter};
use work::Works;

const KEY: u8 = 1;
const OTHER: u8 = 2;

/// One world: what is checked, and what it runs on.
#[derive(Clone)]
struct World {
    host: Host,
    works: Works,
    flights: Flights<u8>,
}

impl World {
    fn on(host: Host) -> Self {
        let flights = Flights::new(&host.platform(), "Test");
        let works = Works::default();
        Self {
            host,
            works,
            flights,
        }
    }

    /// Joins with work that is over at once.
    fn join(&self) -> Waiter<u8> {
        self.flights.join(&KEY, self.works.ready())
    }

    /// Joins with work that never ends by itself.
    fn join_endless(&self) -> Waiter<u8> {
        self.flights.join(&KEY, self.works.endless())
    }
}

/// What a waiter gets: the number of the work, or the kind of the error.
fn outcome(mut waiter: Waiter<u8>) -> Result<usize, ErrorKind> {
    match loom::future::block_on(waiter.outcome()) {
        Ok(token) => Ok(token.secret().parse().unwrap()),
        Err(error) => Err(error.kind()),
    }
}

/// Runs `test` in every interleaving with at most `preemptions` of them, on both kinds of hosts.
fn model(preemptions: usize, test: impl Fn(World) + Send + Sync + 'static) {
    let test = std::sync::Arc::new(test);
    for make in [Host::at_once, Host::later] {
        let test = std::sync::Arc::clone(&test);
        explore(preemptions, move || test(World::on(make())));
    }
}

fn explore(preemptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let runs = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&runs);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        test();
    });
    let runs = runs.load(Ordering::Relaxed);
    println!("{runs} interleavings");
    assert!(runs > 1, "nothing was left to chance");
}
