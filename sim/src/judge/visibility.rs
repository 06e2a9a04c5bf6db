//! What can be seen of a run. A subject inside this process hides nothing; of another process
//! only what it tells, and what reaches the services.

/// A side of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What callers got, and how long they waited.
    Calls,
    /// Requests as the client makes them: when each was sent, answered and over.
    Attempts,
    /// What the credential reports: changes of identity, warnings.
    Reports,
    /// Who of a chain was tried, and which credential answered, by name.
    Walks,
    /// When an error says to come back, and what is left after dispose.
    Details,
    /// Errors by kind (PR-01).
    Kinds,
    /// Errors in the words of our library; another one has its own.
    Words,
}

impl Side {
    /// Why nothing can be said without it.
    fn unseen(self) -> &'static str {
        match self {
            Self::Calls => "callers are outside this process",
            Self::Attempts => "requests are seen where they arrive, not where they are made",
            Self::Reports => "what the credential reports is not heard here",
            Self::Walks => "which credentials were tried and which one answered is not told",
            Self::Details => "what an error or a credential holds is not told in full",
            Self::Kinds => "its errors are all of one kind, whatever went wrong",
            Self::Words => "the words are those of our library, and this one has its own",
        }
    }
}

/// Which sides of a run can be seen. What arrives at the services always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// [`Side::Calls`].
    pub calls: bool,
    /// [`Side::Attempts`].
    pub attempts: bool,
    /// [`Side::Reports`].
    pub reports: bool,
    /// [`Side::Walks`].
    pub walks: bool,
    /// [`Side::Details`].
    pub details: bool,
    /// [`Side::Kinds`].
    pub kinds: bool,
    /// [`Side::Words`].
    pub words: bool,
}

impl Sight {
    /// Of a subject inside this process: every side.
    pub fn everything() -> Self {
        Self {
            calls: true,
            attempts: true,
            reports: true,
            walks: true,
            details: true,
            kinds: true,
            words: true,
        }
    }

    /// Of a driver around an SDK: what callers got, with the kinds of errors, and what the
    /// credential reports.
    pub fn of_a_driver() -> Self {
        Self {
            calls: true,
            reports: true,
            kinds: true,
            ..Self::endpoints_only()
        }
    }

    /// Of any application: nothing but what the services saw.
    pub fn endpoints_only() -> Self {
        Self {
            calls: false,
            attempts: false,
            reports: false,
            walks: false,
            details: false,
            kinds: false,
            words: false,
        }
    }

    /// Whether a side can be seen.
    pub fn sees(self, side: Side) -> bool {
        match side {
            Side::Calls => self.calls,
            Side::Attempts => self.attempts,
            Side::Reports => self.reports,
            Side::Walks => self.walks,
            Side::Details => self.details,
            Side::Kinds => self.kinds,
            Side::Words => self.words,
        }
    }

    /// Why something that needs these sides can't be judged; none if all of them are in sight.
    pub fn lacks(self, needs: &[Side]) -> Option<&'static str> {
        let unseen = needs.iter().find(|side| !self.sees(**side));
        unseen.map(|side| side.unseen())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Side; 7] = [
        Side::Calls,
        Side::Attempts,
        Side::Reports,
        Side::Walks,
        Side::Details,
        Side::Kinds,
        Side::Words,
    ];

    #[test]
    fn each_sight_sees_its_sides_and_says_what_it_lacks() {
        let seen = |sight: Sight| ALL.map(|side| sight.sees(side));
        assert_eq!(seen(Sight::everything()), [true; 7]);
        assert_eq!(
            seen(Sight::of_a_driver()),
            [true, false, true, false, false, true, false]
        );
        assert_eq!(seen(Sight::endpoints_only()), [false; 7]);
        assert_eq!(Sight::everything().lacks(&ALL), None);
        assert_eq!(
            Sight::of_a_driver().lacks(&[Side::Calls, Side::Walks]),
            Some(Side::Walks.unseen())
        );
        assert_eq!(Sight::endpoints_only().lacks(&[]), None);
    }
}
