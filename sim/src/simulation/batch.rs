//! Many scenario files, each from its text to its outcome.

use std::{
    num::NonZeroUsize,
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Duration,
};

use super::{
    Ending, Judged, Outcome, Played, Progress, SecondPass, Seeds, SeedsTried, Settings, Stopwatch,
    determinism, parallel, progress::Ticket, quoted,
};
use crate::{
    limits::Limits,
    scenario::Span,
    story::{Loaded, library},
    trace::Trace,
};

/// How many live worlds are played at once, at least: most of the time they wait.
const AT_ONCE_LIVE: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// How a set of scenario files is played.
pub struct Batch {
    /// How each of them is played.
    pub settings: Settings,
    /// Whether every run is played a second time and compared; none: it is not.
    pub second_pass: Option<SecondPass>,
    /// Plays each scenario with each of these seeds and judges every run by itself; none: as the
    /// settings say. A scenario that asserts something over seeds of its own is played with those.
    pub each_seed: Option<RangeInclusive<u64>>,
    /// Plays files that have no `[[expect]]`, too: their traces are what is wanted. Otherwise they
    /// are invalid.
    pub for_watching: bool,
    /// Keeps the traces in the outcomes.
    pub keep_traces: bool,
    /// How many worlds are played at once; none: one for each core, and a few more where they
    /// mostly wait for real time to pass.
    pub jobs: Option<NonZeroUsize>,
    /// Hears how far the batch is.
    pub progress: Progress,
    /// What the `reproduce:` line of an outcome begins with and says of the subject.
    pub command: CommandLine,
}

/// The command line of a program that plays scenarios as `credsim run` does.
#[derive(Clone, Debug)]
pub struct CommandLine {
    /// The program's name, such as `credsim`.
    pub program: String,
    /// What `--subject` is; none: it is left out.
    pub subject: Option<String>,
    /// What `--driver` is; none: it is left out.
    pub driver: Option<String>,
}

/// A scenario file that was selected.
pub struct Selected {
    /// Its text.
    pub source: library::Source,
    /// The word on the command line that selects exactly this one.
    pub selector: String,
}

impl Selected {
    /// Names the file behind `source`.
    pub fn new(source: library::Source, bundled: &[library::Source]) -> Self {
        // A file with the text of the bundled scenario is best known by that one's name.
        let selector = if bundled.contains(&source) {
            source.name.clone()
        } else {
            source.path.clone()
        };
        Self { source, selector }
    }
}

impl Batch {
    /// Plays all `files` and hands their outcomes to `each`, in the order of the files, each as
    /// soon as it and those before it are there.
    pub fn play_all(&self, files: &[Selected], each: impl FnMut(Outcome)) {
        let jobs = self.jobs.or_else(|| self.default_jobs());
        let jobs = jobs.map_or(1, NonZeroUsize::get);
        self.progress.begin(files.len());
        parallel::in_order(files, jobs, |file| self.play(file), each);
    }

    fn default_jobs(&self) -> Option<NonZeroUsize> {
        let cores = thread::available_parallelism().ok()?;
        if self.settings.engine.is_real() {
            return Some(cores.max(AT_ONCE_LIVE));
        }
        Some(cores)
    }

    /// Reads, plays and judges one file.
    pub fn play(&self, file: &Selected) -> Outcome {
        let stopwatch = Stopwatch::start();
        let read = if self.for_watching {
            file.source.parse()
        } else {
            file.source.parse_asserting()
        };
        let mut outcome = match read {
            Err(invalid) => Outcome {
                ending: Ending::Invalid(Box::new(invalid)),
                ..self.outcome(file, None, &self.settings)
            },
            Ok(loaded) => match self.each_seed.clone() {
                Some(seeds) if loaded.scenario.seeds.is_none() => {
                    self.play_each(seeds, file, &loaded)
                }
                Some(_) | None => {
                    let seeds = self.settings.seeds.of(&loaded.scenario).count();
                    let ticket = self.ticket(file, seeds as u64);
                    self.play_loaded(&self.settings, file, &loaded, &ticket)
                }
            },
        };
        self.progress.done();
        outcome.took = stopwatch.read();
        outcome
    }

