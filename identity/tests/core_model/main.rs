//! The cache against what it promises, with random callers, clocks and sources (PR-12, PR-20 to
//! PR-25, PR-29). A run that breaks a promise is shrunk to the few steps that it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "../core_support/mod.rs"]
mod core_support;
mod known;
mod source;
mod steps;
mod world;

use std::sync::Arc;

use proptest::prelude::*;

use steps::{Step, steps};
use world::World;

/// Runs the steps in a world of its own; what was broken, if anything.
fn broken(capacity: usize, draw: f64, steps: Vec<Step>) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = Arc::new(World::new(capacity, draw));
        for step in steps {
            world.take(step).await;
            world.check();
            if world.is_broken() {
                return world.broken();
            }
        }
        world.heal().await;
        world.dispose().await;
        world.broken()
    })
}

/// The more the better; `PROPTEST_CASES` multiplies.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let cases = config.cases * 12;
    ProptestConfig { cases, ..config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_promise_holds(capacity in 1..=world::KEYS, draw in 0.0..1.0_f64, steps in steps()) {
        prop_assert_eq!(broken(capacity, draw, steps), Vec::<String>::new());
    }
}
