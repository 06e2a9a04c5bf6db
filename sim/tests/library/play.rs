//! One bundled scenario, played by `identity` in this process.

use std::sync::Arc;

use credsim::{
    engine::Engine,
    judge::Run,
    run::{self, Options},
    scenario::Loaded,
    subject::Identity,
    verdict::{self, Verdict},
};
use libtest_mimic::Failed;

/// Plays it with each of its seeds. What does not hold is a failure, in words.
pub fn play(loaded: &Loaded, engine: Engine) -> Result<(Vec<Run>, Verdict), Failed> {
    let scenario = &loaded.scenario;
    let seeds = scenario
        .seeds
        .as_ref()
        .map_or(1, |seeds| u64::from(seeds.count));
    let mut runs = Vec::new();
    for seed in run::DEFAULT_SEED..run::DEFAULT_SEED + seeds {
        let options = Options {
            engine,
            seed,
            subject: Arc::new(Identity),
        };
        runs.push(run::play(scenario, &options).map_err(|e| e.to_string())?);
    }
    let verdict = verdict::judge(scenario, &runs);
    if verdict.passed() {
        return Ok((runs, verdict));
    }
    let mut text = String::new();
    for finding in verdict.failures() {
        text += &format!("{}\n  expected: {}\n", finding.name, finding.expected);
        text += &format!("  found:    {}\n", finding.found);
        finding
            .evidence
            .iter()
            .for_each(|line| text += &format!("    {line}\n"));
    }
    Err(text.into())
}
