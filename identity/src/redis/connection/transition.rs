//! The transitions of re-authentication, for connections and subscribers alike.
//!
//! ```text
//!              Offered               Sent               Accepted
//!   Settled ────────────► Planned ─────────► Sending ──────────────► Settled, or Planned if a
//!      │                                     ▲  │  ▲                  newer token came meanwhile
//!      └─────────── Sent (after RESET) ──────┘  │  │ Sent
//!                                Refused, Failed ▼  │
//!                                            Retrying
//! ```

use std::time::Duration;

use super::schedule::retry_after;

/// The position of one connection between two tokens of type `T`. Times are of the monotonic clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State<T> {
    /// No other token than the accepted one is known.
    Settled,
    /// A newer token waits for its time.
    Planned(Due<T>),
    /// A token is under way to the server.
    Sending(Attempt<T>),
    /// The last attempt failed, and another one follows. The old token stays valid (RS-03).
    Retrying(Due<T>, Refusals<T>),
}

/// What happens to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event<T> {
    /// The provider has this token, which fits the schedule at this time.
    Offered(Due<T>),
    /// This token is being sent.
    Sent(T),
    /// The server has accepted this token. The next one would fit the schedule at this time.
    Accepted(Due<T>),
    /// The server has refused the token.
    Refused,
    /// The token did not get through, so the server has not judged it.
    Failed,
}

impl<T: Clone + PartialEq> State<T> {
    /// Every transition. `now` is the time of the monotonic clock.
    pub fn on(self, event: Event<T>, now: Duration) -> Self {
        use Event::{Accepted, Failed, Offered, Refused, Sent};
        use State::{Planned, Retrying, Sending, Settled};
        match (self, event) {
            // A source that gives the same token again must not cause another attempt (RD-38).
            (state, Offered(due)) if state.knows(&due.token) => state,
            (Settled, Offered(due)) => Planned(due),
            // What is due stays due.
            (Planned(old), Offered(due)) => Planned(due.by(old.at)),
            (Sending(attempt), Offered(due)) => Sending(attempt.with_newer(due.token)),
            // No other connection waits for this token: it needs no spread.
            (Retrying(_, refusals), Offered(due)) => Retrying(due.by(now), refusals),

            (Settled | Planned(_), Sent(token)) => Sending(Attempt::of(token, Refusals::none())),
            (Retrying(_, refusals), Sent(token)) => Sending(Attempt::of(token, refusals)),

            (Sending(attempt), Accepted(due)) => match attempt.newer {
                Some(newer) if newer != due.token => Planned(due.of(newer)),
                Some(_) | None => Settled,
            },
            (Sending(attempt), Refused) => attempt.again(now, Refusals::and_refused),
            (Sending(attempt), Failed) => attempt.again(now, Refusals::and_failed),

            // One attempt at a time, and an answer only to an attempt.
            (state @ Sending(_), Sent(_))
            | (state @ (Settled | Planned(_) | Retrying(..)), Accepted(_) | Refused | Failed) => {
                state
            }
        }
    }

    /// When the next token is to be sent, if one is known and not under way.
    pub fn due(&self) -> Option<Duration> {
        match self {
            Self::Planned(due) | Self::Retrying(due, _) => Some(due.at),
            Self::Settled | Self::Sending(_) => None,
        }
    }

    /// The token that is to be sent next, if one is known and not under way.
    pub fn next(&self) -> Option<&T> {
        match self {
            Self::Planned(due) | Self::Retrying(due, _) => Some(&due.token),
            Self::Settled | Self::Sending(_) => None,
        }
    }

    /// Whether the provider should be asked for another token: the server has refused the next one,
    /// and that one did not come in exchange for a refused one itself.
    pub fn wants_another(&self) -> bool {
        match self {
            Self::Retrying(due, refusals) => refusals.first.as_ref() == Some(&due.token),
            Self::Settled | Self::Planned(_) | Self::Sending(_) => false,
        }
    }

    fn knows(&self, token: &T) -> bool {
        match self {
            Self::Settled => false,
            Self::Planned(due) | Self::Retrying(due, _) => due.token == *token,
            Self::Sending(attempt) => {
                attempt.token == *token || attempt.newer.as_ref() == Some(token)
            }
        }
    }

    /// Whether an offer of `token` leads to a place in the schedule: it is news, and no attempt is
    /// under way or to be repeated.
    pub fn places(&self, token: &T) -> bool {
        match self {
            Self::Settled => true,
            Self::Planned(due) => due.token != *token,
            Self::Sending(_) | Self::Retrying(..) => false,
        }
    }

