//! From a scenario to its verdict: load, check, skip, play every seed, judge.
//!
//! This is the one path to a verdict: `credsim run`, `credsim serve`, the tests of this repository,
//! its benches and the tests of those who embed the library all use it.
//!
//! ```
//! use credsim::simulation::Simulation;
//!
//! let simulation = Simulation::bundled("chain/silent-fallback-refused")?;
//! let played = simulation.seed(7).play()?;
//! assert!(played.verdict.passed());
//! assert_eq!(played.runs.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Simulation`] is one scenario and how it is played. [`Batch`] plays many scenario files and
//! turns whatever happens, even an invalid file or a panic of the harness, into an [`Outcome`] that
//! reports can show.

mod batch;
mod determinism;
mod outcome;
mod parallel;
mod progress;
mod shell;
mod skip;
mod stopwatch;

use std::{fmt, sync::Arc, time::Duration};

pub use batch::{Batch, CommandLine, Selected};
pub use determinism::{Difference, SecondPass, event_line};
pub use outcome::{Ending, Judged, Outcome, SeedsTried, Status};
pub use progress::Progress;
pub(crate) use shell::quoted;
pub use skip::{Callers, reason as skip_reason};
pub(crate) use stopwatch::Stopwatch;

use crate::{
    engine::{Engine, EngineError, STALL_LIMIT},
    judge::Run,
    limits::{Budget, Limits, Taken},
    run::{self, DEFAULT_SEED, Options},
    scenario::Invalid,
    story::{
        Loaded, Scenario,
        library::{self, NotFound},
        parse,
    },
    subject::{Identity, Subject},
    verdict::{self, Verdict},
};

/// With which seeds a scenario is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seeds {
    /// From [`DEFAULT_SEED`] on, as many as its `seeds` says: one if it says nothing.
    #[default]
    OfTheScenario,
    /// This one alone. What a scenario asserts over all of its seeds is not observed then.
    One(u64),
}

impl Seeds {
    /// The first one.
    pub fn first(self) -> u64 {
        match self {
            Self::OfTheScenario => DEFAULT_SEED,
            Self::One(seed) => seed,
        }
    }

    /// All that `scenario` is played with.
    pub fn of(self, scenario: &Scenario) -> impl Iterator<Item = u64> + use<> {
        let count = match self {
            Self::OfTheScenario => scenario.seeds.as_ref().map_or(1, |seeds| seeds.count),
            Self::One(_) => 1,
        };
        let first = self.first();
        (0..u64::from(count)).map(move |number| first.wrapping_add(number))
    }
}

/// How scenarios are played. The default is [`Identity`] on [`Engine::Lapse`] with
/// [`DEFAULT_SEED`].
#[derive(Clone)]
pub struct Settings {
    /// What carries time and bytes.
    pub engine: Engine,
    /// With which seeds. Default: as the scenario says.
    pub seeds: Seeds,
    /// What is under test.
    pub subject: Arc<dyn Subject>,
    /// A world whose clock has not moved for so long in real time is given up: a failure of the
    /// harness. Default: [`STALL_LIMIT`].
    pub stall_limit: Duration,
    /// How much a scenario may take, with all its seeds. Default: [`Limits::default`].
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: Engine::Lapse,
            seeds: Seeds::default(),
            subject: Arc::new(Identity),
            stall_limit: STALL_LIMIT,
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// Returns why `scenario` is skipped with these settings, for people; `None` if it is played.
    pub fn skip_reason(&self, scenario: &Scenario) -> Option<String> {
        let callers = if self.subject.is_outside() {
            Callers::Driver
        } else {
            Callers::Inside
        };
        skip_reason(scenario, self.engine, callers)
            .or_else(|| self.not_on_this_engine())
            .or_else(|| self.subject.supports(scenario).err())
    }

    fn not_on_this_engine(&self) -> Option<String> {
        let asks_the_machine = self.subject.machine_clock().is_some();
        (asks_the_machine && self.engine != Engine::Lapse).then(|| {
            format!(
                "{} asks this machine for the time, and only lapse can show it a world's",
                self.subject.name()
            )
        })
    }

