//! `that.attempts`: the waits between the attempts of a credential.

use std::time::Duration;

use crate::judge::{
    Evidence, Finding,
    view::{Window, exchanges, visits},
};
use crate::{
    fault::Matcher as _,
    judge::{Run, Side},
    scenario::{Attempts, FaultThen, Reach, Scenario, Span, Target},
    trace::{Event, span},
};

const NAME: &str = "attempts";

/// An attempt: when it began and when it was over.
struct Attempt<'a> {
    began: &'a Event,
    over: Option<&'a Event>,
}

pub(crate) fn judge(scenario: &Scenario, run: &Run, wanted: &Attempts) -> Finding {
    let window = Window::new(wanted.from, wanted.until, None);
    let expected = expected(wanted, &window);
    let mut attempts = if run.sight.sees(Side::Attempts) {
        of_the_client(run, &wanted.to)
    } else if let Some(reason) = out_of_sight(scenario, &wanted.to) {
        return Finding::not_observed(NAME, reason, expected);
    } else {
        of_the_service(run, &wanted.to)
    };
    attempts.retain(|attempt| window.holds(attempt.began.at));
    let shown = Evidence::of(
        attempts
            .iter()
            .flat_map(|attempt| [Some(attempt.began), attempt.over])
            .flatten(),
    );
    let waits: Vec<Duration> = attempts
        .windows(2)
        .map(|pair| {
            let over = pair[0].over.map_or(pair[0].began.at, |over| over.at);
            pair[1].began.at.saturating_sub(over)
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

/// As the client makes them: from the moment it sends to the end of the exchange.
fn of_the_client<'a>(run: &'a Run, to: &Target) -> Vec<Attempt<'a>> {
    let exchanges = exchanges(&run.trace).into_iter();
    let exchanges = exchanges.filter(|exchange| to.matches(exchange.facts));
    exchanges
        .map(|exchange| Attempt {
            began: exchange.sent,
            over: exchange.ended,
        })
        .collect()
}

/// As the service sees them: from the arrival to the answer, or to the moment at which the client
/// hung up.
fn of_the_service<'a>(run: &'a Run, to: &Target) -> Vec<Attempt<'a>> {
    let visits = visits(&run.trace, to).into_iter();
    visits
        .map(|visit| Attempt {
            began: visit.arrived,
            over: visit.answered,
        })
        .collect()
}

/// Why the service can't tell all attempts, if so: some never arrive, or end after its answer.
fn out_of_sight(scenario: &Scenario, to: &Target) -> Option<&'static str> {
    let services = scenario.world.services();
    let service = services.iter().find(|service| service.key() == to.key());
    let reach = service.map(|service| service.reach());
    let is_unreachable = reach != Some(Reach::Reachable)
        || scenario.at.iter().any(|at| {
            let cut_off = at.action.consequences().cuts_off;
            cut_off.is_some_and(|service| service.name() == to.key())
        });
    if is_unreachable {
        return Some("attempts that reach no service are not seen");
    }
    let drips = scenario
        .faults()
        .any(|(_, fault)| matches!(fault.then, FaultThen::Drip(_)) && fault.on.key() == to.key());
    drips.then_some("when a dripping answer is over is not seen")
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
    let to = wanted.to.describe();
    let count = wanted.waits.len() + 1;
    let mut text = format!("exactly {count} {to}{}", window.words());
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
