//! `credsim serve`.

mod child;
mod reproduce;
mod requests;
mod speed;
mod variables;
mod visit;

use std::{
    collections::BTreeSet,
    ffi::OsString,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

pub use variables::Format;

use requests::Requests;

use super::{
    Console, Format as Output,
    conclude::{self, Conclusion},
    exit,
    files::{self, ReportFile},
    program,
    run::seed,
    selection::select,
};
use crate::{
    engine::Engine,
    judge::Run,
    limits::SERVED_EVENTS,
    live::{self, ImdsBy},
    report::{journal, pretty},
    run::{self, DEFAULT_SEED, ExternalClients},
    simulation::{Callers, Ending, Judged, Outcome, Played, Selected, Stopwatch, skip_reason},
    story::{Loaded, Scenario, names_version, sdk_of},
    trace::{self, Event, Trace},
};

/// What `serve` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A scenario file, or the name of a bundled scenario
    #[arg(value_name = "PATH|NAME")]
    pub scenario: String,
    /// Prints the variables that lead a program into the world, to standard output [default: env,
    /// unless there is a command]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Runs a command in the world, and ends with it and with its exit code
    #[arg(long, requires = "command")]
    pub until_exit: bool,
    /// The subject that is served, by name and version, such as 'node-redis 6.3.1', so that its
    /// [[known-failure]]s must fail, and nothing else may
    #[arg(long = "as", value_name = "NAME VERSION", value_parser = subject)]
    pub subject: Option<String>,
    /// Sets one more variable for the command; can be given several times
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    pub variables: Vec<(String, String)>,
    /// The port of the proxy on 127.0.0.1 [default: any free one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// How programs find IMDS
    #[arg(long, value_enum, default_value_t)]
    pub imds: ImdsBy,
    /// Refuses to serve on a machine with a metadata service of its own at 169.254.169.254, which
    /// programs that ignore the proxy would ask
    #[arg(long)]
    pub strict_network: bool,
    /// Where this machine's own metadata service would answer
    #[arg(long, hide = true, value_name = "ADDRESS", default_value = live::MACHINE_IMDS)]
    pub machine_imds: SocketAddr,
    /// Runs the timeline so many times faster; refused where anything in the story takes time, for
    /// the clocks of programs stay as they are
    #[arg(long, value_name = "TIMES", value_parser = times)]
    pub speed: Option<f64>,
    /// From which every random choice of the world derives: decimal, or hexadecimal with 0x
    #[arg(long, value_name = "N", value_parser = seed, default_value_t = DEFAULT_SEED)]
    pub seed: u64,
    /// Also writes the results to a file; KIND is junit or json, and it can be given several times
    #[arg(long, value_name = "KIND=PATH")]
    pub report: Vec<ReportFile>,
    /// Also writes every request and command as it arrives to a file, one JSON object a line,
    /// secrets left out
    #[arg(long, value_name = "PATH")]
    pub requests: Option<PathBuf>,
    /// Keeps so many of the latest events, two for most requests; a world that has seen more goes
    /// on, but gives no verdict
    #[arg(long, value_name = "N", default_value_t = SERVED_EVENTS,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub keep_events: usize,
    /// Does not show what happens while it happens
    #[arg(long)]
    pub quiet: bool,
    /// The command and its arguments
    #[arg(last = true, value_name = "CMD", requires = "until_exit")]
    pub command: Vec<OsString>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as PORT=8080".to_owned()),
    }
}

fn subject(text: &str) -> Result<String, String> {
    if !names_version(text) {
        return Err("expected a name and a version, such as 'node-redis 6.3.1'".to_owned());
    }
    Ok(text.to_owned())
}

fn times(text: &str) -> Result<f64, String> {
    let times = text.strip_suffix('x').unwrap_or(text).parse::<f64>();
    match times {
        Ok(times) if (1.0..=1000.0).contains(&times) => Ok(times),
        _ => Err("expected a number from 1 to 1000, such as 10".to_owned()),
    }
}

