//! Requests for tokens.

use std::{fmt, time::Duration};

use crate::cache::fast_path::{Asked, Memo};

/// Describes the token that a caller wants: its scopes, and options such as the tenant.
///
/// ```
/// use credsim_identity::TokenRequest;
/// let request = TokenRequest::new(["https://vault.azure.net/.default"]);
/// let request = request.with_tenant("contoso.example");
/// assert_eq!(request.scopes(), ["https://vault.azure.net/.default"]);
/// ```
///
/// A request remembers the cache entry of its answer, so a request that is made once and reused is
/// answered faster than a new one.
#[derive(Clone)]
pub struct TokenRequest {
    scopes: Vec<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) claims: Option<String>,
    pub(crate) cae: bool,
    pub(crate) force_refresh: bool,
    pub(crate) min_remaining: Duration,
    /// Whether a chain asks, which compares and reports identities itself.
    pub(crate) within_chain: bool,
    /// Must be emptied by each method that changes which token is requested.
    pub(crate) memo: Memo,
}

/// The default of [`TokenRequest::with_min_remaining`]: 30 s (PR-22).
pub const DEFAULT_MIN_REMAINING: Duration = Duration::from_secs(30);

impl TokenRequest {
    /// Creates a request for `scopes`, which are sent in this order. Caches compare them as a
    /// case-sensitive set (PR-26).
    pub fn new<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            tenant: None,
            claims: None,
            cae: false,
            force_refresh: false,
            min_remaining: DEFAULT_MIN_REMAINING,
            within_chain: false,
            memo: Memo::default(),
        }
    }

    /// Requests the token in this tenant (id or domain name) instead of the credential's own.
    #[must_use]
    pub fn with_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self.memo = Memo::default();
        self
    }

    /// Passes on the claims of a challenge, as decoded JSON. The cached token is bypassed once, and
    /// the new one replaces it. Default: none (PR-26).
    #[must_use]
    pub fn with_claims(mut self, claims: impl Into<String>) -> Self {
        self.claims = Some(claims.into());
        self.memo = Memo::default();
        self
    }

    /// Declares whether the caller handles continuous access evaluation (CAE). Default: `false`.
    #[must_use]
    pub fn with_cae(mut self, enabled: bool) -> Self {
        self.cae = enabled;
        self.memo = Memo::default();
        self
    }

    /// Sets how long a cached token must still be valid to be returned at once; with less, the call
    /// waits for a new token. If none comes, the cached one is returned while it is valid. Default:
    /// 30 s (PR-22).
    #[must_use]
    pub fn with_min_remaining(mut self, least: Duration) -> Self {
        self.min_remaining = least;
        self
    }

    /// Asks the source although the cache holds a valid token: the call returns what the source
    /// answers, or its error. The cache keeps the new token. A request for the same token that is
    /// in flight is shared, and a `Retry-After` of the service is respected. A source may have a
    /// cache of its own and return the same token again. Default: `false` (PR-12, PR-24, PR-25,
    /// RD-29).
    #[must_use]
    pub fn with_force_refresh(mut self, force: bool) -> Self {
        self.force_refresh = force;
        self
    }

    /// Returns the tenant to ask in; `None` for the credential's own.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Returns the claims of a challenge, as decoded JSON.
    pub fn claims(&self) -> Option<&str> {
        self.claims.as_deref()
    }

    /// Returns whether the caller handles continuous access evaluation.
    pub fn cae(&self) -> bool {
        self.cae
    }

    /// Returns whether the source is asked although the cache holds a valid token.
    #[inline]
    pub fn force_refresh(&self) -> bool {
        self.force_refresh
    }

    /// Returns how long a cached token must still be valid to be returned at once.
    #[inline]
    pub fn min_remaining(&self) -> Duration {
        self.min_remaining
    }

    /// Returns the scopes as given.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The same request as a chain asks it of a member.
    pub(crate) fn within_chain(&self) -> Self {
        Self {
            within_chain: true,
            ..self.clone()
        }
    }

    /// What is asked, word for word.
    pub(crate) fn asked(&self) -> Asked<'_, String> {
        Asked {
            scopes: &self.scopes,
            tenant: self.tenant.as_deref(),
            claims: self.claims.as_deref(),
            cae: self.cae,
            user: None,
        }
    }
}

impl PartialEq for TokenRequest {
    fn eq(&self, other: &Self) -> bool {
        self.scopes == other.scopes
            && self.tenant == other.tenant
            && self.claims == other.claims
            && self.cae == other.cae
            && self.force_refresh == other.force_refresh
            && self.min_remaining == other.min_remaining
    }
}
impl Eq for TokenRequest {}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("scopes", &self.scopes)
            .field("tenant", &self.tenant)
            .field("claims", &self.claims)
            .field("cae", &self.cae)
            .field("force_refresh", &self.force_refresh)
            .field("min_remaining", &self.min_remaining)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pr_22_thirty_seconds_unless_said_otherwise() {
        let request = TokenRequest::new(["a"]);
        assert_eq!(request.min_remaining(), Duration::from_secs(30));
        assert_eq!(
            request.with_min_remaining(Duration::ZERO).min_remaining(),
            Duration::ZERO
        );
    }

    /// What was learnt of the answer is no part of a request.
    #[test]
    fn requests_are_equal_if_they_ask_for_the_same() {
        let request = || TokenRequest::new(["a", "b"]);
        assert_eq!(request(), request());
        for other in [
            TokenRequest::new(["a"]),
            TokenRequest::new(["b", "a"]),
            request().with_tenant("t"),
            request().with_claims("{}"),
            request().with_cae(true),
            request().with_force_refresh(true),
            request().with_min_remaining(Duration::ZERO),
        ] {
            assert_ne!(request(), other);
            assert_eq!(other, other.clone());
            assert_ne!(format!("{:?}", request()), format!("{other:?}"));
        }
    }
}
