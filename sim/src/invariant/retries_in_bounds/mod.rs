//! `Retry-After` is honoured as PR-12 says, and attempts stay within the policy's bounds.

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use jiff::fmt::rfc2822;

use super::{Aspect, Entry, Evidence, Invariant, Plan, Ruling, View, unseen};
use crate::wording::{Number, counted};
use crate::{
    credential::Asks,
    judge::view::{Call, Exchange, world_time},
    service::{Asked, TokenSource},
    trace::{Facts, Fingerprint, Kind, span},
    world,
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "retries-in-bounds",
    says: "Retry-After is honoured, and attempts stay within the policy's bounds",
    is_held_by_silence: false,
    judge,
};

fn judge(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    if let Some(unseen) = unseen(view, &[Aspect::Attempts, Aspect::Calls]) {
        return Some(unseen);
    }
    let sent = view.exchanges().count();
    if sent == 0 {
        return None;
    }
    let failed = too_early(plan, view).or_else(|| too_many(plan, view));
    Some(failed.unwrap_or_else(|| Ruling::holds(counted(sent, "request"))))
}

/// A request that is sent before the service wants it.
fn too_early(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    let is_right = plan.clock_is_right();
    let mut last: BTreeMap<(u32, Fingerprint), Before<'_>> = BTreeMap::new();
    for exchange in view.exchanges() {
        let key = (exchange.instance, exchange.key);
        let head = exchange.head.and_then(|(received, status, header)| {
            let header = header.filter(|_| is_retried(source(exchange.facts), status))?;
            Some((received, header))
        });
        let now = Before {
            sent: exchange.sent,
            ended: exchange.ended,
            head,
        };
        if let Some(before) = last.insert(key, now)
            && let Some((received, header)) = before.head
            && let Some(wanted) = retry_after(is_right, view, header, received)
        {
            let waited = exchange.sent.at.saturating_sub(received);
            if waited < wanted {
                let found = format!("{header} is answered after {}", span(waited));
                let shown = [Some(before.sent), before.ended, Some(exchange.sent)];
                let shown = Evidence::of(shown.into_iter().flatten());
                return Some(Ruling::fails(found, shown));
            }
        }
    }
    None
}

/// The exchange before another one with the same key.
struct Before<'a> {
    sent: Entry<'a>,
    ended: Option<Entry<'a>>,
    /// When an answer that is retried came, and its `Retry-After`.
    head: Option<(Duration, &'a str)>,
}

/// How credentials get tokens from the service that a request asks; none if they do not.
fn source(facts: &Facts) -> Option<TokenSource> {
    let (service, _) = world::asked(facts)?;
    service.token_source()
}

/// Whether a status is retried at a service that gives tokens so, and `Retry-After` counts on it
/// (PR-10, PR-14).
fn is_retried(source: Option<TokenSource>, status: u16) -> bool {
    match (status, source) {
        (404 | 410, Some(TokenSource::Metadata | TokenSource::Endpoint)) => true,
        (501 | 505, Some(TokenSource::Entra)) => true,
        (404 | 410 | 501 | 505, _) => false,
        (408 | 429 | 500..=599, _) => true,
        _ => false,
    }
}

