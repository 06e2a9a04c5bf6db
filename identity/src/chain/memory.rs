//! The state of a chain: the member and the identity that answered last, with which every answer is
//! compared (PR-03, PR-04).

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    AccessToken, TokenRequest,
    cache::policy::Terms,
    platform::{Clock, Platform, Reading},
};

use super::{
    ChainRecord, FallbackPolicy, Identity, IdentityChange, Tried, kept::Kept, known::Known,
    upward::Due,
};

/// The state of one chain.
pub(super) struct Memory {
    clock: Arc<dyn Clock>,
    policy: FallbackPolicy,
    pub(super) disposed: bool,
    last: Option<Last>,
    known: Known,
    /// The refused identity of each member, so that one refusal is reported once.
    refused: BTreeMap<usize, Identity>,
    /// The tokens that were returned, if changes are refused.
    kept: Kept,
    /// When the members before the last answerer are asked again; `None` if none of them can
    /// answer.
    upward: Option<Due>,
}

struct Last {
    member: usize,
    identity: Identity,
    /// The record for tokens that this member still holds; all of them share it.
    held: Arc<ChainRecord>,
    /// Whether it has got a token since it became the answerer, so that it is known to work. What
    /// it held from before does not show that.
    has_got_one: bool,
}

/// An answer of a member.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) request: &'a TokenRequest,
    pub(super) token: &'a AccessToken,
    /// The chain's name.
    pub(super) chain: &'a str,
    pub(super) member: usize,
    /// The member's name.
    pub(super) name: &'a str,
    pub(super) route: &'a Route,
    /// Whether the member caches the token.
    pub(super) is_cached: bool,
    /// Whether a member before this one might answer later.
    pub(super) is_second_best: bool,
}

/// The way in which a chain got an answer.
pub(super) enum Route {
    /// The last answerer still held it.
    Held,
    /// By a walk from the top, for a caller.
    Walk {
        tried: Vec<Tried>,
        /// Whether the member held the token before.
        was_held: bool,
        /// The last answerer when it began.
        before: Option<usize>,
    },
    /// By a background walk through the members before the answerer (PR-03).
    Upward {
        tried: Vec<Tried>,
        /// Whether the member held the token before.
        was_held: bool,
    },
}

impl Route {
    /// Whether the member got the token just now.
    fn is_new(&self) -> bool {
        match self {
            Self::Held => false,
            Self::Walk { was_held, .. } | Self::Upward { was_held, .. } => !was_held,
        }
    }
}

/// The result of the comparison of an answer with the previous one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There was no answer before.
    First,
    /// The same identity as before.
    Same,
    /// Another identity, which is reported.
    Changed(Box<IdentityChange>),
    /// Another identity, which is refused.
    Refused {
        change: Box<IdentityChange>,
        /// Whether it was not reported before.
        news: bool,
        /// The token that was returned last, if it is still valid and a caller waits for one.
        kept: Option<AccessToken>,
    },
    /// Another member became the answerer in the meantime. A walk is late only if that member
    /// stands before its own and has got a token: one that answers with what it held may fail the
    /// second walk as it did the first.
    Late,
}

impl Memory {
    pub(super) fn new(platform: &Platform, policy: FallbackPolicy) -> Self {
        Self::empty(Arc::clone(&platform.clock), policy)
    }

    fn empty(clock: Arc<dyn Clock>, policy: FallbackPolicy) -> Self {
        Self {
            clock,
            policy,
            disposed: false,
            last: None,
            known: Known::default(),
            refused: BTreeMap::new(),
            kept: Kept::default(),
            upward: None,
        }
    }

    /// Returns the index of the member that answered last.
    pub(super) fn last(&self) -> Option<usize> {
        self.last.as_ref().map(|last| last.member)
    }

    /// Returns the record for a token that the last answerer still holds.
    pub(super) fn held(&self) -> Option<Arc<ChainRecord>> {
        self.last.as_ref().map(|last| Arc::clone(&last.held))
    }