    /// Whether a token was offered during the attempt that is newer than `token`.
    pub fn has_newer_than(&self, token: &T) -> bool {
        match self {
            Self::Sending(attempt) => attempt.newer.as_ref().is_some_and(|newer| newer != token),
            Self::Settled | Self::Planned(_) | Self::Retrying(..) => false,
        }
    }
}

/// A token and when to send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due<T> {
    pub token: T,
    pub at: Duration,
}

impl<T> Due<T> {
    /// No later than `at`.
    fn by(mut self, at: Duration) -> Self {
        self.at = self.at.min(at);
        self
    }

    /// At the same time another token.
    fn of(self, token: T) -> Self {
        Self { token, at: self.at }
    }
}

/// A token under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt<T> {
    token: T,
    /// What was offered meanwhile.
    newer: Option<T>,
    /// The outcome of the previous attempts.
    refusals: Refusals<T>,
}

impl<T: Clone + PartialEq> Attempt<T> {
    fn of(token: T, refusals: Refusals<T>) -> Self {
        Self {
            token,
            newer: None,
            refusals,
        }
    }

    fn with_newer(mut self, token: T) -> Self {
        self.newer = Some(token);
        self
    }

    /// The attempt was in vain: the same token follows after a while, or a newer one at once.
    fn again(self, now: Duration, count: fn(Refusals<T>, &T) -> Refusals<T>) -> State<T> {
        let refusals = count(self.refusals, &self.token);
        let due = match self.newer {
            Some(token) => Due { token, at: now },
            None => Due {
                token: self.token,
                at: now.saturating_add(retry_after(refusals.count)),
            },
        };
        State::Retrying(due, refusals)
    }
}

/// The attempts in vain since the server last accepted a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusals<T> {
    count: u32,
    /// The token that the server refused first. It is exchanged for another one; what comes in
    /// exchange is not exchanged again.
    first: Option<T>,
}

impl<T: Clone> Refusals<T> {
    fn none() -> Self {
        Self {
            count: 0,
            first: None,
        }
    }

    fn and_refused(mut self, token: &T) -> Self {
        self.first.get_or_insert_with(|| token.clone());
        self.and_failed(token)
    }

