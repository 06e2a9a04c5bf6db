//! `credsim run`.

use std::{num::NonZeroUsize, sync::Arc, thread};

use super::{
    Console, Format, exit,
    files::{self, ReportFile, Whole},
    parallel,
    play::{self, File, How},
    stopwatch::Stopwatch,
};
use crate::{
    engine::{self, Engine},
    live::Environment,
    report::{Ending, Outcome, Tally, github, json, pretty},
    run::DEFAULT_SEED,
    scenario::library,
    subject::{Driver, Identity, Subject},
};

/// How many live worlds are played at once, at least.
const AT_ONCE_LIVE: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// The name of our own library as a subject.
const IDENTITY: &str = "identity";

/// The subjects of `sim/peers`, which cannot be built without OpenSSL, and the scenarios that
/// they are for.
const PEERS: [(&str, &str); 2] = [
    (
        "azure_identity",
        "cache chain developer entra live managed-identity",
    ),
    ("redis-rs", "redis"),
];

/// What `run` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario files, folders with such, names of bundled scenarios, beginnings of names, or
    /// patterns such as `chain/*`; all bundled ones if there is none
    #[arg(value_name = "PATH|NAME")]
    pub scenarios: Vec<String>,
    /// What carries time and bytes
    #[arg(long, value_enum, default_value_t = Engine::Lapse)]
    pub engine: Engine,
    /// What is under test: `identity`, or one that this command was built with
    #[arg(long, value_name = "NAME", default_value = IDENTITY, conflicts_with = "driver")]
    pub subject: String,
    /// Plays with a real SDK, behind this driver, instead of the identity library: a program and
    /// its arguments, such as 'node sim/drivers/javascript/driver.mjs'; needs --engine live
    #[arg(long, value_name = "CMD")]
    pub driver: Option<String>,
    /// From which every random choice derives: decimal, or hexadecimal with 0x
    #[arg(long, value_name = "N", value_parser = seed, default_value_t = DEFAULT_SEED)]
    pub seed: u64,
    /// How many worlds to play at once [default: one for each core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// How the results are told
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Also writes the results to a file; KIND is junit or json, and it can be given several times
    #[arg(long, value_name = "KIND=PATH")]
    pub report: Vec<ReportFile>,
    /// Plays everything a second time in fresh processes and compares the traces, except with a
    /// Redis cluster, whose client draws from the machine's random numbers
    #[arg(long)]
    pub twice: bool,
    /// Prints the whole trace of each scenario to standard output, repeats folded; with
    /// `--format json` every event as a line
    #[arg(long)]
    pub trace: bool,
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "expected a number from 0 to 2^64 - 1, such as 7 or 0x1f".to_owned())
}

/// Plays and judges what is asked for. `peers` are the subjects that this command was built with
/// besides ours.
pub fn run(args: &Args, peers: &[Arc<dyn Subject>], console: &mut Console) -> u8 {
    if let Err((message, help)) = files::check(&args.report) {
        console.error(&message, Some(&help));
        return exit::USAGE;
    }
    let subject = match subject(args, peers) {
        Ok(subject) => subject,
        Err((message, help, code)) => {
            console.error(&message, help.as_deref());
            return code;
        }
    };
    let stopwatch = Stopwatch::start();
    let (files, mut codes) = select(&args.scenarios, console);
    let how = How {
        engine: args.engine,
        seed: args.seed,
        twice: args.twice,
        keep_traces: args.trace,
        subject,
        peer: (args.subject != IDENTITY).then(|| args.subject.clone()),
        driver: args.driver.clone(),
    };
    let jobs = args.jobs.or_else(|| jobs(args.engine));
    let width = pretty::width(files.iter().map(|file| file.source.name.as_str()));
    let mut outcomes = Vec::new();
    let work = |file: &File| play::play(file, &how);
    parallel::in_order(
        &files,
        jobs.map_or(1, NonZeroUsize::get),
        work,
        |mut outcome| {
            show(&outcome, args, width, console);
            outcome.traces.clear();
            outcomes.push(outcome);
        },
    );
    let tally = Tally::of(&outcomes);
    codes.extend(outcomes.iter().flat_map(codes_of));
    if tally.passed + tally.failed == 0 {
        codes.push(exit::NOTHING);
    }
    let exit = exit::first_of(&codes);
    let whole = Whole {
        outcomes: &outcomes,
        tally: &tally,
        took: stopwatch.read(),
        exit,
    };
    conclude(&whole, args, console)
}

/// How many worlds are played at once where nobody says it: one for each core, and where they
/// mostly wait for real time to pass, a few more.
fn jobs(engine: Engine) -> Option<NonZeroUsize> {
    let cores = thread::available_parallelism().ok()?;
    if engine.is_real() {
        return Some(cores.max(AT_ONCE_LIVE));
    }
    Some(cores)
}

