//! `credsim run`.

use std::{num::NonZeroUsize, sync::Arc};

use super::{
    Console, Format,
    conclude::{self, Conclusion},
    exit,
    files::{self, ReportFile},
    program,
    selection::select,
    subjects::{self, IDENTITY},
};
use crate::{
    engine::{self, Engine},
    report::{json, pretty},
    run::DEFAULT_SEED,
    simulation::{Batch, CommandLine, Outcome, SecondPass, Settings, Stopwatch},
    subject::Subject,
};

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
    /// How the results are written
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
    let subject = match subjects::selected(args, peers) {
        Ok(subject) => subject,
        Err((message, help, code)) => {
            console.error(&message, help.as_deref());
            return code;
        }
    };
    let stopwatch = Stopwatch::start();
    let (files, codes) = select(&args.scenarios, console);
    let for_reports = files::need_traces(&args.report);
    let batch = Batch {
        settings: Settings {
            engine: args.engine,
            seed: args.seed,
            subject,
            ..Settings::default()
        },
        second_pass: args.twice.then_some(SecondPass::InAnotherProcess),
        keep_traces: args.trace || for_reports,
        jobs: args.jobs,
        command: CommandLine {
            program: program(),
            subject: (args.subject != IDENTITY).then(|| args.subject.clone()),
            driver: args.driver.clone(),
        },
    };
    let width = pretty::width(files.iter().map(|file| file.source.name.as_str()));
    let mut outcomes = Vec::new();
    batch.play_all(&files, |mut outcome| {
        show(&outcome, args, width, console);
        if !for_reports {
            // Shown, or not wanted: a library's traces need not be held together.
            outcome.traces.clear();
        }
        outcomes.push(outcome);
    });
    let conclusion = Conclusion {
        outcomes: &outcomes,
        codes,
        took: stopwatch.read(),
        reports: &args.report,
        format: args.format,
        // As a shell says it.
        interrupted: engine::live::interrupted().map(|signal| 128 + signal),
    };
    conclude::conclude(conclusion, console)
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Run {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "the report stands on this machine"
    )]
    fn a_report_can_show_traces() {
        let folder = std::env::temp_dir().join(format!("credsim-traces-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("events");
        let report = format!("events={}", path.display());
        let args = ["run", "cache/clones-share", "--report", &report];
        let run = Run::try_parse_from(args).expect("arguments of run");
        let code = super::run(&run.args, &[], &mut Console::new(clap::ColorChoice::Never));
        let written = std::fs::read_to_string(&path).expect("a report");
        std::fs::remove_dir_all(&folder).expect("to remove it");
        assert_eq!(code, exit::PASSED);
        let count = written
            .strip_prefix("1: ")
            .and_then(|rest| rest.trim().parse().ok());
        assert!(count.is_some_and(|count: usize| count > 10), "{written:?}");
    }

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
