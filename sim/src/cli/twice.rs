//! The second pass: the same run in a fresh process, so that nothing that a process keeps (a hash
//! seed, a cache, a counter) can hide that the two are not the same.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::{exit, play::How};
use crate::{
    judge::Run,
    report::{Difference, json},
};

/// Plays again what `runs` are the first pass of, and compares event by event.
///
/// # Errors
/// The second pass can't be played.
pub fn first_difference(
    selector: &str,
    name: &str,
    how: &How,
    runs: &[Run],
) -> Result<Option<Difference>, String> {
    let mut child = start(selector, how).map_err(|error| format!("no second process: {error}"))?;
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
    let first = runs.iter().flat_map(|run| {
        let lines = run
            .trace
            .events
            .iter()
            .map(|event| json::event(name, run.seed, event));
        lines.map(|line| (run.seed, line))
    });
    let difference = compare(first, events).map(without_envelope);
    if difference.is_some() {
        // Whatever else it has to say is of no interest.
        let _ = child.kill();
    }
    let status = child
        .wait()
        .map_err(|error| format!("the second process is lost: {error}"))?;
    let ended_well = [exit::PASSED, exit::FAILED]
        .into_iter()
        .any(|code| status.code() == Some(code.into()));
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
fn start(selector: &str, how: &How) -> std::io::Result<Child> {
    let peer = how.peer.as_deref().map(|peer| ["--subject", peer]);
    Command::new(env::current_exe()?)
        .args(["run", "--format", "json", "--trace", "--jobs", "1"])
        .args(peer.into_iter().flatten())
        .args([
            "--engine",
            how.engine.name(),
            "--seed",
            &how.seed.to_string(),
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
