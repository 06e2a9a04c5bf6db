//! `Retry-After` is honoured as PR-12 says, and attempts stay within the policy's bounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::fmt::rfc2822;

use super::{Evidence, Finding, Invariant};
use crate::{
    credential::Source,
    judge::{
        Run, Side,
        view::{Call, Exchange, calls, exchanges, is_entra, is_imds, is_imds_token, world_time},
    },
    scenario::Scenario,
    trace::{Fingerprint, span},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "retries-in-bounds",
    says: "Retry-After is honoured, and attempts stay within the policy's bounds",
    judge,
};

fn judge(scenario: &Scenario, run: &Run) -> Option<Finding> {
    if let Some(unseen) = INVARIANT.unseen(run, &[Side::Attempts, Side::Calls]) {
        return Some(unseen);
    }
    let exchanges = exchanges(&run.trace);
    if exchanges.is_empty() {
        return None;
    }
    let failed = too_early(scenario, run, &exchanges)
        .or_else(|| too_many(scenario, &exchanges, &calls(&run.trace)));
    Some(failed.unwrap_or_else(|| {
        let found = format!("{} requests", exchanges.len());
        Finding::holds(INVARIANT.name, found, INVARIANT.says)
    }))
}

/// A request that is sent before the service wants it.
fn too_early(scenario: &Scenario, run: &Run, exchanges: &[Exchange<'_>]) -> Option<Finding> {
    let mut last: BTreeMap<(u32, Fingerprint), &Exchange<'_>> = BTreeMap::new();
    for exchange in exchanges {
        let key = (exchange.instance, exchange.key);
        if let Some(before) = last.insert(key, exchange)
            && let Some((received, status, Some(header))) = before.head
            && is_retried(exchange.to, status)
            && let Some(wanted) = retry_after(scenario, run, header, received)
        {
            let waited = exchange.sent.at.saturating_sub(received);
            if waited < wanted {
                let found = format!("{header} is answered after {}", span(waited));
                let shown = [Some(before.sent), before.ended, Some(exchange.sent)];
                let shown = Evidence::of(shown.into_iter().flatten());
                return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
            }
        }
    }
    None
}

/// The statuses that are retried at `url`, on which `Retry-After` counts (PR-10, PR-14).
fn is_retried(url: &str, status: u16) -> bool {
    match status {
        404 | 410 => is_imds(url),
        501 | 505 => is_entra(url),
        408 | 429 | 500..=599 => true,
        _ => false,
    }
}

/// How long a header wants to be waited; none if it is 0, past or garbage.
fn retry_after(
    scenario: &Scenario,
    run: &Run,
    header: &str,
    received: Duration,
) -> Option<Duration> {
    let (name, value) = header.split_once(": ")?;
    let wait = if name == "retry-after" {
        match number(value) {
            Some(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
            None => {
                let now = world_time(run, received);
                let at = rfc2822::parse(value.trim()).ok()?.timestamp();
                // A host whose clock is wrong reads a date wrongly; dates have whole seconds.
                let exact = scenario.clock_is_right();
                let wait = Duration::try_from(at.duration_since(now)).ok()?;
                if exact {
                    wait.saturating_sub(Duration::from_secs(1))
                } else {
                    return None;
                }
            }
        }
    } else {
        Duration::try_from_secs_f64(number(value)? / 1e3).ok()?
    };
    (!wait.is_zero()).then_some(wait)
}

/// Digits with at most one point: anything else is no number of seconds.
fn number(value: &str) -> Option<f64> {
    let value = value.trim();
    let plain = value.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain.then(|| value.parse().ok())?
}

/// More attempts for one waiting caller than the policy allows.
fn too_many(
    scenario: &Scenario,
    exchanges: &[Exchange<'_>],
    calls: &[Call<'_>],
) -> Option<Finding> {
    let mut by_instance: BTreeMap<u32, Vec<&Exchange<'_>>> = BTreeMap::new();
    for exchange in exchanges {
        by_instance
            .entry(exchange.instance)
            .or_default()
            .push(exchange);
    }
    // Callers that come and go together see the same attempts.
    let mut looked_at = BTreeSet::new();
    for call in calls {
        // Only callers who wait can tell one burst of attempts from the next.
        let end = call.end.as_ref().map_or(Duration::MAX, |end| end.event.at);
        if end == call.at || !looked_at.insert((call.instance, call.at, end)) {
            continue;
        }
        let Some(sent) = by_instance.get(&call.instance) else {
            continue;
        };
        let first = sent.partition_point(|exchange| exchange.sent.at < call.at);
        let during = sent[first..]
            .iter()
            .take_while(|exchange| exchange.sent.at <= end);
        for during in one_after_another(during).into_values() {
            let Some(allowed) = during
                .first()
                .and_then(|e| attempts_allowed(scenario, e.to))
            else {
                continue;
            };
            if during.len() > allowed as usize {
                let found = format!(
                    "#{} makes {} attempts for one caller; {allowed} are allowed",
                    call.instance,
                    during.len()
                );
                let shown = Evidence::of(during.iter().map(|exchange| exchange.sent));
                return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
            }
        }
    }
    None
}

/// Attempts by key, of which each begins when the one before has ended. What is in flight beside
/// them is nobody's retry, but for another invariant to judge.
fn one_after_another<'a, 'b: 'a>(
    sent: impl Iterator<Item = &'a &'b Exchange<'b>>,
) -> BTreeMap<Fingerprint, Vec<&'b Exchange<'b>>> {
    let mut by_key: BTreeMap<Fingerprint, Vec<&Exchange<'_>>> = BTreeMap::new();
    for exchange in sent {
        let attempts = by_key.entry(exchange.key).or_default();
        let free = attempts
            .last()
            .is_none_or(|last| last.ended.is_some_and(|ended| ended.at <= exchange.sent.at));
        if free {
            attempts.push(exchange);
        }
    }
    by_key
}

/// How many attempts the subject's policy allows at `url` (PR-10, PR-13, PR-14).
fn attempts_allowed(scenario: &Scenario, url: &str) -> Option<u32> {
    const SELECTION: &str = "AZURE_TOKEN_CREDENTIALS";
    let at_start = scenario.world.environment.get(SELECTION);
    // Credentials built later see later values.
    let set_later = scenario.later_values(SELECTION);
    let at_start = at_start.map(String::as_str).into_iter();
    let named = at_start.chain(set_later).any(|value| {
        value
            .trim()
            .eq_ignore_ascii_case("ManagedIdentityCredential")
    });
    let credential = &scenario.subject.credential;
    let retries = if is_imds(url) && !is_imds_token(url) {
        0
    } else if is_imds(url) {
        credential.retries(&Source::Imds { selected: named })?
    } else if is_entra(url) {
        credential.retries(&Source::Entra)?
    } else {
        return None;
    };
    Some(retries.saturating_add(1))
}