    /// Compares `answer` with the previous one, and remembers it unless it is refused.
    pub(super) fn answer(&mut self, answer: Answer<'_>) -> Verdict {
        let late = match answer.route {
            Route::Held => self.last() != Some(answer.member),
            // A member before this one has got a token while this walk was under way.
            Route::Walk { before, .. } => self.last.as_ref().is_some_and(|last| {
                last.member < answer.member && Some(last.member) != *before && last.has_got_one
            }),
            Route::Upward { .. } => self.last().is_none_or(|last| last <= answer.member),
        };
        if late {
            return Verdict::Late;
        }
        let Answer { request, token, .. } = answer;
        let from = self.changed_from(request, answer.member, token).cloned();
        let Some(from) = from else {
            self.welcome(answer);
            let first = self.last.is_none();
            // Most answers change nothing, and then nothing is allocated.
            if first || !self.known.has(request, token) {
                self.remember(answer);
            } else if let Some(last) = &mut self.last {
                last.has_got_one |= answer.route.is_new();
            }
            return if first { Verdict::First } else { Verdict::Same };
        };
        let to = Identity::of(token);
        if self.policy == FallbackPolicy::Refuse {
            let known = self.refused.insert(answer.member, to.clone());
            return Verdict::Refused {
                news: known.as_ref() != Some(&to),
                change: Box::new(IdentityChange::new(from, to, true)),
                kept: match answer.route {
                    Route::Upward { .. } => None,
                    // A forced request must not get the old token.
                    _ if request.force_refresh() => None,
                    _ => self.kept.valid(request, self.now()),
                },
            };
        }
        self.welcome(answer);
        self.remember(answer);
        Verdict::Changed(Box::new(IdentityChange::new(from, to, false)))
    }

    /// Returns the token to return if `member` holds `token` for `request`: that one or, if it is
    /// of a refused identity, the token that was returned last.
    pub(super) fn allowed(
        &self,
        request: &TokenRequest,
        member: usize,
        token: AccessToken,
    ) -> Option<AccessToken> {
        let refused = self.policy == FallbackPolicy::Refuse
            && self.changed_from(request, member, &token).is_some();
        if refused {
            self.kept.valid(request, self.now())
        } else {
            Some(token)
        }
    }

    /// Returns whether the members before the answerer are to be asked again now.
    pub(super) fn upward_is_due(&self) -> bool {
        self.upward.is_some_and(|due| due.has_come(self.now()))
    }

    /// Returns the terms within which the members before the answerer need not be asked.
    pub(super) fn terms(&self) -> Terms {
        self.upward
            .map_or(Terms::FOREVER, |due| due.terms(self.now()))
    }

    /// Postpones the next background walk by the life of `held`.
    pub(super) fn postpone_upward(&mut self, held: Option<&AccessToken>) {
        if self.upward.is_some() {
            self.upward = Some(Due::after(held, self.now()));
        }
    }

    /// Drops everything and refuses all later requests.
    pub(super) fn dispose(&mut self) {
        *self = Self {
            disposed: true,
            ..Self::empty(Arc::clone(&self.clock), self.policy)
        };
    }

    fn now(&self) -> Reading {
        Reading::exact(&*self.clock)
    }

    /// Returns the previous identity if `token` of `member` has another one.
    fn changed_from(
        &self,
        request: &TokenRequest,
        member: usize,
        token: &AccessToken,
    ) -> Option<&Identity> {
        let last = self.last.as_ref()?;
        let other = last.member != member || last.identity.credential != token.answered_by();
        let known = self.known.other_than(request, token);
        known.or_else(|| other.then_some(&last.identity))
    }

    /// Updates the state for an answer that is returned.
    fn welcome(&mut self, answer: Answer<'_>) {
        if let Route::Held = answer.route {
            // The other members were not asked.
            self.refused.remove(&answer.member);
        } else {
            self.refused.clear();
            let now = self.now();
            let due = || Due::after(Some(answer.token), now);
            self.upward = answer.is_second_best.then(due);
        }
        // A token that its member does not cache is not cached here either (PR-27).
        if self.policy == FallbackPolicy::Refuse && answer.is_cached {
            self.kept.keep(answer.request, answer.token, self.now());
        }
    }