    /// Returns why two runs with the same seed may differ, if they may: not for a subject that sees
    /// a world's random numbers in place of the machine's.
    pub fn unrepeatable(&self, scenario: &Scenario) -> Option<&'static str> {
        if self.subject.machine_clock().is_some() {
            return None;
        }
        scenario.unrepeatable()
    }

    /// Plays `scenario` with each of its seeds and judges the runs together.
    ///
    /// # Errors
    /// A failure of the harness in one of the runs, never one of the subject; a
    /// [limit](Self::limits) that the runs have reached together.
    pub fn play(&self, scenario: &Scenario) -> Result<Played, EngineError> {
        self.play_watched(scenario, |_| {})
    }

    /// The same. `watch` is shown the budget of each run as it begins.
    fn play_watched(
        &self,
        scenario: &Scenario,
        watch: impl Fn(&Budget),
    ) -> Result<Played, EngineError> {
        let mut taken = Taken::default();
        let mut runs = Vec::new();
        for seed in self.seeds.of(scenario) {
            let budget = Budget::new(self.limits, seed, taken);
            watch(&budget);
            runs.push(self.run_within(scenario, seed, &budget)?);
            taken = budget.taken();
        }
        Ok(Played::judge(scenario, runs))
    }

    /// Plays `scenario` once, with this seed, without judging the run.
    ///
    /// # Errors
    /// A failure of the harness, never one of the subject; a [limit](Self::limits) that it has
    /// reached.
    pub fn run(&self, scenario: &Scenario, seed: u64) -> Result<Run, EngineError> {
        let budget = Budget::new(self.limits, seed, Taken::default());
        self.run_within(scenario, seed, &budget)
    }

    fn run_within(
        &self,
        scenario: &Scenario,
        seed: u64,
        budget: &Budget,
    ) -> Result<Run, EngineError> {
        let options = Options {
            engine: self.engine,
            seed,
            subject: self.subject.clone(),
            stall_limit: self.stall_limit,
            budget: budget.clone(),
        };
        run::play(scenario, &options)
    }
}

/// One scenario, and how it is played.
#[derive(Clone)]
pub struct Simulation {
    loaded: Arc<Loaded>,
    settings: Settings,
}

impl Simulation {
    /// Loads the bundled scenario called `name`, such as `chain/silent-fallback-refused`.
    ///
    /// # Errors
    /// There is no such scenario.
    pub fn bundled(name: &str) -> Result<Self, LoadError> {
        let sources = library::bundled();
        let source = sources.iter().find(|source| source.name == name);
        let source = source.ok_or_else(|| {
            LoadError::NotFound(NotFound {
                message: format!("there is no bundled scenario `{name}`"),
                help: "`credsim list` shows all of them".to_owned(),
            })
        })?;
        source
            .parse()
            .map(Self::of)
            .map_err(|invalid| LoadError::Invalid(Box::new(invalid)))
    }