    fn and_failed(mut self, _: &T) -> Self {
        self.count = self.count.saturating_add(1);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{
        Due,
        Event::{self, Accepted, Failed, Offered, Refused, Sent},
        State,
    };

    const NOW: Duration = Duration::from_secs(100);

    fn due(token: u8, at: u64) -> Due<u8> {
        let at = Duration::from_secs(at);
        Due { token, at }
    }

    /// The state after `events`, all of them at 100 s, as text: `planned 2 at 130`.
    fn after(events: impl IntoIterator<Item = Event<u8>>) -> String {
        let state = events
            .into_iter()
            .fold(State::Settled, |state, event| state.on(event, NOW));
        let wants = if state.wants_another() {
            ", exchanged"
        } else {
            ""
        };
        match state {
            State::Settled => "settled".to_owned(),
            State::Planned(due) => format!("planned {} at {}", due.token, due.at.as_secs()),
            State::Sending(attempt) => match attempt.newer {
                None => format!("sending {}", attempt.token),
                Some(newer) => format!("sending {}, then {newer}", attempt.token),
            },
            State::Retrying(due, refusals) => format!(
                "retrying {} at {} after {}{wants}",
                due.token,
                due.at.as_secs(),
                refusals.count
            ),
        }
    }

    #[test]
    fn every_transition() {
        let offered = |token, at| Offered(due(token, at));
        let accepted = |token| Accepted(due(token, 150));
        let table: [(Vec<Event<u8>>, &str); 27] = [
            (vec![], "settled"),
            // From `Settled`.
            (vec![offered(2, 130)], "planned 2 at 130"),
            (vec![Sent(1)], "sending 1"),
            (vec![accepted(1)], "settled"),
            (vec![Refused], "settled"),
            (vec![Failed], "settled"),
            // From `Planned`.
            (vec![offered(2, 130), offered(2, 110)], "planned 2 at 130"),
            (vec![offered(2, 130), offered(3, 160)], "planned 3 at 130"),
            (vec![offered(2, 130), offered(3, 110)], "planned 3 at 110"),
            (vec![offered(2, 130), Sent(2)], "sending 2"),
            (vec![offered(2, 130), Sent(3)], "sending 3"),
            (vec![offered(2, 130), Refused], "planned 2 at 130"),
            // From `Sending`.
            (vec![Sent(2), offered(2, 130)], "sending 2"),
            (vec![Sent(2), offered(3, 130)], "sending 2, then 3"),
            (vec![Sent(2), Sent(3)], "sending 2"),
            (vec![Sent(2), accepted(2)], "settled"),
            (
                vec![Sent(2), offered(3, 130), accepted(2)],
                "planned 3 at 150",
            ),
            // A new connection may have signed in with the newest token of all.
            (vec![Sent(2), offered(3, 130), accepted(3)], "settled"),
            (
                vec![Sent(2), Refused],
                "retrying 2 at 101 after 1, exchanged",
            ),
            (vec![Sent(2), Failed], "retrying 2 at 101 after 1"),
            (
                vec![Sent(2), offered(3, 130), Refused],
                "retrying 3 at 100 after 1",
            ),
            // From `Retrying`.
            (
                vec![Sent(2), Refused, offered(2, 130)],
                "retrying 2 at 101 after 1, exchanged",
            ),
            (
                vec![Sent(2), Refused, offered(3, 130)],
                "retrying 3 at 100 after 1",
            ),
            (
                vec![Sent(2), Refused, Sent(2), Refused],
                "retrying 2 at 102 after 2, exchanged",
            ),
            (
                vec![Sent(2), Refused, offered(3, 130), Sent(3), Refused],
                "retrying 3 at 102 after 2",
            ),
            (
                vec![Sent(2), Refused, accepted(2)],
                "retrying 2 at 101 after 1, exchanged",
            ),
            (
                vec![Sent(2), Refused, Sent(2), accepted(2), Sent(2), Failed],
                "retrying 2 at 101 after 1",
            ),
        ];
        for (events, expected) in table {
            assert_eq!(after(events.clone()), expected, "{events:?}");
        }
    }

    #[test]
    fn only_news_for_a_connection_at_rest_takes_a_place() {
        let offered = |token| Offered(due(token, 130));
        let table = [
            (vec![], true, true),
            (vec![offered(2)], false, true),
            (vec![Sent(2)], false, false),
            (vec![Sent(2), Refused], false, false),
        ];
        for (events, of_2, of_3) in table {
            let at_rest = State::Settled;
            let state = (events.iter().cloned()).fold(at_rest, |state, event| state.on(event, NOW));
            assert_eq!(state.places(&2), of_2, "{events:?}");
            assert_eq!(state.places(&3), of_3, "{events:?}");
        }
    }

    #[test]
    fn what_was_offered_during_an_attempt_is_newer_than_anything_else() {
        let sending = State::Settled.on(Sent(2), NOW);
        assert!(!sending.has_newer_than(&1));
        let sending = sending.on(Offered(due(3, 130)), NOW);
        assert!(sending.has_newer_than(&2) && !sending.has_newer_than(&3));
        assert!(!sending.on(Refused, NOW).has_newer_than(&2));
    }

    fn event() -> impl Strategy<Value = Event<u8>> {
        let due = (0_u8..4, 100_u64..200).prop_map(|(token, at)| due(token, at));
        prop_oneof![
            due.clone().prop_map(Offered),
            (0_u8..4).prop_map(Sent),
            due.prop_map(Accepted),
            Just(Refused),
            Just(Failed),
        ]
    }

    proptest! {
        /// Whatever happens: an offered token stays known until it, or a newer one, is accepted,
        /// and what is due is never put off by more than the longest wait between two attempts.
        #[test]
        fn the_newest_token_is_never_forgotten(events in prop::collection::vec(event(), 0..40)) {
            let mut state = State::Settled;
            let mut newest = None;
            for event in events {
                let before = state.clone();
                state = state.on(event.clone(), NOW);
                match event {
                    Offered(due) if !before.knows(&due.token) => newest = Some(due.token),
                    // The caller sends the newest; what else it sends is its own business.
                    Sent(_) if !matches!(before, State::Sending(_)) => newest = None,
                    Accepted(due) if newest == Some(due.token) => newest = None,
                    Offered(_) | Sent(_) | Accepted(_) | Refused | Failed => {}
                }
                if let Some(token) = newest {
                    prop_assert!(state.knows(&token), "{token} in {state:?}");
                }
                if let (Some(before), Some(after)) = (before.due(), state.due()) {
                    prop_assert!(after <= before);
                }
                if matches!(state, State::Retrying(..)) {
                    prop_assert!(state.due() <= Some(NOW + Duration::from_secs(30)));
                }
            }
        }
    }
}
