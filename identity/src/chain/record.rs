//! The record of a walk: which members were tried, how long each took, why it was passed over, and
//! whether the identity changed (PR-04).

use std::{fmt, sync::Arc, time::Duration};

use crate::{AccessToken, Error, Principal};

/// One walk of a chain, from its first member to the one that answered or stopped it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChainRecord {
    /// The name of the chain, such as `DefaultAzureCredential`.
    pub chain: String,
    /// The members in the order in which they were tried.
    pub tried: Vec<Tried>,
    /// The change of identity since the chain's previous answer; `None` without one.
    pub change: Option<IdentityChange>,
}

/// The outcome of one member in one walk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tried {
    /// The name of the member, such as `ManagedIdentityCredential`.
    pub credential: String,
    /// How long the walk waited for it; zero if it was not waited for (PR-07).
    pub took: Duration,
    /// Whether it answered or failed.
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

/// The outcome of a member of a chain.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It returned the token.
    Answered,
    /// It failed, and the chain went on.
    PassedOver(Error),
    /// It failed, and the chain ended there.
    Stopped(Error),
}

/// A credential, and the principal of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The name of the credential, such as `AzureCliCredential`.
    pub credential: String,
    /// The principal; `None` for opaque tokens.
    pub principal: Option<Principal>,
}

impl Identity {
    /// Creates the identity of a credential called `credential`.
    pub fn new(credential: impl Into<String>, principal: Option<Principal>) -> Self {
        Self {
            credential: credential.into(),
            principal,
        }
    }

    /// Returns the identity of `token`.
    pub fn of(token: &AccessToken) -> Self {
        Self {
            credential: token.answered_by().to_owned(),
            principal: token.principal().cloned(),
        }
    }
}

impl Identity {
    /// Returns whether both have the same principal. The unknown principals of opaque tokens are
    /// the same as each other only.
    pub(crate) fn has_principal_of(&self, other: &Self) -> bool {
        match (&self.principal, &other.principal) {
            (Some(one), Some(other)) => one.is_same_as(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Returns whether both have the same credential and the same principal.
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

/// A change of identity: another credential or another principal than before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityChange {
    /// The previous identity.
    pub from: Identity,
    /// The new identity.
    pub to: Identity,
    /// Whether the change was refused, so that no token of `to` was returned.
    pub refused: bool,
}

impl IdentityChange {
    /// Creates a change that was accepted or refused.
    pub fn new(from: Identity, to: Identity, refused: bool) -> Self {
        Self { from, to, refused }
    }

    /// Logs a warning and notifies the observer of the credential called `credential`. Within a
    /// chain the event is at debug, because the chain logs the warning.
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

/// Is notified of the walks of a chain and of changes of identity. The methods are called
/// synchronously, before the token is returned, so they must not block. Each does nothing by
/// default.
pub trait Observer: Send + Sync + 'static {
    /// A member answered in a walk of a chain. The walk was for a caller or, to find a better
    /// source, in the background (PR-03). If the record holds a refused change, the caller got the
    /// token that was returned before.
    fn answered(&self, record: &ChainRecord) {
        let _ = record;
    }

    /// A call of a chain failed: no member answered, or the change of identity was refused.
    fn failed(&self, record: &ChainRecord) {
        let _ = record;
    }

    /// The credential or the principal has changed. A refused change is reported once, until its
    /// member answers with the previous identity again or another walk succeeds.
    fn identity_changed(&self, change: &IdentityChange) {
        let _ = change;
    }
}

/// A shared observer, or none.
pub type ObserverRef = Option<Arc<dyn Observer>>;