/// How long a header wants to be waited; none if it is 0, past or garbage.
fn retry_after(
    clock_is_right: bool,
    view: &View<'_>,
    header: &str,
    received: Duration,
) -> Option<Duration> {
    let (name, value) = header.split_once(": ")?;
    let wait = if name == "retry-after" {
        match number(value) {
            Some(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
            None => {
                let now = world_time(view.run, received);
                let at = rfc2822::parse(value.trim()).ok()?.timestamp();
                let wait = Duration::try_from(at.duration_since(now)).ok()?;
                // A host whose clock is wrong reads a date wrongly; dates have whole seconds.
                if !clock_is_right {
                    return None;
                }
                wait.saturating_sub(Duration::from_secs(1))
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
fn too_many(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    let limits = Limits::of(plan);
    // Which exchanges belong together: a group is sorted by the time of sending.
    let exchanges = view.exchanges().enumerate();
    let mut groups: Vec<(u32, Fingerprint, usize)> = exchanges
        .filter(|(_, exchange)| limits.at(exchange.facts).is_some())
        .map(|(index, exchange)| (exchange.instance, exchange.key, index))
        .collect();
    groups.sort_unstable();
    let instances = Instances::of(plan, view);
    let groups = groups.chunk_by(|one, next| (one.0, one.1) == (next.0, next.1));
    let exceeded = groups.filter_map(|group| {
        let (instance, key, index) = *group.first()?;
        let facts = view.exchange_at(index)?.facts;
        let exchanges = group
            .iter()
            .filter_map(|(.., index)| view.exchange_at(*index));
        let mut attempts: Vec<(Duration, Option<Duration>)> = exchanges
            .map(|exchange| (exchange.sent.at, exchange.ended.map(|ended| ended.at)))
            .collect();
        attempts.sort_by_key(|(sent, _)| *sent);
        let mut bursts = bursts(&attempts, limits.at(facts)?);
        if bursts.is_empty() {
            return None;
        }
        let waits = instances.waits_for(instance, facts);
        let walks = instances.walks(plan, &waits, (instance, key, source(facts)?));
        bursts.retain(|burst| !walks.may_hold_two(burst));
        Some((first_exceeded(waits, bursts)?, key))
    });
    let (call, key) = exceeded.min()?;
    excess(&view.call_at(call)?, key, view, &limits)
}

/// Who waits for what, and which places are asked, by instance: gathered once, so that judging
/// stays linear in the trace.
struct Instances<'v> {
    /// The callers that wait for a token of an instance.
    waits: BTreeMap<u32, Vec<Wait<Duration>>>,
    /// The same by what they ask for.
    by_resource: BTreeMap<(u32, &'v str), Vec<Wait<Duration>>>,
    /// What an instance that is a chain asks, in the order of time.
    asked: BTreeMap<u32, Vec<Work>>,
}

/// An exchange with a service that gives tokens, or a command.
#[derive(Clone, Copy)]
struct Work {
    begun: Duration,
    /// The end of the world if it has none.
    ended: Duration,
    place: Asks,
    /// What is asked; commands have none.
    key: Option<Fingerprint>,
}

/// All places in which a member of a chain may ask.
const PLACES: [Asks; 3] = [Asks::Entra, Asks::ManagedIdentity, Asks::Command];

impl<'v> Instances<'v> {
    fn of(plan: &Plan<'_>, view: &'v View<'_>) -> Self {
        let mut waits: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        let mut by_resource: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (call, of) in view.calls().enumerate() {
            let end = of.end.as_ref().map_or(Duration::MAX, |end| end.event.at);
            // Only callers that wait can tell one burst of attempts from the next.
            if end == of.at {
                continue;
            }
            let begin = of.at;
            let wait = Wait { begin, end, call };
            waits.entry(of.instance).or_default().push(wait);
            let asked = (of.instance, resource(of.scope));
            by_resource.entry(asked).or_default().push(wait);
        }
        let leads_anywhere = |from| PLACES.into_iter().any(|to| plan.leads_on(from, to));
        let is_chain = PLACES.into_iter().any(leads_anywhere);
        let asked = if is_chain { work(view) } else { BTreeMap::new() };
        Self {
            waits,
            by_resource,
            asked,
        }
    }

    /// The callers of an instance that may wait for the request of which `facts` are known: those
    /// who ask for what it asks for. All callers if there are none, for then it is not known who
    /// waits for it.
    fn waits_for(&self, instance: u32, facts: &Facts) -> Vec<Wait<Duration>> {
        let wanted = world::asked_for(facts).map(resource);
        let same = wanted.and_then(|wanted| self.by_resource.get(&(instance, wanted)));
        let waits = same.or_else(|| self.waits.get(&instance));
        waits.cloned().unwrap_or_default()
    }

    /// The walks of those who wait for an instance, beside its attempts with a key at a source.
    fn walks(
        &self,
        plan: &Plan<'_>,
        waits: &[Wait<Duration>],
        (instance, key, source): (u32, Fingerprint, TokenSource),
    ) -> Walks<Duration> {
        let here: Asks = source.into();
        let alike = plan.may_repeat_a_request(source);
        let is_other = |work: &&Work| alike || work.key != Some(key);
        let asked = self.asked.get(&instance).map_or(&[][..], Vec::as_slice);
        let asked = asked.iter().filter(is_other);
        let later = asked.clone().filter(|work| plan.leads_on(here, work.place));
        let earlier = asked.filter(|work| plan.leads_on(work.place, here));
        let later: Vec<Duration> = later.map(|work| work.begun).collect();
        let earlier: Vec<_> = earlier.map(|work| (work.begun, work.ended)).collect();
        if later.is_empty() && earlier.is_empty() {
            return Walks::new(Vec::new(), Vec::new(), Vec::new());
        }
        let waits = waits.iter().map(|wait| (wait.begin, wait.end));
        let mut waits: Vec<(Duration, Duration)> = waits.collect();
        waits.sort_unstable();
        Walks::new(waits, later, earlier)
    }
}

/// What each instance asks, in the order of time.
fn work(view: &View<'_>) -> BTreeMap<u32, Vec<Work>> {
    let mut all: BTreeMap<u32, Vec<Work>> = BTreeMap::new();
    for exchange in view.exchanges() {
        let Some(source) = source(exchange.facts) else {
            continue;
        };
        all.entry(exchange.instance).or_default().push(Work {
            begun: exchange.sent.at,
            ended: exchange.ended.map_or(Duration::MAX, |ended| ended.at),
            place: source.into(),
            key: Some(exchange.key),
        });
    }
    let mut running: BTreeMap<u64, (u32, usize)> = BTreeMap::new();
    for entry in view.all() {
        match &entry.event.kind {
            Kind::CommandStarted {
                instance, command, ..
            } => {
                let of = all.entry(*instance).or_default();
                running.insert(*command, (*instance, of.len()));
                of.push(Work {
                    begun: entry.at,
                    ended: Duration::MAX,
                    place: Asks::Command,
                    key: None,
                });
            }
            Kind::CommandEnded { command, .. } => {
                let started = running.remove(command);
                let started = started.and_then(|(instance, at)| all.get_mut(&instance)?.get_mut(at));
                if let Some(work) = started {
                    work.ended = entry.at;
                }
            }
            _ => {}
        }
    }
    for of in all.values_mut() {
        of.sort_by_key(|work| work.begun);
    }
    all
}

/// The resource of a scope, which metadata services are asked for in its place.
fn resource(scope: &str) -> &str {
    let scope = scope.strip_suffix("/.default").unwrap_or(scope);
    scope.trim_end_matches('/')
}

/// Where the walks of one chain were, as far as that tells attempts of one walk from those of the
/// next: while a walk is at a later member, a caller that begins walks from the top and makes
/// attempts of its own at the members before.
struct Walks<T> {
    /// When callers begin, sorted.
    begins: Vec<T>,
    /// When a member is asked that comes after the one whose attempts are counted, sorted, and
    /// until when a walk may be at such a member: the end of the calls that wait by then.
    later: Vec<(T, T)>,
    /// When a member is asked that comes before it, sorted, and the latest end of all that were
    /// asked by then.
    earlier: Vec<(T, T)>,
}

impl<T: Ord + Copy> Walks<T> {
    /// From when callers begin and stop to wait, from when later members are asked, and from when
    /// until when earlier ones are; all are sorted.
    fn new(waits: Vec<(T, T)>, asked: Vec<T>, earlier: Vec<(T, T)>) -> Self {
        let begins = waits.iter().map(|(begin, _)| *begin).collect();
        let mut waits = waits.into_iter().peekable();
        let mut reach = None;
        let later = asked.into_iter().map(|at| {
            while let Some((_, end)) = waits.next_if(|(begin, _)| *begin <= at) {
                reach = reach.max(Some(end));
            }
            (at, reach.map_or(at, |reach| reach.max(at)))
        });
        let mut latest = None;
        let earlier = earlier.into_iter().map(|(begun, ended)| {
            latest = latest.max(Some(ended));
            (begun, latest.map_or(ended, |latest| latest.max(ended)))
        });
        Self {
            begins,
            later: later.collect(),
            earlier: earlier.collect(),
        }
    }

    /// Whether the attempts of a burst may be those of two walks: a walk was at a later member in
    /// the meantime, and a caller began; or one was at an earlier member, and had not come yet when
    /// the first attempts of the burst were made.
    fn may_hold_two(&self, burst: &Burst<T>) -> bool {
        let begun = self.earlier.partition_point(|(at, _)| *at < burst.excess);
        let last = begun.checked_sub(1).and_then(|last| self.earlier.get(last));
        if last.is_some_and(|(_, ended)| *ended > burst.first) {
            return true;
        }
        let begun = |by: T| self.begins.partition_point(|begin| *begin <= by);
        let asked = self.later.partition_point(|(at, _)| *at <= burst.excess);
        // Of all that were asked by then, the last has the latest end.
        let last = asked.checked_sub(1).and_then(|last| self.later.get(last));
        let is_at_later = last.is_some_and(|(_, until)| *until >= burst.first);
        is_at_later && begun(burst.first) < begun(burst.excess)
    }
}

/// A caller that waits from `begin` to `end`, and the index of its call.
#[derive(Clone, Copy)]
struct Wait<T> {
    begin: T,
    end: T,
    call: usize,
}

/// Attempts with one key, as a caller sees them that begins to wait after `since` (if there is an
/// attempt before) and not after `first`: the attempt at `first` is the first one for it.
struct Burst<T> {
    since: Option<T>,
    first: T,
    /// When the first attempt beyond the limit is sent.
    excess: T,
}

/// The bursts of the attempts with one key, which are sorted by the time of sending: one for each
/// attempt that more attempts than `limit` follow, each when the one before has ended. What is in
/// flight beside them is no retry, but for another invariant to judge.
///
/// O(n log n): the attempt that comes `limit` attempts later is found by repeated squaring of the
/// step from one attempt to the next.
fn bursts<T: Ord + Copy>(attempts: &[(T, Option<T>)], limit: u32) -> Vec<Burst<T>> {
    let none = attempts.len();
    let next = attempts.iter().enumerate().map(|(index, (_, ended))| {
        let after = |ended| attempts.partition_point(|(sent, _)| *sent < ended);
        ended.map_or(none, |ended| after(ended).max(index + 1))
    });
    let mut step: Vec<usize> = next.chain([none]).collect();
    let mut later: Vec<usize> = (0..=none).collect();
    let mut left = limit;
    while left > 0 {
        if left % 2 == 1 {
            later = later.iter().map(|index| step[*index]).collect();
        }
        step = step.iter().map(|index| step[*index]).collect();
        left /= 2;
    }
    let since = std::iter::once(None).chain(attempts.iter().map(|(sent, _)| Some(*sent)));
    let each = attempts.iter().zip(since).zip(later);
    each.filter_map(|(((first, _), since), later)| {
        let (excess, _) = attempts.get(later)?;
        Some(Burst {
            since,
            first: *first,
            excess: *excess,
        })
    })
    .collect()
}

/// Of the calls of one instance the first, by its index, that waits while one of the bursts
/// exceeds its limit.
///
/// O(n log n): both are walked once in the order of time. The heap holds the bursts that have
/// begun, the earliest excess on top; those that are over are dropped when they come up.
fn first_exceeded<T: Ord + Copy>(
    mut waits: Vec<Wait<T>>,
    mut bursts: Vec<Burst<T>>,
) -> Option<usize> {
    waits.sort_by_key(|wait| wait.begin);
    bursts.sort_by_key(|burst| burst.since);
    let mut bursts = bursts.into_iter().peekable();
    let mut begun = BinaryHeap::new();
    let exceeded = waits.into_iter().filter(|wait| {
        let begins = |burst: &Burst<T>| burst.since.is_none_or(|since| since < wait.begin);
        while let Some(burst) = bursts.next_if(begins) {
            begun.push(Reverse((burst.excess, burst.first)));
        }
        while let Some(Reverse((excess, first))) = begun.peek() {
            if *first >= wait.begin {
                return *excess <= wait.end;
            }
            begun.pop();
        }
        false
    });
    exceeded.map(|wait| wait.call).min()
}

/// What a caller sees whose attempts with `key` exceed the limit.
fn excess(
    call: &Call<'_>,
    key: Fingerprint,
    view: &View<'_>,
    limits: &Limits,
) -> Option<Ruling> {
    let end = call.end.as_ref().map_or(Duration::MAX, |end| end.event.at);
    let during = view.exchanges().filter(|exchange| {
        (exchange.instance, exchange.key) == (call.instance, key)
            && (call.at..=end).contains(&exchange.sent.at)
    });
    let mut attempts: Vec<Exchange<'_>> = Vec::new();
    for exchange in during {
        let is_free = attempts
            .last()
            .is_none_or(|last| last.ended.is_some_and(|ended| ended.at <= exchange.sent.at));
        if is_free {
            attempts.push(exchange);
        }
    }
    let allowed = limits.at(attempts.first()?.facts)?;
    let found = format!(
        "#{} makes {} for one caller; {allowed} {} allowed",
        call.instance,
        counted(attempts.len(), "attempt"),
        Number::of(allowed).pick("is", "are")
    );
    let shown = Evidence::of(attempts.iter().map(|exchange| exchange.sent));
    Some(Ruling::fails(found, shown))
}

/// How many attempts the subject's policy allows for one caller (PR-10, PR-13, PR-14).
struct Limits {
    metadata: Option<u32>,
    endpoint: Option<u32>,
    entra: Option<u32>,
}

impl Limits {
    fn of(plan: &Plan<'_>) -> Self {
        let attempts = |source| plan.attempts(source);
        Self {
            metadata: attempts(TokenSource::Metadata),
            endpoint: attempts(TokenSource::Endpoint),
            entra: attempts(TokenSource::Entra),
        }
    }

    /// How many of a request of which `facts` are known; none if there is no limit.
    fn at(&self, facts: &Facts) -> Option<u32> {
        match world::asked(facts)? {
            // A probe is not retried.
            (_, Asked::Probe) => Some(1),
            (service, Asked::Token | Asked::Other) => match service.token_source()? {
                TokenSource::Metadata => self.metadata,
                TokenSource::Endpoint => self.endpoint,
                TokenSource::Entra => self.entra,
            },
        }
    }
}
