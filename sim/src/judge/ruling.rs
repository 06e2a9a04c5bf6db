//! What one expectation or invariant finds in a run.

use super::{Evidence, Finding, Judgement};

/// Whether an expectation or an invariant holds in a run, and what was found. What was expected is
/// said once, by the expectation's `describe` or by the invariant's
/// sentence; both together are a [`Finding`].
#[derive(Clone, Debug)]
pub struct Ruling {
    outcome: Judgement,
    found: String,
    evidence: Evidence,
    seed: Option<u64>,
}

impl Ruling {
    /// It holds: what was found.
    pub fn holds(found: impl Into<String>) -> Self {
        Self {
            outcome: Judgement::Holds,
            found: found.into(),
            evidence: Evidence::none(),
            seed: None,
        }
    }

    /// It does not hold: what was found, and the lines that show it.
    pub fn fails(found: impl Into<String>, evidence: Evidence) -> Self {
        Self {
            outcome: Judgement::Fails,
            found: found.into(),
            evidence,
            seed: None,
        }
    }

    /// It can't be judged, for this reason.
    pub fn not_observed(reason: impl Into<String>) -> Self {
        Self {
            outcome: Judgement::NotObserved {
                reason: reason.into(),
            },
            found: String::new(),
            evidence: Evidence::none(),
            seed: None,
        }
    }

    /// Whether it holds.
    pub fn is_held(&self) -> bool {
        self.outcome == Judgement::Holds
    }

    /// Whether it fails.
    pub fn is_failure(&self) -> bool {
        self.outcome == Judgement::Fails
    }

    /// For a check of which a part can't be seen: what can be seen may fail, but it can't hold.
    #[must_use]
    pub fn unless_unseen(self, reason: Option<&str>) -> Self {
        match reason.filter(|_| self.is_held()) {
            Some(reason) => Self::not_observed(reason),
            None => self,
        }
    }

    /// The same; if it fails, it says which seed shows that.
    #[must_use]
    pub(crate) fn of_seed(self, seed: u64) -> Self {
        let seed = self.is_failure().then_some(seed);
        Self { seed, ..self }
    }

    /// The same; the first of the seeds that count against it can be played alone.
    #[must_use]
    pub(crate) fn of_first_seed(self, seed: Option<u64>) -> Self {
        Self { seed, ..self }
    }

    /// Of the rulings on several runs, the first that fails, else the first that is not observed,
    /// else the last.
    pub(crate) fn worst(rulings: impl Iterator<Item = Self>) -> Option<Self> {
        let mut worst: Option<Self> = None;
        for ruling in rulings {
            if ruling.is_failure() {
                return Some(ruling);
            }
            if worst.as_ref().is_none_or(Self::is_held) {
                worst = Some(ruling);
            }
        }
        worst
    }

    /// The finding of what is called `name` and expects `expected`.
    pub(crate) fn into_finding(self, name: &str, expected: impl Into<String>) -> Finding {
        Finding {
            seed: self.seed,
            evidence: self.evidence.lines(),
            ..Finding::new(name, self.outcome, self.found, expected)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_runs_the_worst_counts() {
        let held = || Ruling::holds("held");
        let unseen = || Ruling::not_observed("unseen");
        let failed = || Ruling::fails("failed", Evidence::none());
        let found = |rulings: Vec<Ruling>| {
            let worst = Ruling::worst(rulings.into_iter())?;
            Some(worst.into_finding("name", "expected").outcome)
        };
        let reason = "unseen".to_owned();
        assert_eq!(
            found(vec![unseen(), held(), failed()]),
            Some(Judgement::Fails)
        );
        assert_eq!(
            found(vec![held(), unseen(), held()]),
            Some(Judgement::NotObserved { reason })
        );
        assert_eq!(found(vec![held(), held()]), Some(Judgement::Holds));
        assert_eq!(found(vec![]), None);
    }
}