    fn ticket(&self, file: &Selected, seeds: u64) -> Ticket {
        self.progress.play(&file.source.name, seeds)
    }

    /// Plays a scenario with each of the seeds. All fail in their own way, and the first that does
    /// is shown.
    fn play_each(&self, seeds: RangeInclusive<u64>, file: &Selected, loaded: &Loaded) -> Outcome {
        let mut tried = SeedsTried {
            played: 0,
            failed: Vec::new(),
        };
        let mut shown: Option<Outcome> = None;
        let last = seeds.end().saturating_sub(*seeds.start());
        let ticket = self.ticket(file, last.saturating_add(1));
        for seed in seeds {
            let settings = Settings {
                seeds: Seeds::One(seed),
                ..self.settings.clone()
            };
            let outcome = self.play_loaded(&settings, file, loaded, &ticket);
            tried.played = tried.played.saturating_add(1);
            let fails = outcome.status().is_failure();
            if fails {
                tried.failed.push(seed);
            }
            if shown.is_none() || fails && tried.failed.len() == 1 {
                shown = Some(outcome);
            }
        }
        let mut outcome = shown.unwrap_or_else(|| self.outcome(file, Some(loaded), &self.settings));
        outcome.tried = Some(tried);
        outcome
    }

    fn play_loaded(
        &self,
        settings: &Settings,
        file: &Selected,
        loaded: &Loaded,
        ticket: &Ticket,
    ) -> Outcome {
        let mut outcome = Outcome {
            title: loaded.scenario.title.clone(),
            expectation_lines: loaded.expectation_lines.clone(),
            ..self.outcome(file, Some(loaded), settings)
        };
        let skipped = settings.skip_reason(&loaded.scenario);
        outcome.ending = match (skipped, loaded.fits(&settings.limits)) {
            (Some(reason), _) => Ending::Skipped { reason },
            (None, Err(invalid)) => Ending::Invalid(Box::new(invalid)),
            (None, Ok(())) => guarded(|| {
                let played = settings.play_watched(&loaded.scenario, |budget| ticket.run(budget));
                let played = played.map_err(|error| error.to_string())?;
                self.judged(played, settings, file, loaded, &mut outcome.traces)
            }),
        };
        outcome
    }

    /// What is known of an outcome before anything is played.
    fn outcome(&self, file: &Selected, loaded: Option<&Loaded>, settings: &Settings) -> Outcome {
        let has_seeds = loaded.is_some_and(|loaded| loaded.scenario.seeds.is_some());
        let seed = match settings.seeds {
            // With a seed there would be one run, and not as many as the file says.
            Seeds::OfTheScenario if has_seeds => None,
            seeds => Some(seeds.first()),
        };
        // Without it the file would be refused.
        let watch = match loaded {
            Some(loaded) if loaded.scenario.expect.is_empty() => " --trace",
            Some(_) | None => "",
        };
        Outcome {
            name: file.source.name.clone(),
            path: file.source.path.clone(),
            title: String::new(),
            expectation_lines: Vec::new(),
            engine: settings.engine.name(),
            seed: settings.seeds.first(),
            tried: None,
            took: Duration::ZERO,
            reproduce: self.reproduce(&file.selector, seed) + watch,
            ending: Ending::HarnessFailed {
                why: "nothing was played".to_owned(),
            },
            traces: Vec::new(),
        }
    }

