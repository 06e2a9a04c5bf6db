//! Expectations that contradict each other: no run can meet both.

use super::Expect;
use crate::check::{Check, Uses};
use crate::scenario::{Span, document::Place};

/// What an expectation asserts of every call in a window.
pub(crate) struct Claim<'a> {
    pub from: Span,
    /// None is the world's end.
    pub until: Option<Span>,
    pub step: Option<usize>,
    pub outcome: Outcome<'a>,
}

/// How a call ends.
pub(crate) enum Outcome<'a> {
    /// With a token; each name that is given must be that of the answerer.
    Token {
        principal: Option<&'a str>,
        credential: Option<&'a str>,
    },
    /// With an error.
    Error,
}

impl Outcome<'_> {
    /// Whether one call can meet both.
    fn agrees_with(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Token {
                    principal,
                    credential,
                },
                Self::Token {
                    principal: other_principal,
                    credential: other_credential,
                },
            ) => {
                let same = |one: &Option<&str>, other: &Option<&str>| {
                    one.is_none() || other.is_none() || one == other
                };
                same(principal, other_principal) && same(credential, other_credential)
            }
            (Self::Error, Self::Error) => true,
            (Self::Token { .. }, Self::Error) | (Self::Error, Self::Token { .. }) => false,
        }
    }
}

/// Reports tokens and errors, or tokens for two principals, of the same calls.
pub(crate) fn conflicts(expectations: &[Expect], check: &mut Check<'_>) {
    let end = check.lasts;
    let claims = expectations
        .iter()
        .enumerate()
        .filter_map(|(index, expect)| {
            let claim = expect.that.expectation().claim()?;
            Some((index, expect.that.name(), claim))
        });
    let claims = claims.collect::<Vec<_>>();
    for (number, (index, key, claim)) in claims.iter().enumerate() {
        let earlier = claims[..number].iter();
        let mut earlier = earlier.filter(|(.., other)| collide(claim, other, check));
        let Some((other_index, _, other)) = earlier.next() else {
            continue;
        };
        let from = claim.from.max(other.from);
        let until = claim.until.unwrap_or(end).min(other.until.unwrap_or(end));
        let place = Place::default().key("expect").index(*index).key("that");
        check
            .at_key(
                &place.key(key),
                "two answers to one question: what callers get",
            )
            .label(format!(
                "not what `[[expect]]` number {} wants of them",
                other_index + 1
            ))
            .expected("one outcome for each call")
            .help(format!(
                "both speak about calls between {from} and {until}: \
                 part them with `from`, `until` or `step`"
            ));
    }
}

fn collide(one: &Claim<'_>, other: &Claim<'_>, check: &Check<'_>) -> bool {
    let end = check.lasts;
    let same_step = one.step.is_none() || other.step.is_none() || one.step == other.step;
    let until = one.until.unwrap_or(end).min(other.until.unwrap_or(end));
    let window = one.from.max(other.from).0..until.0;
    same_step
        && !one.outcome.agrees_with(&other.outcome)
        && window.start < window.end
        && check.some_call(&window, one.step.or(other.step), &[Uses::Credential])
}