/// Opens the world, lets it be used, and judges what was seen.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let (served, requests) = match prepare(args, console) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let stopwatch = Stopwatch::start();
    let visited = open(args, &served.scenario, requests.as_ref(), console);
    let outcome = Outcome {
        name: served.loaded.name.clone(),
        path: served.file.source.path.clone(),
        title: served.scenario.title.clone(),
        expectation_lines: served.loaded.expectation_lines.clone(),
        engine: Engine::Live.name(),
        seed: args.seed,
        tried: None,
        took: stopwatch.read(),
        reproduce: reproduce::line(&program(), args, &served.file.selector),
        ending: visited.ending,
        traces: visited.traces,
    };
    let width = pretty::width([outcome.name.as_str()]);
    console.say(&pretty::outcome(&outcome, width));
    let conclusion = Conclusion {
        outcomes: &[outcome],
        codes: Vec::new(),
        took: stopwatch.read(),
        reports: &args.report,
        format: Output::Pretty,
        // Here a signal is the way to end.
        interrupted: None,
    };
    let verdict = conclude::conclude(conclusion, console);
    let code = visited.left.code.filter(|code| *code != 0);
    let code = code.unwrap_or(verdict);
    let Some(lost) = requests.and_then(|requests| requests.lost()) else {
        return code;
    };
    console.error(&lost, Some("the requests that are in it are not all"));
    exit::first_of(&[code, exit::HARNESS])
}

/// A scenario that can be served.
struct Served {
    file: Selected,
    loaded: Loaded,
    /// What is played: what `loaded` says, or the same faster.
    scenario: Scenario,
}

/// Checks what can be checked before the world opens: the scenario and the files to be written.
///
/// # Errors
/// The exit code of what is wrong, which has been reported to `console`.
fn prepare(args: &Args, console: &mut Console) -> Result<(Served, Option<Requests>), u8> {
    if let Err((message, help)) = files::check(&args.report) {
        console.error(&message, Some(&help));
        return Err(exit::USAGE);
    }
    if let Some(requests) = &args.requests
        && let Some(report) = files::written_to(&args.report, requests)
    {
        let message = format!("the requests and a report would be written to `{report}`");
        console.error(&message, Some("give each its own file"));
        return Err(exit::USAGE);
    }
    let served = served(args, console)?;
    check_network(args, console)?;
    if let Some(note) = stranger(args, &served.scenario) {
        console.say(&note);
    }
    let requests = args.requests.as_deref().map(Requests::to_file);
    let requests = requests.transpose().map_err(|message| {
        console.error(&message, None);
        exit::USAGE
    })?;
    Ok((served, requests))
}

/// Says that this machine has a metadata service of its own, if it does: the environment of a
/// program does not keep it from there.
///
/// # Errors
/// The exit code, if `args` asks for a machine without one.
fn check_network(args: &Args, console: &mut Console) -> Result<(), u8> {
    if !live::has_own_imds(args.machine_imds) {
        return Ok(());
    }
    let what = format!(
        "this machine's own {} answers, and a program that ignores the proxy gets tokens of a real \
         identity there",
        args.machine_imds.ip()
    );
    if args.strict_network {
        let help = "leave --strict-network out, or serve in a network without a metadata service";
        console.error(&what, Some(help));
        return Err(exit::USAGE);
    }
    console.say(&format!(
        "warning: {what}; --strict-network refuses to serve here\n"
    ));
    Ok(())
}

/// Loads the scenario and makes it as fast as `args` asks.
///
/// # Errors
/// The exit code if it is invalid, cannot be played faster or cannot be served.
fn served(args: &Args, console: &mut Console) -> Result<Served, u8> {
    let (file, loaded) = load(&args.scenario, console)?;
    let scenario = match args.speed {
        None => loaded.scenario.clone(),
        Some(times) => speed::faster(&loaded.scenario, times).map_err(|reason| {
            let message = format!("{} cannot honestly run faster: {reason}", loaded.name);
            let help = "leave --speed out: this scenario is served in real time";
            console.error(&message, Some(help));
            exit::USAGE
        })?,
    };
    if args.imds == ImdsBy::Variable && scenario.world.imds.is_none() {
        let message = format!("{} has no IMDS that a variable could lead to", loaded.name);
        console.error(&message, Some("leave --imds=variable out"));
        return Err(exit::USAGE);
    }
    let guests = Callers::Guests {
        imds_refuses: args.imds == ImdsBy::Variable,
    };
    if let Some(reason) = skip_reason(&scenario, Engine::Live, guests) {
        let message = format!("{} cannot be served: {reason}", loaded.name);
        console.error(&message, Some(&format!("credsim run {}", args.scenario)));
        return Err(exit::USAGE);
    }
    Ok(Served {
        file,
        loaded,
        scenario,
    })
}