    /// Compares what was `played` with a second pass, if one is asked for.
    fn judged(
        &self,
        played: Played,
        settings: &Settings,
        file: &Selected,
        loaded: &Loaded,
        traces: &mut Vec<(u64, Trace)>,
    ) -> Result<Judged, String> {
        let scenario = &loaded.scenario;
        let replayed = played.replayed();
        let mut difference = None;
        if let Some(second) = &self.second_pass
            && settings.unrepeatable(scenario).is_none()
        {
            let first = determinism::Pass {
                selector: &file.selector,
                loaded,
                runs: &played.runs,
            };
            difference =
                second.first_difference(&first, settings, self.command.subject.as_deref())?;
        }
        if self.keep_traces {
            let runs = played.runs.into_iter();
            traces.extend(runs.map(|run| (run.seed, run.trace)));
        }
        Ok(Judged {
            verdict: played.verdict,
            replayed,
            difference,
        })
    }

    /// The command line that plays `selector` again in the same way, with this seed alone or with
    /// those of its file.
    fn reproduce(&self, selector: &str, seed: Option<u64>) -> String {
        let CommandLine {
            program,
            subject,
            driver,
        } = &self.command;
        let option = |name: &str, value: &Option<String>| {
            let value = value.as_deref();
            value.map_or_else(String::new, |value| format!(" --{name} {}", quoted(value)))
        };
        format!(
            "{} run {} --engine {}{}{}{}{}{}",
            quoted(program),
            quoted(selector),
            self.settings.engine,
            option("subject", subject),
            option("driver", driver),
            seed.map_or_else(String::new, |seed| format!(" --seed {seed}")),
            self.limits(),
            if self.second_pass.is_some() {
                " --twice"
            } else {
                ""
            },
        )
    }
}

impl Batch {
    /// The options that set limits, where they are not the defaults.
    fn limits(&self) -> String {
        let (set, default) = (self.settings.limits, Limits::default());
        let real_time = |limits: Limits| Span(limits.real_time).to_string();
        let options = [
            ("events", set.events.to_string(), default.events.to_string()),
            ("memory", set.memory.to_string(), default.memory.to_string()),
            ("real-time", real_time(set), real_time(default)),
        ];
        let set = options.iter().filter(|(_, set, default)| set != default);
        set.map(|(name, set, _)| format!(" --limit-{name} {}", quoted(set)))
            .collect()
    }
}

/// A panic of the harness is an outcome, too, and does not end the other scenarios.
fn guarded(work: impl FnOnce() -> Result<Judged, String>) -> Ending {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(judged)) => Ending::Judged(Box::new(judged)),
        Ok(Err(why)) => Ending::HarnessFailed { why },
        Err(_) => Ending::HarnessFailed {
            why: "the harness panicked; its words stand above".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_of_the_harness() {
        let ending = guarded(|| Err("the world did not end".to_owned()));
        assert!(matches!(ending, Ending::HarnessFailed { why } if why == "the world did not end"));
        let ending = guarded(|| panic!("this panic belongs to the test"));
        assert!(matches!(ending, Ending::HarnessFailed { why } if why.contains("panicked")));
    }

    #[test]
    fn the_line_that_reproduces_names_the_program_that_ran() {
        let mut batch = Batch {
            settings: Settings::default(),
            second_pass: None,
            each_seed: None,
            for_watching: false,
            keep_traces: false,
            jobs: None,
            progress: Progress::default(),
            command: CommandLine {
                program: "credsim-peers".to_owned(),
                subject: Some("azure_identity 1.0.0".to_owned()),
                driver: None,
            },
        };
        assert_eq!(
            batch.reproduce("a b.toml", Some(1)),
            "credsim-peers run 'a b.toml' --engine lapse --subject 'azure_identity 1.0.0' --seed 1"
        );
        batch.second_pass = Some(SecondPass::InThisProcess);
        batch.settings.limits.events = 7;
        batch.settings.limits.real_time = Duration::from_secs(90);
        batch.command.subject = None;
        assert_eq!(
            batch.reproduce("chain/x", None),
            "credsim-peers run chain/x --engine lapse --limit-events 7 --limit-real-time '1m 30s' \
             --twice"
        );
    }
}
