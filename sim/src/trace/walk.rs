//! The walk of a chain, as the outcome of a call states it.

use super::{CallOutcome, TriedMember, text::one_line, time::span};

impl CallOutcome {
    /// Returns the walk of the chain that led to this outcome; `None` if there was none: the
    /// credential is no chain, the chain still held a token of the member that answered last, or
    /// the subject does not say which members it asked.
    pub fn walk(&self) -> Option<&[TriedMember]> {
        let (tried, credential) = match self {
            Self::GaveUp {} => return None,
            Self::Token {
                tried, credential, ..
            } => (tried, Some(credential)),
            Self::Error { tried, .. } => (tried, None),
        };
        // The record of a chain that holds a token names its holder alone. So does that of a walk
        // whose first member answers: no member was passed over then.
        let is_nothing_new = match tried.as_slice() {
            [] => true,
            [one] => one.answered() && Some(&one.credential) == credential,
            _ => false,
        };
        (!is_nothing_new).then_some(tried)
    }

    /// The walk as the end of a sentence about the outcome, empty without one. The error of a walk
    /// in which no member answered lists the members itself.
    pub(super) fn walk_in_words(&self) -> String {
        let walk = self.walk().unwrap_or_default();
        let is_told = match self {
            Self::Token { .. } | Self::GaveUp {} => false,
            Self::Error { .. } => !walk.iter().any(TriedMember::answered),
        };
        if walk.is_empty() || is_told {
            return String::new();
        }
        let members: Vec<String> = walk.iter().map(TriedMember::in_words).collect();
        format!("; walk: {}", members.join(", "))
    }
}

impl TriedMember {
    fn answered(&self) -> bool {
        self.outcome == "answered"
    }

    /// `ManagedIdentityCredential passed over after 1s (unavailable: IMDS did not answer)`.
    fn in_words(&self) -> String {
        let mut text = format!("{} {}", self.credential, self.outcome.replace('-', " "));
        if !self.took.is_zero() {
            text += &format!(" after {}", span(self.took));
        }
        if !self.why.is_empty() {
            text += &format!(" ({})", one_line(&self.why));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use jiff::Timestamp;

    use super::super::{Event, Kind, fingerprint, fold, line};
    use super::*;

    fn member(credential: &str, outcome: &str, seconds: u64, why: &str) -> TriedMember {
        TriedMember {
            credential: credential.to_owned(),
            took: Duration::from_secs(seconds),
            outcome: outcome.to_owned(),
            why: why.to_owned(),
        }
    }

    fn walked() -> Vec<TriedMember> {
        vec![
            member("Environment", "passed-over", 0, "unavailable: not\n  set"),
            member("ManagedIdentity", "passed-over", 1, "unavailable: silent"),
            member("AzureCli", "answered", 2, ""),
        ]
    }

    fn token_of(credential: &str, tried: Vec<TriedMember>) -> CallOutcome {
        CallOutcome::Token {
            token: fingerprint("t"),
            credential: credential.to_owned(),
            principal: None,
            user: None,
            expires_on: Timestamp::UNIX_EPOCH,
            refresh_on: None,
            tried,
        }
    }

    fn error(tried: Vec<TriedMember>) -> CallOutcome {
        CallOutcome::Error {
            error: "failed".to_owned(),
            credential: "Chain".to_owned(),
            message: "no".to_owned(),
            retry_at: None,
            tried,
        }
    }

    fn ended(call: u64, outcome: CallOutcome) -> Event {
        Event {
            at: Duration::from_secs(call),
            kind: Kind::CallEnded {
                call,
                step: 1,
                instance: 1,
                waited: Duration::from_secs(3),
                host_time: Timestamp::UNIX_EPOCH,
                outcome: Arc::new(outcome),
            },
        }
    }

    #[test]
    fn the_line_of_an_answer_says_who_was_passed_over_and_why() {
        let line = line(&ended(1, token_of("AzureCli", walked())));
        assert!(
            line.ends_with(
                " of AzureCli after 3s; walk: Environment passed over (unavailable: not set), \
                 ManagedIdentity passed over after 1s (unavailable: silent), \
                 AzureCli answered after 2s"
            ),
            "{line}"
        );
    }

    #[test]
    fn who_answered_without_a_walk_is_named_once() {
        for tried in [vec![], vec![member("AzureCli", "answered", 0, "")]] {
            let line = line(&ended(1, token_of("AzureCli", tried)));
            assert!(line.ends_with("of AzureCli after 3s"), "{line}");
        }
    }

    #[test]
    fn an_answer_that_was_not_handed_out_is_told() {
        let refused = vec![member("ManagedIdentity", "answered", 0, "")];
        let shown = line(&ended(1, token_of("AzureCli", refused)));
        assert!(
            shown.ends_with("; walk: ManagedIdentity answered"),
            "{shown}"
        );
        let shown = line(&ended(1, error(walked())));
        assert!(shown.ends_with("AzureCli answered after 2s"), "{shown}");
        // What the message says already.
        let shown = line(&ended(1, error(walked()[..2].to_vec())));
        assert!(shown.ends_with("fails (failed): no after 3s"), "{shown}");
    }

    #[test]
    fn walks_that_are_alike_are_folded() {
        let events: Vec<Event> = (1..=9)
            .map(|call| ended(call, token_of("AzureCli", walked())))
            .collect();
        let lines = fold(&events.iter().collect::<Vec<_>>());
        assert_eq!(lines.len(), 2, "{lines:?}");
    }
}