/// What is under test; or what is wrong, what helps, and the exit code.
fn subject(
    args: &Args,
    peers: &[Arc<dyn Subject>],
) -> Result<Arc<dyn Subject>, (String, Option<String>, u8)> {
    let usage =
        |message: &str, help: &str| Err((message.to_owned(), Some(help.to_owned()), exit::USAGE));
    if args.twice && args.engine.is_real() {
        return usage(
            "--twice compares two passes byte by byte, and no two are the same in real time",
            "leave --twice out",
        );
    }
    let Some(driver) = &args.driver else {
        return peer(&args.subject, peers).map_err(|(what, help)| (what, Some(help), exit::USAGE));
    };
    if !args.engine.is_real() {
        return usage(
            "a driver is a process of this machine, and its time is real",
            "add --engine live",
        );
    }
    Driver::parse(driver)
        .map_err(|message| (message, None, exit::USAGE))?
        .probe(&Environment::clean())
        .map(|driver| Arc::new(driver) as Arc<dyn Subject>)
        .map_err(|message| (message, None, exit::HARNESS))
}

/// The subject called `name`; or what is wrong, and what helps.
fn peer(name: &str, peers: &[Arc<dyn Subject>]) -> Result<Arc<dyn Subject>, (String, String)> {
    if name == IDENTITY {
        return Ok(Arc::new(Identity));
    }
    let short = |peer: &Arc<dyn Subject>| {
        let whole = peer.name();
        whole.split(' ').next().unwrap_or(whole).to_owned()
    };
    if let Some(peer) = peers.iter().find(|peer| short(peer) == name) {
        return Ok(peer.clone());
    }
    if let Some((_, scenarios)) = PEERS.iter().find(|(peer, _)| *peer == name) {
        return Err((
            format!("this command was built without the subject `{name}`"),
            format!(
                "build and run it with: cargo run --release --manifest-path sim/peers/Cargo.toml \
                 -- run --subject {name} {scenarios}"
            ),
        ));
    }
    let names: Vec<String> = peers.iter().map(short).collect();
    let names = [&[IDENTITY.to_owned()], &names[..]].concat();
    Err((
        format!("no subject is called `{name}`"),
        format!(
            "there is: {}; a real SDK is played with --driver",
            names.join(", ")
        ),
    ))
}

/// The files that are asked for, and a code for each word that leads nowhere.
pub(super) fn select(selectors: &[String], console: &mut Console) -> (Vec<File>, Vec<u8>) {
    let (found, missing) = library::select(selectors);
    for missing in &missing {
        console.error(&missing.message, Some(&missing.help));
    }
    let bundled = library::bundled();
    let files = found
        .into_iter()
        .map(|source| File::new(source, &bundled))
        .collect();
    (files, missing.iter().map(|_| exit::NOTHING).collect())
}

pub(super) fn codes_of(outcome: &Outcome) -> Vec<u8> {
    match &outcome.ending {
        Ending::Judged(judged) => {
            let failed = judged.verdict.failures().next().map(|_| exit::FAILED);
            let differs = judged.difference.is_some().then_some(exit::NONDETERMINISM);
            failed.into_iter().chain(differs).collect()
        }
        Ending::Skipped { .. } => Vec::new(),
        Ending::Invalid(_) => vec![exit::USAGE],
        Ending::Fault { .. } => vec![exit::HARNESS],
    }
}

/// Tells about a scenario as soon as it is done.
fn show(outcome: &Outcome, args: &Args, width: usize, console: &mut Console) {
    if args.format == Format::Json {
        for (seed, trace) in &outcome.traces {
            let lines = trace
                .events
                .iter()
                .map(|event| json::event(&outcome.name, *seed, event));
            console.data(&lines.map(|line| line + "\n").collect::<String>());
        }
        console.data(&(json::outcome(outcome) + "\n"));
    } else {
        console.say(&pretty::outcome(outcome, width));
        console.data(&pretty::traces(outcome));
    }
}

/// The end of the run: reports, the last line, the exit code.
fn conclude(whole: &Whole<'_>, args: &Args, console: &mut Console) -> u8 {
    let Whole {
        outcomes,
        tally,
        took,
        mut exit,
    } = *whole;
    let mut unwritten = Vec::new();
    unwritten.extend(
        args.report
            .iter()
            .filter_map(|report| report.write(whole).err()),
    );
    if args.format == Format::Github {
        console.data(&github::annotations(outcomes));
        unwritten.extend(files::add_to_job_summary(whole).err());
    }
    for message in &unwritten {
        console.error(message, None);
        exit = exit::first_of(&[exit, exit::HARNESS]);
    }
    if let Some(signal) = engine::live::interrupted() {
        // As a shell says it.
        exit = 128 + signal;
    }
    if args.format == Format::Json {
        console.data(&(json::summary(tally, took, exit) + "\n"));
        console.say(&format!("{tally}\n"));
    } else {
        console.say(&pretty::end(outcomes, tally, took));
    }
    exit
}

#[cfg(test)]
mod tests {
    use super::seed;

    #[test]
    fn seeds_are_decimal_or_hexadecimal() {
        assert_eq!(seed("7"), Ok(7));
        assert_eq!(seed("0x1F"), Ok(31));
        assert_eq!(seed("18446744073709551615"), Ok(u64::MAX));
        for wrong in ["", "-1", "0x", "ten", "18446744073709551616"] {
            assert!(seed(wrong).is_err(), "{wrong}");
        }
    }
}
