//! Expectations that contradict each other: no run can meet both.

use super::{
    super::{That, TokenFrom},
    Check, Place, Span,
};

/// Which calls an expectation speaks about, and what it wants of them.
struct Claim<'a> {
    index: usize,
    key: &'static str,
    from: Span,
    until: Span,
    step: Option<usize>,
    /// From whom the token is; none for an error.
    token: Option<&'a TokenFrom>,
}

impl Claim<'_> {
    /// Whether one call can meet both.
    fn agrees_with(&self, other: &Self) -> bool {
        match (self.token, other.token) {
            (Some(one), Some(other)) => {
                let same = |one: &Option<String>, other: &Option<String>| {
                    one.is_none() || other.is_none() || one == other
                };
                same(&one.principal, &other.principal) && same(&one.credential, &other.credential)
            }
            (None, None) => true,
            _ => false,
        }
    }
}

impl Check<'_> {
    /// Tokens and errors, or tokens for two principals, of the same calls.
    pub(super) fn conflicts(&mut self) {
        let end = self.scenario.world.lasts;
        let claims = self.scenario.expect.iter().enumerate();
        let claims = claims.filter_map(|(index, expect)| match &expect.that {
            That::TokenFrom(that) => Some(Claim {
                index,
                key: "token-from",
                from: that.from,
                until: that.until.unwrap_or(end),
                step: that.step,
                token: Some(that),
            }),
            That::Error(that) => Some(Claim {
                index,
                key: "error",
                from: that.from,
                until: that.until.unwrap_or(end),
                step: that.step,
                token: None,
            }),
            _ => None,
        });
        let claims = claims.collect::<Vec<_>>();
        for (number, claim) in claims.iter().enumerate() {
            let Some(other) = claims[..number]
                .iter()
                .find(|other| self.collide(claim, other))
            else {
                continue;
            };
            let (from, until) = (claim.from.max(other.from), claim.until.min(other.until));
            let place = Place::default()
                .key("expect")
                .index(claim.index)
                .key("that")
                .key(claim.key);
            self.at_key(&place, "two answers to one question: what callers get")
                .label(format!(
                    "not what `[[expect]]` number {} wants of them",
                    other.index + 1
                ))
                .expected("one outcome for each call")
                .help(format!(
                    "both speak about calls between {from} and {until}: \
                     part them with `from`, `until` or `step`"
                ));
        }
    }

    fn collide(&self, one: &Claim<'_>, other: &Claim<'_>) -> bool {
        let same_step = one.step.is_none() || other.step.is_none() || one.step == other.step;
        let window = one.from.max(other.from).0..one.until.min(other.until).0;
        same_step
            && !one.agrees_with(other)
            && window.start < window.end
            && self.some_call(&window, one.step.or(other.step))
    }
}
