//! `credsim run`.

use std::{num::NonZeroUsize, ops::RangeInclusive, sync::Arc};

use super::{
    Console, Format,
    conclude::{self, Conclusion},
    exit,
    files::{self, ReportFile},
    launch::end_with_parent,
    limits::LimitArgs,
    program,
    progress::Shown,
    selection::select,
    subjects::SubjectArgs,
};
use crate::{
    engine::{self, Engine, STALL_LIMIT},
    report::{json, pretty},
    scenario::Span,
    simulation::{Batch, CommandLine, Outcome, Progress, SecondPass, Seeds, Settings, Stopwatch},
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
    /// The subject, or the driver that leads to one.
    #[command(flatten)]
    pub subject: SubjectArgs,
    /// From which every random choice derives: decimal, or hexadecimal with 0x. One run is played,
    /// and what a file asserts over `seeds` of its own is not observed [default: 1, and from there
    /// on as many as the file says]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Plays each scenario with each of these seeds, such as 1-20, and judges every run by itself;
    /// one with `seeds` of its own is played with those
    #[arg(long, value_name = "A-B", value_parser = seeds, conflicts_with = "seed")]
    pub seeds: Option<RangeInclusive<u64>>,
    /// How many worlds to play at once [default: one for each core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Gives up a world whose clock has not moved for so long in real time, such as 10s or 5m, and
    /// exits with 3: its client computes or spins without end
    #[arg(long, value_name = "TIME", default_value_t = Span(STALL_LIMIT))]
    pub stall_limit: Span,
    /// What a scenario may take.
    #[command(flatten)]
    pub limits: LimitArgs,
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
    /// Ends with the process that started this one, if it still runs
    #[arg(long, hide = true, value_name = "PID")]
    pub parent: Option<u32>,
    /// Prints the whole trace of each scenario to standard output, repeats folded; with
    /// `--format json` every event as a line. With `--seeds` that of the first seed that fails, or
    /// else of the first
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

fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let expected = || "expected the first and the last seed, such as 1-20".to_owned();
    let (first, last) = text.split_once('-').ok_or_else(expected)?;
    let (first, last) = (seed(first)?, seed(last)?);
    if first > last {
        return Err(format!("{first} is above {last}: {}", expected()));
    }
    Ok(first..=last)
}

/// Plays and judges what is asked for. `peers` are the subjects that this command was built with
/// besides ours.
pub fn run(args: &Args, peers: &[Arc<dyn Subject>], console: &mut Console) -> u8 {
    if args.parent.is_some_and(|parent| !end_with_parent(parent)) {
        return exit::HARNESS;
    }
    if let Err((message, help)) = files::check(&args.report) {
        console.error(&message, Some(&help));
        return exit::USAGE;
    }
    if args.twice && args.engine.is_real() {
        console.error(
            "--twice compares two passes byte by byte, and no two are the same in real time",
            Some("leave --twice out"),
        );
        return exit::USAGE;
    }
    let subject = match args.subject.select(args.engine, peers) {
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
            seeds: args.seed.map_or(Seeds::OfTheScenario, Seeds::One),
            subject,
            stall_limit: args.stall_limit.0,
            limits: args.limits.limits(),
        },
        second_pass: args.twice.then_some(SecondPass::InAnotherProcess),
        each_seed: args.seeds.clone(),
        for_watching: args.trace,
        keep_traces: args.trace || for_reports,
        jobs: args.jobs,
        progress: Progress::default(),
        command: CommandLine {
            program: program(),
            subject: args.subject.other_than_identity(),
            driver: args.subject.driver.clone(),
        },
    };
    let width = pretty::width(files.iter().map(|file| file.source.name.as_str()));
    let mut outcomes = Vec::new();
    let progress = batch.progress.clone();
    let shown = Shown::begin(console.status(), move || progress.line());
    batch.play_all(&files, |mut outcome| {
        show(&outcome, args, width, console);
        if !for_reports {
            // Shown, or not wanted: a library's traces need not be held together.
            outcome.traces.clear();
        }
        outcomes.push(outcome);
    });
    drop(shown);
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
        console.show(&pretty::traces(outcome));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        path::{Path, PathBuf},
        time::{Duration, Instant},
    };

    use clap::Parser as _;
    use credsim_identity::{
        AccessToken, Error, TokenCredential, TokenRequest, platform::BoxFuture,
    };

    use super::*;
    use crate::{
        credential::Credential,
        subject::{Built, Lent},
    };

    #[derive(clap::Parser)]
    struct Run {
        #[command(flatten)]
        args: Args,
    }

    /// Returns the exit code of `run` with `args`, with these subjects besides ours.
    fn code(args: &[&str], peers: &[Arc<dyn Subject>]) -> u8 {
        let all = ["run"].into_iter().chain(args.iter().copied());
        let run = Run::try_parse_from(all).expect("arguments of run");
        let mut console = Console::new(clap::ColorChoice::Never);
        super::run(&run.args, peers, &mut console)
    }

    fn report(kind: &str, path: &Path) -> String {
        format!("--report={kind}={}", path.display())
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the report stands on this machine"
    )]
    fn read(path: PathBuf) -> String {
        std::fs::read_to_string(path).expect("a report")
    }

    /// A client that never stops computing once it is asked for a token.
    #[derive(Clone, Debug)]
    struct Spins;

    impl TokenCredential for Spins {
        fn name(&self) -> &str {
            "Spins"
        }

        fn get_token<'a>(
            &'a self,
            _: &'a TokenRequest,
        ) -> BoxFuture<'a, Result<AccessToken, Error>> {
            Box::pin(async {
                loop {
                    tokio::task::yield_now().await;
                }
            })
        }
    }

    impl Subject for Spins {
        fn name(&self) -> &str {
            "spins 1.0.0"
        }

        fn log_targets(&self) -> &[&str] {
            &[]
        }

        fn build(&self, _: &Credential, _: &Lent) -> Result<Built, Error> {
            Ok(Built::new(Self))
        }
    }

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "the command gives up in real time"
    )]
    fn a_world_that_stands_still_is_given_up_with_its_reports_and_code_3() {
        let folder = tempfile::tempdir().expect("a folder");
        let (junit, json) = (folder.path().join("junit.xml"), folder.path().join("json"));
        let began = Instant::now();
        let args = [
            "cache/clones-share",
            "cache/a-caller-that-keeps-its-token",
            "--subject=spins",
            "--stall-limit=300ms",
            &report("junit", &junit),
            &report("json", &json),
        ];
        let peers: [Arc<dyn Subject>; 1] = [Arc::new(Spins)];
        assert_eq!(code(&args, &peers), exit::HARNESS);
        assert!(began.elapsed() < Duration::from_secs(30));
        for (kind, written) in [("junit", read(junit)), ("json", read(json))] {
            let says = "has stood still at 00:00:00.000000 for 300ms of real time";
            assert_eq!(written.matches(says).count(), 2, "{kind}: {written}");
        }
    }

    #[test]
    fn a_report_can_show_traces() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events");
        let args = ["cache/clones-share", &report("events", &path)];
        assert_eq!(code(&args, &[]), exit::PASSED);
        let written = read(path);
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