    /// Reads a scenario from the text of a file that is known as `name`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn text(name: &str, toml: &str) -> Result<Self, LoadError> {
        parse(name, &format!("{name}.toml"), toml)
            .map(Self::of)
            .map_err(|invalid| LoadError::Invalid(Box::new(invalid)))
    }

    /// Takes a scenario that has been loaded.
    pub fn of(loaded: impl Into<Arc<Loaded>>) -> Self {
        Self {
            loaded: loaded.into(),
            settings: Settings::default(),
        }
    }

    /// Plays on another engine than [`Engine::Lapse`].
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Self {
        self.settings.engine = engine;
        self
    }

    /// Plays once, with this seed. What the scenario asserts over all of its seeds is not observed
    /// then.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seeds = Seeds::One(seed);
        self
    }

    /// Tests another subject than [`Identity`].
    #[must_use]
    pub fn subject(mut self, subject: Arc<dyn Subject>) -> Self {
        self.settings.subject = subject;
        self
    }

    /// Gives up a world whose clock has not moved for so long in real time, instead of
    /// [`STALL_LIMIT`].
    #[must_use]
    pub fn stall_limit(mut self, limit: Duration) -> Self {
        self.settings.stall_limit = limit;
        self
    }

    /// Ends it when it has taken so much, instead of [`Limits::default`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// The scenario, and the text it was read from.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Returns why it is skipped, for people; `None` if it is played.
    pub fn skip_reason(&self) -> Option<String> {
        self.settings.skip_reason(&self.loaded.scenario)
    }

    /// Plays it with each of its seeds and judges the runs together. A [skip
    /// reason](Self::skip_reason) does not keep it from being played.
    ///
    /// # Errors
    /// A failure of the harness in one of the runs, never one of the subject.
    pub fn play(&self) -> Result<Played, EngineError> {
        self.settings
            .play(&self.loaded.scenario)
            .map_err(|EngineError(why)| EngineError(format!("{}: {why}", self.loaded.name)))
    }
}

/// Why there is no scenario to play.
#[derive(Clone, Debug)]
pub enum LoadError {
    /// There is no such scenario.
    NotFound(NotFound),
    /// The file is not a valid scenario.
    Invalid(Box<Invalid>),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(not_found) => not_found.fmt(f),
            Self::Invalid(invalid) => f.write_str(&invalid.render(false)),
        }
    }
}

impl std::error::Error for LoadError {}

/// Reads arbitrary bytes as a scenario, and panics where what is said of them is not what may be
/// printed. The body of the fuzz target `scenario`. Returns what the bytes came to, without their
/// contents.
#[doc(hidden)]
pub fn scenario_survives(bytes: &[u8]) -> String {
    let invalid = match Simulation::text("fuzz", &String::from_utf8_lossy(bytes)) {
        Ok(_) => return "a scenario".to_owned(),
        Err(LoadError::NotFound(_)) => return "not found".to_owned(),
        Err(LoadError::Invalid(invalid)) => invalid,
    };
    let rendered = invalid.render(false);
    let odd = |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
    let found = rendered.chars().find(odd);
    assert_eq!(found, None, "a terminal would obey {rendered:?}");
    for line in invalid.github().lines() {
        assert!(line.starts_with("::error "), "not ours: {line:?}");
    }
    // Without what is quoted of the file.
    let said = invalid.diagnostics().iter().map(|it| {
        let parts = it.message.split('`').step_by(2);
        parts.collect::<Vec<_>>().join("_")
    });
    said.collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .take(3)
        .collect::<Vec<_>>()
        .join("; ")
}

/// A scenario that was played, and its verdict.
#[derive(Clone, Debug)]
pub struct Played {
    /// One run for each seed, in the order of the seeds.
    pub runs: Vec<Run>,
    /// What holds in all of them and what does not.
    pub verdict: Verdict,
}

impl Played {
    /// Judges the runs of a scenario.
    pub fn judge(scenario: &Scenario, runs: Vec<Run>) -> Self {
        let verdict = verdict::judge(scenario, &runs);
        Self { runs, verdict }
    }

    /// Time of the world that was played, over all seeds.
    pub fn replayed(&self) -> Duration {
        self.runs.iter().map(|run| run.ended).sum()
    }

    /// Passes a played scenario on if nothing fails in it and something could be observed.
    ///
    /// # Errors
    /// The findings that fail, each with what was expected, what was found and its evidence.
    pub fn passed(self) -> Result<Self, String> {
        if self.verdict.passed() {
            return Ok(self);
        }
        let mut text = self.verdict.nothing_observed().unwrap_or_default();
        for finding in self.verdict.failures() {
            text += &format!("{}\n  expected: {}\n", finding.name, finding.expected);
            text += &format!("  found:    {}\n", finding.found);
            let evidence = finding.evidence.iter();
            evidence.for_each(|line| text += &format!("    {line}\n"));
        }
        Err(text)
    }
}
