//! What a chain says about itself: who was tried, how long it took, why each was passed over, and
//! whether the identity changed (PR-04).

use std::{fmt, sync::Arc, time::Duration};

use crate::{AccessToken, Error, Principal};

/// One walk of a chain, from its first member to the one that answered or stopped it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChainRecord {
    /// The chain, such as `DefaultAzureCredential`.
    pub chain: String,
    /// Its members in the order in which they were tried.
    pub tried: Vec<Tried>,
    /// What changed against the chain's previous answer, if anything did.
    pub change: Option<IdentityChange>,
}

/// One member of a chain in one walk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tried {
    /// The member, such as `ManagedIdentityCredential`.
    pub credential: String,
    /// How long it took to answer or to fail.
    pub took: Duration,
    /// What it did.
    pub outcome: Outcome,
}

impl Tried {
    /// For a member that still held a token.
    pub(super) fn held(member: &str) -> Self {
        Self {
            credential: member.to_owned(),
            took: Duration::ZERO,
            outcome: Outcome::Answered,
        }
    }

    pub(crate) fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Answered => None,
            Outcome::PassedOver(error) | Outcome::Stopped(error) => Some(error),
        }
    }
}

/// What a member of a chain did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It gave the token.
    Answered,
    /// It failed, and the chain went on.
    PassedOver(Error),
    /// It failed, and the chain ended there.
    Stopped(Error),
}

/// Who answers: a credential, and as whom its tokens act.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The credential, such as `AzureCliCredential`.
    pub credential: String,
    /// As whom; `None` for opaque tokens.
    pub principal: Option<Principal>,
}

impl Identity {
    /// The identity that the credential called `credential` answers as.
    pub fn new(credential: impl Into<String>, principal: Option<Principal>) -> Self {
        Self {
            credential: credential.into(),
            principal,
        }
    }

    /// The identity that `token` stands for.
    pub fn of(token: &AccessToken) -> Self {
        Self {
            credential: token.answered_by().to_owned(),
            principal: token.principal().cloned(),
        }
    }
}

impl Identity {
    /// Whether both act as the same principal. Of opaque tokens nothing is known, so they are the
    /// same as each other only.
    pub(crate) fn has_principal_of(&self, other: &Self) -> bool {
        match (&self.principal, &other.principal) {
            (Some(one), Some(other)) => one.is_same_as(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Whether the same credential answers as the same principal.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.credential == other.credential && self.has_principal_of(other)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.principal {
            Some(principal) => write!(f, "{} as {principal}", self.credential),
            None => write!(f, "{}", self.credential),
        }
    }
}

/// The identity is not the one that answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityChange {
    /// Who answered until now.
    pub from: Identity,
    /// Who answered this time.
    pub to: Identity,
    /// Whether the change was refused: then no token of `to` was handed out.
    pub refused: bool,
}

impl IdentityChange {
    /// A change that was handed out (`refused: false`) or not.
    pub fn new(from: Identity, to: Identity, refused: bool) -> Self {
        Self { from, to, refused }
    }

    /// Warns of it, and tells the observer of the credential called `credential`. Within a chain,
    /// the chain is who warns.
    pub(crate) fn report(
        &self,
        credential: &str,
        within_chain: bool,
        observer: Option<&dyn Observer>,
    ) {
        let Self { from, to, .. } = self;
        if within_chain {
            tracing::debug!(credential, %from, %to, "identity changed");
        } else {
            tracing::warn!(credential, %from, %to, "identity changed");
        }
        if let Some(observer) = observer {
            observer.identity_changed(self);
        }
    }
}

/// Told about what a credential decides. Called synchronously, before the token is handed out, so
/// it must not block.
pub trait Observer: Send + Sync + 'static {
    /// A chain walked and somebody answered: for a caller or, in search of a better source than
    /// the last answerer, in the background (PR-03). If the record holds a refused change, the
    /// caller got the token that was handed out before instead.
    fn answered(&self, record: &ChainRecord) {
        let _ = record;
    }

    /// A caller of a chain got no token: it walked and nobody answered, or the change of identity
    /// was refused.
    fn failed(&self, record: &ChainRecord) {
        let _ = record;
    }

    /// The credential or the principal is not the one that answered before. A refused change is
    /// told once, until the member concerned answers as before or another walk does.
    fn identity_changed(&self, change: &IdentityChange) {
        let _ = change;
    }
}

/// No observer, or one that is shared.
pub type ObserverRef = Option<Arc<dyn Observer>>;
