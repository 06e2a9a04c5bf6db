//! What is shown: the tokens of caches, and what chains say about them.

use std::{fmt, sync::Arc};

use arc_swap::Guard;
use jiff::Timestamp;

use super::terms::Terms;
use crate::{AccessToken, Principal, chain::ChainRecord, token::TokenMark};

/// A token as a cache shows it.
pub(crate) struct Lent {
    pub(crate) token: AccessToken,
    pub(crate) terms: Terms,
}

impl Lent {
    pub(crate) fn nothing() -> Self {
        Self {
            token: AccessToken::new(String::new(), Timestamp::UNIX_EPOCH, ""),
            terms: Terms::NOTHING,
        }
    }
}

/// What a chain says about a token that its answerer holds. It keeps no token.
pub(crate) struct Approved {
    /// The answerer.
    pub(crate) member: usize,
    pub(crate) token: TokenMark,
    /// Until when it need not look for a better source.
    pub(crate) terms: Terms,
    pub(crate) record: Arc<ChainRecord>,
}

impl Approved {
    pub(crate) fn nothing() -> Self {
        Self {
            member: usize::MAX,
            token: TokenMark::default(),
            terms: Terms::NOTHING,
            record: Arc::new(ChainRecord {
                chain: String::new(),
                tried: Vec::new(),
                change: None,
            }),
        }
    }
}

/// An access token on loan from a cache, or one of its own: what
/// [`token`](crate::TokenCredential::token) answers. Holding one costs nobody anything; a task that
/// keeps the token for long should hold an [`AccessToken`] instead.
pub struct TokenRef {
    token: Held,
    chain: Option<Guard<Arc<Approved>>>,
}

enum Held {
    Lent(Guard<Arc<Lent>>),
    Own(AccessToken),
}

impl TokenRef {
    pub(super) fn lent(lent: Guard<Arc<Lent>>) -> Self {
        Self {
            token: Held::Lent(lent),
            chain: None,
        }
    }

    pub(super) fn approved(self, approved: Guard<Arc<Approved>>) -> Self {
        Self {
            chain: Some(approved),
            ..self
        }
    }

    pub(super) fn is(&self, mark: &TokenMark) -> bool {
        self.token().is_marked(mark)
    }

    fn token(&self) -> &AccessToken {
        match &self.token {
            Held::Lent(lent) => &lent.token,
            Held::Own(token) => token,
        }
    }

    /// The token itself, for the `Authorization` header and nothing else.
    pub fn secret(&self) -> &str {
        self.token().secret()
    }

    /// See [`AccessToken::expires_on`].
    pub fn expires_on(&self) -> Timestamp {
        self.token().expires_on()
    }

    /// See [`AccessToken::refresh_on`].
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.token().refresh_on()
    }

    /// See [`AccessToken::answered_by`].
    pub fn answered_by(&self) -> &str {
        self.token().answered_by()
    }

    /// See [`AccessToken::principal`].
    pub fn principal(&self) -> Option<&Principal> {
        self.token().principal()
    }

    /// See [`AccessToken::chain`].
    pub fn chain(&self) -> Option<&Arc<ChainRecord>> {
        match &self.chain {
            Some(approved) => Some(&approved.record),
            None => self.token().chain(),
        }
    }

    /// The token, to keep.
    pub fn into_token(self) -> AccessToken {
        let record = self.chain.map(|approved| Arc::clone(&approved.record));
        let token = match self.token {
            Held::Lent(lent) => lent.token.clone(),
            Held::Own(token) => token,
        };
        match record {
            Some(record) => token.with_chain(record),
            None => token,
        }
    }
}

impl From<AccessToken> for TokenRef {
    fn from(token: AccessToken) -> Self {
        Self {
            token: Held::Own(token),
            chain: None,
        }
    }
}

impl From<TokenRef> for AccessToken {
    fn from(token: TokenRef) -> Self {
        token.into_token()
    }
}

impl fmt::Debug for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.token().fmt(f)
    }
}
