//! `credsim serve` as a user runs it.

mod commands;
mod ends;
mod exits;
mod faults;
mod hosts;
mod planted;
mod secrets;
mod support;
mod variables;

use libtest_mimic::Trial;

/// A test: its name and its body.
type Case = (&'static str, fn());

pub fn trials() -> Vec<Trial> {
    let cases = [
        variables::ALL,
        exits::ALL,
        hosts::ALL,
        ends::ALL,
        secrets::ALL,
        planted::ALL,
        commands::ALL,
        faults::ALL,
    ];
    let trial = |(name, case): Case| {
        let test = move || {
            case();
            Ok(())
        };
        Trial::test(format!("serve/{name}"), test)
    };
    cases.concat().into_iter().map(trial).collect()
}
