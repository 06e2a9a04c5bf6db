//! The determinism check: every run is played a second time, and the two passes are compared event
//! by event.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::{Seeds, Settings};
use crate::{
    judge::Run,
    redact::printable_json,
    scenario::Span,
    story::Loaded,
    trace::{Event, SCHEMA_VERSION},
};

/// The first event in which two passes of the same run differ.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// The seed of the run.
    pub seed: u64,
    /// The event's number in the trace, from 1.
    pub event: usize,
    /// The event in the first pass; none if that had ended.
    pub first: Option<String>,
    /// The event in the second pass; none if that had ended.
    pub second: Option<String>,
}

/// Where the second pass is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondPass {
    /// In this process, on a fresh thread. What the process keeps (a hash seed, a cache, a counter)
    /// can hide a difference.
    InThisProcess,
    /// In a fresh process of this program, whose command line must be that of
    /// [`Cli`](crate::cli::Cli).
    InAnotherProcess,
}

/// The first pass.
pub(super) struct Pass<'a> {
    /// The word on the command line that selects the scenario.
    pub selector: &'a str,
    /// The scenario.
    pub loaded: &'a Loaded,
    /// One run for each seed.
    pub runs: &'a [Run],
}

/// An event of a trace as a JSON line without its end. Two runs are the same if and only if all
/// these lines are.
pub fn event_line(scenario: &str, seed: u64, event: &Event) -> String {
    // The event itself stays as it enters the hash, but for what a terminal would obey and for
    // secrets, of which a trace has none.
    printable_json(&format!(
        r#"{{"schema-version":{SCHEMA_VERSION},"type":"event","scenario":{},"seed":{seed},{}"#,
        serde_json::Value::from(scenario),
        event.json().strip_prefix('{').unwrap_or_default(),
    ))
}

impl SecondPass {
    /// Plays the second pass of `first` and returns the first event in which they differ. `subject`
    /// is the name of the subject on the command line, if it is not ours.
    ///
    /// # Errors
    /// The second pass can't be played.
    pub(super) fn first_difference(
        self,
        first: &Pass<'_>,
        settings: &Settings,
        subject: Option<&str>,
    ) -> Result<Option<Difference>, String> {
        match self {
            Self::InThisProcess => {
                let again = settings.play(&first.loaded.scenario);
                let again = again.map_err(|error| error.to_string())?;
                let second = lines(&first.loaded.name, &again.runs).map(|(_, line)| line);
                Ok(compare(lines(&first.loaded.name, first.runs), second).map(without_envelope))
            }
            Self::InAnotherProcess => in_another_process(first, settings, subject),
        }
    }
}

/// Every event of some runs as a line, with its seed.
fn lines<'a>(name: &'a str, runs: &'a [Run]) -> impl Iterator<Item = (u64, String)> + 'a {
    runs.iter().flat_map(move |run| {
        let events = run.trace.events.iter();
        events.map(move |event| (run.seed, event_line(name, run.seed, event)))
    })
}

fn in_another_process(
    first: &Pass<'_>,
    settings: &Settings,
    subject: Option<&str>,
) -> Result<Option<Difference>, String> {
    let child = start(first.selector, settings, subject);
    let mut child = child.map_err(|error| format!("no second process: {error}"))?;
    let output = child
        .stdout
        .take()
        .ok_or("the second process has no output")?;
    let mut other_lines = Vec::new();
    let events = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .filter(|line| {
            let is_event = line.contains(r#""type":"event""#);
            if !is_event {
                other_lines.push(line.clone());
            }
            is_event
        });
    let difference = compare(lines(&first.loaded.name, first.runs), events).map(without_envelope);
    if difference.is_some() {
        // Whatever else it has to say is of no interest.
        let _ = child.kill();
    }
    let status = child
        .wait()
        .map_err(|error| format!("the second process is lost: {error}"))?;
    // All held, or something did not: both passes are judged, and the first one's verdict counts.
    let ended_well = [Some(0), Some(1)].contains(&status.code());
    if difference.is_none() && !ended_well {
        return Err(format!(
            "the second process ended with {status}: {}",
            other_lines.join(" ")
        ));
    }
    Ok(difference)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the command starts itself; no world is involved"
)]
fn start(selector: &str, settings: &Settings, subject: Option<&str>) -> std::io::Result<Child> {
    let subject = subject.map(|subject| ["--subject", subject]);
    let seed = match settings.seeds {
        Seeds::OfTheScenario => None,
        Seeds::One(seed) => Some(["--seed".to_owned(), seed.to_string()]),
    };
    Command::new(env::current_exe()?)
        .args(["run", "--format", "json", "--trace", "--jobs", "1"])
        .args(subject.into_iter().flatten())
        .args(seed.into_iter().flatten())
        .args([
            "--engine",
            settings.engine.name(),
            "--parent",
            &std::process::id().to_string(),
            "--limit-events",
            &settings.limits.events.to_string(),
            "--limit-memory",
            &settings.limits.memory.to_string(),
            "--limit-real-time",
            &Span(settings.limits.real_time).to_string(),
            "--stall-limit",
            &Span(settings.stall_limit).to_string(),
            "--",
            selector,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// Leaves the events themselves: scenario and seed are known.
fn without_envelope(mut difference: Difference) -> Difference {
    let seed = format!(r#""seed":{},"#, difference.seed);
    for line in [&mut difference.first, &mut difference.second]
        .into_iter()
        .flatten()
    {
        if let Some((_, event)) = line.split_once(&seed) {
            *line = format!("{{{event}");
        }
    }
    difference
}

/// The first event that is not in both passes at the same place.
fn compare(
    first: impl IntoIterator<Item = (u64, String)>,
    second: impl IntoIterator<Item = String>,
) -> Option<Difference> {
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let (mut seed, mut event) = (0, 0);
    loop {
        let (one, other) = (first.next(), second.next());
        match &one {
            Some((of, _)) if *of != seed => (seed, event) = (*of, 1),
            _ => event += 1,
        }
        if one.is_none() && other.is_none() {
            return None;
        }
        let one = one.map(|(_, line)| line);
        if one != other {
            return Some(Difference {
                seed,
                event,
                first: one,
                second: other,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Vec<(u64, String)> {
        vec![
            (7, "a".into()),
            (7, "b".into()),
            (8, "c".into()),
            (8, "d".into()),
        ]
    }

    fn against(second: &[&str]) -> Option<Difference> {
        compare(first(), second.iter().map(|line| (*line).to_owned()))
    }

    #[test]
    fn equal_passes_have_no_difference() {
        assert_eq!(against(&["a", "b", "c", "d"]), None);
    }

    #[test]
    fn the_first_differing_event_is_named() {
        let found = against(&["a", "b", "c", "x"]).unwrap();
        assert_eq!((found.seed, found.event), (8, 2));
        assert_eq!(
            (found.first.as_deref(), found.second.as_deref()),
            (Some("d"), Some("x"))
        );
    }

    #[test]
    fn a_pass_that_ends_early_differs() {
        let found = against(&["a"]).unwrap();
        assert_eq!((found.seed, found.event, found.second), (7, 2, None));
        let found = against(&["a", "b", "c", "d", "e"]).unwrap();
        assert_eq!((found.seed, found.event, found.first), (8, 3, None));
    }
}
