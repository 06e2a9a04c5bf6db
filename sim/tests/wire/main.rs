//! Compares our client's requests with those of the published JavaScript SDK (`fixtures/wire`).
//!
//! `case/NAME` makes the calls of one case with our library, as a process of its own in a served
//! world, and compares what arrives with the capture, request by request: method, path, each
//! parameter, each header, each command. Every difference must be in `differences.toml` with its
//! reason, and every entry there must be needed. `capture` records the captures anew.
//!
//! This program is its own client: as `wire --as-client CASE` it makes the calls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod again;
mod captured;
mod cases;
mod client;
mod compare;
mod differences;
mod serve;

use std::{collections::BTreeSet, env, fs, process::ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

use cases::Case;
use differences::Differences;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some("--as-client") {
        client::run(&Case::called(&arguments.next().unwrap_or_default()));
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("every-case-has-a-capture", every_case_has_a_capture),
        Trial::test("every-difference-has-a-case", every_difference_has_a_case),
        again::trial(),
    ];
    trials.extend(cases::all().into_iter().map(|case| {
        let name = format!("case/{}", case.case);
        Trial::test(name, move || ours_beside_theirs(&case))
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn ours_beside_theirs(case: &Case) -> Result<(), Failed> {
    let known = case.known();
    let theirs = captured::read(&fs::read_to_string(case.capture())?, &known);
    let ours = captured::read(&serve::ours(case)?, &known);
    let found = compare::differences(&theirs, &ours);
    let met: BTreeSet<&str> = theirs.iter().chain(&ours).map(|one| &*one.to).collect();
    Differences::read().explain(&case.case, &met, &found)
}

fn every_case_has_a_capture() -> Result<(), Failed> {
    let mut wanted: Vec<_> = cases::all().iter().map(Case::capture).collect();
    wanted.sort();
    let mut found = Vec::new();
    for entry in fs::read_dir(cases::folder())? {
        let path = entry?.path();
        let is_capture = path.extension().is_some_and(|end| end == "jsonl");
        found.extend(is_capture.then_some(path));
    }
    found.sort();
    if found == wanted {
        return Ok(());
    }
    Err(format!("there are {found:#?}, and the cases are {wanted:#?}").into())
}

fn every_difference_has_a_case() -> Result<(), Failed> {
    let names: Vec<_> = cases::all().into_iter().map(|case| case.case).collect();
    Differences::read().all_met(&names)
}
