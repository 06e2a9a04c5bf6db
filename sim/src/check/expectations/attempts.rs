//! `that.attempts`: the waits between the attempts of a credential.

use std::time::Duration;

use super::super::{
    Evidence, Finding,
    view::{self, Window, exchanges},
};
use crate::{
    run::Run,
    scenario::{Attempts, AttemptsTo, Span},
    trace::span,
};

const NAME: &str = "attempts";

pub(super) fn judge(run: &Run, wanted: &Attempts) -> Finding {
    let window = Window::new(wanted.from, wanted.until, None);
    let is_wanted: fn(&str) -> bool = match &wanted.to {
        AttemptsTo::Imds(_) => view::is_imds_token,
        AttemptsTo::Entra(_) => view::is_entra,
    };
    let mut attempts = exchanges(&run.trace);
    attempts.retain(|attempt| is_wanted(attempt.to) && window.holds(attempt.sent.at));
    let expected = expected(wanted, &window);
    let shown = Evidence::of(
        attempts
            .iter()
            .flat_map(|attempt| [Some(attempt.sent), attempt.ended])
            .flatten(),
    );
    let waits: Vec<Duration> = attempts
        .windows(2)
        .map(|pair| {
            let ended = pair[0].ended.map_or(pair[0].sent.at, |ended| ended.at);
            pair[1].sent.at.saturating_sub(ended)
        })
        .collect();
    let found = format!(
        "{} attempts, with waits of {}",
        attempts.len(),
        if waits.is_empty() {
            "nothing".to_owned()
        } else {
            list(waits.iter().map(|w| span(*w)))
        }
    );
    let fit = attempts.len() == wanted.waits.len() + 1
        && waits
            .iter()
            .zip(&wanted.waits)
            .all(|(wait, nominal)| fits(*wait, nominal.0, wanted.jitter, run.engine.tolerance()));
    if fit {
        Finding::holds(NAME, found, expected)
    } else {
        Finding::fails(NAME, found, expected, shown)
    }
}

fn fits(wait: Duration, nominal: Duration, jitter: f64, tolerance: Duration) -> bool {
    let (wait, nominal, tolerance) = (
        wait.as_secs_f64(),
        nominal.as_secs_f64(),
        tolerance.as_secs_f64(),
    );
    let least = nominal * (1.0 - jitter) - tolerance;
    let most = nominal * (1.0 + jitter) + tolerance;
    (least..=most).contains(&wait)
}

fn expected(wanted: &Attempts, window: &Window) -> String {
    let to = match &wanted.to {
        AttemptsTo::Imds(_) => "imds",
        AttemptsTo::Entra(_) => "entra",
    };
    let count = wanted.waits.len() + 1;
    let mut text = format!("exactly {count} attempts at {to}{}", window.words());
    if !wanted.waits.is_empty() {
        let waits = list(wanted.waits.iter().map(Span::to_string));
        text += &format!(", with waits of {waits}");
        if wanted.jitter > 0.0 {
            text += &format!(", each give or take {} %", wanted.jitter * 100.0);
        }
    }
    text
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