    fn remember(&mut self, answer: Answer<'_>) {
        self.known.remember(answer.request, answer.token);
        let mut last = self.last.iter();
        let had_got_one = last.any(|last| last.member == answer.member && last.has_got_one);
        let held = Arc::new(ChainRecord {
            chain: answer.chain.to_owned(),
            tried: vec![Tried::held(answer.name)],
            change: None,
        });
        self.last = Some(Last {
            member: answer.member,
            identity: Identity::of(answer.token),
            held,
            has_got_one: had_got_one || answer.route.is_new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use jiff::Timestamp;

    use super::*;

    fn memory() -> Memory {
        Memory::new(&Platform::system(), FallbackPolicy::Report)
    }

    /// One whose last answer was by the member 1 as `a`.
    fn after_one() -> Memory {
        let mut memory = memory();
        let verdict = answer(&mut memory, 1, &walk(None), "a");
        assert_eq!(verdict, Verdict::First);
        memory
    }

    /// `""` is an opaque token.
    fn token(oid: &str) -> AccessToken {
        let claims = format!(r#"{{"oid":"{oid}"}}"#);
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        let secret = match oid {
            "" => "opaque".to_owned(),
            _ => format!("e30.{claims}.c2ln"),
        };
        AccessToken::new(secret, Timestamp::UNIX_EPOCH, "Test")
    }

    fn answer(memory: &mut Memory, member: usize, route: &Route, oid: &str) -> Verdict {
        memory.answer(Answer {
            request: &TokenRequest::new(["scope"]),
            token: &token(oid),
            chain: "Chain",
            member,
            name: "Test",
            route,
            is_cached: false,
            is_second_best: member > 0,
        })
    }

    fn walk(before: Option<usize>) -> Route {
        Route::Walk {
            tried: Vec::new(),
            was_held: false,
            before,
        }
    }

    /// A member that still holds a token for one request may be of no use for another one.
    #[test]
    fn pr_13_a_walk_is_not_repeated_for_what_another_member_held() {
        let held = || Route::Walk {
            tried: Vec::new(),
            was_held: true,
            before: Some(1),
        };
        let mut memory = after_one();
        let verdict = answer(&mut memory, 0, &held(), "b");
        assert!(matches!(verdict, Verdict::Changed(_)), "{verdict:?}");
        let verdict = answer(&mut memory, 1, &walk(Some(1)), "a");
        assert!(matches!(verdict, Verdict::Changed(_)), "{verdict:?}");
        // It gets one: now what comes later is late.
        for news in [walk(Some(1)), walk(Some(0))] {
            let mut memory = after_one();
            answer(&mut memory, 0, &held(), "b");
            answer(&mut memory, 0, &news, "b");
            assert_eq!(answer(&mut memory, 1, &walk(Some(1)), "a"), Verdict::Late);
        }
    }

    #[test]
    fn pr_03_a_late_answer_changes_nothing() {
        let upward = || Route::Upward {
            tried: Vec::new(),
            was_held: false,
        };
        for (member, route, is_late) in [
            (0, Route::Held, true),
            (1, Route::Held, false),
            (2, Route::Held, true),
            // What a walk has passed over is better only if it has answered since.
            (0, walk(None), false),
            (1, walk(None), false),
            (2, walk(None), true),
            (2, walk(Some(0)), true),
            (2, walk(Some(1)), false),
            (0, upward(), false),
            (1, upward(), true),
            (2, upward(), true),
        ] {
            let mut memory = after_one();
            let verdict = answer(&mut memory, member, &route, "a");
            assert_eq!(verdict == Verdict::Late, is_late, "{member}: {verdict:?}");
            let last = if is_late { 1 } else { member };
            assert_eq!(memory.last(), Some(last));
        }
        let mut empty = memory();
        assert_eq!(answer(&mut empty, 0, &upward(), "a"), Verdict::Late);
        assert_eq!(answer(&mut empty, 0, &Route::Held, "a"), Verdict::Late);
    }

    /// Two members of one name, and one whose name changes, such as a chain within the chain.
    #[test]
    fn pr_04_another_member_or_another_name_is_another_identity() {
        let mut memory = after_one();
        let other_member = answer(&mut memory, 0, &walk(None), "a");
        assert!(
            matches!(other_member, Verdict::Changed(_)),
            "{other_member:?}"
        );

        let memory = after_one();
        let (request, same) = (TokenRequest::new(["scope"]), token("a"));
        let other_name = AccessToken::new(same.secret().to_owned(), same.expires_on(), "Other");
        assert!(memory.changed_from(&request, 1, &other_name).is_some());
        assert!(memory.changed_from(&request, 1, &same).is_none());
        assert!(memory.changed_from(&request, 0, &same).is_some());
    }

    /// What is held may be handed out, unless a change is refused; then what was before.
    #[test]
    fn pr_04_only_a_refused_change_hides_what_a_member_holds() {
        let request = TokenRequest::new(["scope"]);
        let mut memory = after_one();
        for (policy, of_b) in [
            (FallbackPolicy::Report, Some(token("b"))),
            (FallbackPolicy::Refuse, None),
        ] {
            memory.policy = policy;
            let allowed = |oid| memory.allowed(&request, 1, token(oid));
            assert_eq!(allowed("a"), Some(token("a")), "{policy:?}");
            assert_eq!(allowed("b"), of_b, "{policy:?}");
        }
    }

    /// An opaque token says nothing; what comes after it does.
    #[test]
    fn pr_04_the_record_of_an_unchanged_answer_is_kept() {
        let mut memory = memory();
        assert_eq!(answer(&mut memory, 0, &walk(None), ""), Verdict::First);
        assert_eq!(answer(&mut memory, 0, &Route::Held, "a"), Verdict::Same);
        let Verdict::Changed(change) = answer(&mut memory, 0, &Route::Held, "b") else {
            panic!("it went unnoticed");
        };
        assert_eq!(change.from, Identity::of(&token("a")));
        assert_eq!(change.to, Identity::of(&token("b")));
    }
}
