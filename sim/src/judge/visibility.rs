//! What can be seen of a run. A subject inside this process hides nothing; of another process
//! only what it tells, and what reaches the services.

/// An aspect of a run that a subject may or may not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// What callers got, and how long they waited.
    Calls,
    /// Requests as the client makes them: when each was sent, answered and over.
    Attempts,
    /// What the credential reports: changes of identity, warnings.
    Reports,
    /// Which members of a chain were tried, and which credential answered, by name.
    Walks,
    /// When an error says to come back, and what is left after dispose.
    Details,
    /// Errors by kind (PR-01).
    Kinds,
    /// Errors in the words of our library; another one has its own.
    Words,
}

impl Aspect {
    /// Why nothing can be said without it.
    fn unseen(self) -> &'static str {
        match self {
            Self::Calls => "callers are outside this process",
            Self::Attempts => "requests are seen where they arrive, not where they are made",
            Self::Reports => "what the credential reports cannot be seen",
            Self::Walks => "which credentials were tried and which one answered cannot be seen",
            Self::Details => "errors and credentials are not shown in full",
            Self::Kinds => "its errors are all of one kind, whatever went wrong",
            Self::Words => "the words are those of our library, and this one has its own",
        }
    }
}

/// Which aspects of a run can be seen. What arrives at the services always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// [`Aspect::Calls`].
    pub calls: bool,
    /// [`Aspect::Attempts`].
    pub attempts: bool,
    /// [`Aspect::Reports`].
    pub reports: bool,
    /// [`Aspect::Walks`].
    pub walks: bool,
    /// [`Aspect::Details`].
    pub details: bool,
    /// [`Aspect::Kinds`].
    pub kinds: bool,
    /// [`Aspect::Words`].
    pub words: bool,
}

impl Visibility {
    /// Of a subject inside this process: every aspect.
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

    /// Whether an aspect can be seen.
    pub fn sees(self, aspect: Aspect) -> bool {
        match aspect {
            Aspect::Calls => self.calls,
            Aspect::Attempts => self.attempts,
            Aspect::Reports => self.reports,
            Aspect::Walks => self.walks,
            Aspect::Details => self.details,
            Aspect::Kinds => self.kinds,
            Aspect::Words => self.words,
        }
    }

    /// Why something that needs these aspects can't be judged; none if all of them can be seen.
    pub fn lacks(self, needs: &[Aspect]) -> Option<&'static str> {
        let unseen = needs.iter().find(|aspect| !self.sees(**aspect));
        unseen.map(|aspect| aspect.unseen())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Aspect; 7] = [
        Aspect::Calls,
        Aspect::Attempts,
        Aspect::Reports,
        Aspect::Walks,
        Aspect::Details,
        Aspect::Kinds,
        Aspect::Words,
    ];

    #[test]
    fn each_visibility_sees_its_aspects_and_says_what_it_lacks() {
        let seen = |visibility: Visibility| ALL.map(|aspect| visibility.sees(aspect));
        assert_eq!(seen(Visibility::everything()), [true; 7]);
        assert_eq!(
            seen(Visibility::of_a_driver()),
            [true, false, true, false, false, true, false]
        );
        assert_eq!(seen(Visibility::endpoints_only()), [false; 7]);
        assert_eq!(Visibility::everything().lacks(&ALL), None);
        assert_eq!(
            Visibility::of_a_driver().lacks(&[Aspect::Calls, Aspect::Walks]),
            Some(Aspect::Walks.unseen())
        );
        assert_eq!(Visibility::endpoints_only().lacks(&[]), None);
    }
}