/// What came of a world that was open.
struct Visited {
    ending: Ending,
    /// The trace with its seed, if a report needs it.
    traces: Vec<(u64, Trace)>,
    /// How the command left.
    left: visit::Left,
}

/// Opens the world until it ends or the command does, and judges what was seen.
fn open(
    args: &Args,
    scenario: &Scenario,
    requests: Option<&Requests>,
    console: &mut Console,
) -> Visited {
    let left = Arc::new(OnceLock::new());
    let clients = ExternalClients {
        port: args.port,
        imds: args.imds,
        subject: args.subject.clone(),
        variables: args.variables.clone(),
        capture: requests.map(Requests::capture),
        visit: visit::visit(args, scenario, console.another(), left.clone()),
    };
    let listener = journal(args, console);
    let played = run::serve(scenario, args.seed, clients, listener, args.keep_events);
    let left = left.get().cloned().unwrap_or_default();
    let mut traces = Vec::new();
    let ending = match played {
        Ok(run) if run.dropped > 0 => {
            let reason = visit::unjudged(&run);
            if files::need_traces(&args.report) {
                traces.push((run.seed, run.trace));
            }
            Ending::Skipped { reason }
        }
        Ok(run) if visit::somebody_came(&run) => {
            if let Some(caution) = visit::caution(&run, left) {
                console.say(&format!("note: {caution}\n"));
            }
            let keep = files::need_traces(&args.report);
            judged(scenario, run, keep.then_some(&mut traces))
        }
        Ok(_) => {
            if let Some(hint) = visit::hint(args, left) {
                console.error("the command never reached the world", Some(hint));
            }
            Ending::Skipped {
                reason: "nothing could be observed: no request reached the world".to_owned(),
            }
        }
        Err(error) => Ending::HarnessFailed {
            why: error.to_string(),
        },
    };
    Visited {
        ending,
        traces,
        left,
    }
}

/// What to say if the scenario knows failures, but only of others than who comes.
fn stranger(args: &Args, scenario: &Scenario) -> Option<String> {
    let subject = args.subject.as_deref()?;
    let known: BTreeSet<&str> = scenario
        .known_failure
        .iter()
        .map(|known| known.subject.as_str())
        .collect();
    let is_other = |known: &&str| sdk_of(known) != sdk_of(subject);
    if known.is_empty() || !known.iter().all(is_other) {
        return None;
    }
    let known: Vec<&str> = known.into_iter().collect();
    Some(format!(
        "note: no failure of {subject} is known here, only of {}\n",
        known.join(", ")
    ))
}

/// The one scenario that is meant.
fn load(selector: &str, console: &mut Console) -> Result<(Selected, Loaded), u8> {
    let (mut files, codes) = select(&[selector.to_owned()], console);
    if let Some(code) = codes.first() {
        return Err(*code);
    }
    let file = match (files.pop(), files.len()) {
        (Some(file), 0) => file,
        (None, _) => return Err(exit::NOTHING),
        (Some(_), others) => {
            let message = format!("`{selector}` means {} scenarios", others + 1);
            console.error(&message, Some("one world is served at a time: name one"));
            return Err(exit::USAGE);
        }
    };
    match file.source.parse() {
        Ok(loaded) => Ok((file, loaded)),
        Err(invalid) => {
            console.say(&invalid.render(true));
            console.say("\n");
            Err(exit::USAGE)
        }
    }
}

/// Shows what happens while it happens.
fn journal(args: &Args, console: &Console) -> trace::Listener {
    let quiet = args.quiet;
    let console = std::sync::Mutex::new(console.another());
    Arc::new(move |event: &Event| {
        if !quiet {
            let mut console = console
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            console.say(&(journal::event(event) + "\n"));
        }
    })
}

/// Judges what was seen; the trace goes to `traces`, if they are wanted.
fn judged(scenario: &Scenario, run: Run, traces: Option<&mut Vec<(u64, Trace)>>) -> Ending {
    let played = Played::judge(scenario, vec![run]);
    let replayed = played.replayed();
    if let Some(traces) = traces {
        let runs = played.runs.into_iter();
        traces.extend(runs.map(|run| (run.seed, run.trace)));
    }
    Ending::Judged(Box::new(Judged {
        verdict: played.verdict,
        replayed,
        difference: None,
    }))
}
