//! The keys of cached tokens.

use crate::TokenRequest;

/// The key of a token in a cache. Scopes are compared as a case-sensitive set (PR-26).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CacheKey {
    // The field that differs most comes first, because keys are compared field by field.
    /// Sorted, each once: a set in one piece of memory, which compares faster than a tree.
    scopes: Box<[String]>,
    tenant: String,
    client: String,
    account: String,
    authority: String,
    /// The SHA-256 of the assertion of the user, for credentials that act for users.
    user_assertion: Option<[u8; 32]>,
    claims: Option<String>,
    cae: bool,
}

impl CacheKey {
    /// Creates a key from the scopes, tenant, claims and CAE of `request`. Everything else is
    /// empty, and so is the tenant if the request names none.
    pub fn of(request: &TokenRequest) -> Self {
        let mut scopes = request.scopes().to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        Self {
            scopes: scopes.into_boxed_slice(),
            tenant: request.tenant.clone().unwrap_or_default(),
            client: String::new(),
            account: String::new(),
            authority: String::new(),
            user_assertion: None,
            claims: request.claims.clone(),
            cae: request.cae,
        }
    }

    /// Sets the tenant that is asked, whether or not the request names it.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// Sets the client (application) id.
    #[must_use]
    pub fn client(mut self, client: impl Into<String>) -> Self {
        self.client = client.into();
        self
    }

    /// Sets the account, for tokens of users.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Sets the authority, such as `https://login.microsoftonline.com`.
    #[must_use]
    pub fn authority(mut self, authority: impl Into<String>) -> Self {
        self.authority = authority.into();
        self
    }

    /// Sets the user that the application acts for, by the SHA-256 of the user's assertion.
    #[must_use]
    pub fn user_assertion(mut self, hash: &[u8; 32]) -> Self {
        self.user_assertion = Some(*hash);
        self
    }

    /// Returns the client (application) id; empty if there is none.
    pub(crate) fn client_id(&self) -> &str {
        &self.client
    }

    /// Replaces scopes and tenant by `resource`, for sources that know neither: all spellings of
    /// one resource then share an entry.
    #[must_use]
    pub(crate) fn resource(mut self, resource: &str) -> Self {
        self.scopes = Box::new([resource.to_owned()]);
        self.tenant.clear();
        self
    }

    /// Returns the key for the same request without claims; `None` if this has no claims.
    pub(crate) fn without_claims(&self) -> Option<Self> {
        self.claims.is_some().then(|| Self {
            claims: None,
            ..self.clone()
        })
    }

    /// Returns the scopes, for logs and for the purposes of random draws.
    pub(super) fn scopes(&self) -> String {
        self.scopes.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pr_26_everything_separates() {
        let request = TokenRequest::new(["a"]);
        let plain = CacheKey::of(&request);
        let all = [
            plain.clone(),
            plain.clone().tenant("t"),
            plain.clone().client("t"),
            plain.clone().account("t"),
            plain.clone().authority("t"),
            plain.clone().user_assertion(&[0; 32]),
            plain.clone().user_assertion(&[1; 32]),
            CacheKey::of(&request.clone().with_claims("t")),
            CacheKey::of(&request.clone().with_cae(true)),
            CacheKey::of(&TokenRequest::new(["A"])),
            CacheKey::of(&TokenRequest::new(["a", "b"])),
        ];
        assert_eq!(BTreeSet::from(all.clone()).len(), all.len());
        assert_eq!(CacheKey::of(&request.with_tenant("t")), plain.tenant("t"));
    }

    #[test]
    fn pr_26_only_claims_have_a_key_without_claims() {
        let request = TokenRequest::new(["a"]).with_cae(true);
        let plain = CacheKey::of(&request);
        assert_eq!(plain.without_claims(), None);
        assert_eq!(
            CacheKey::of(&request.with_claims("{}")).without_claims(),
            Some(plain)
        );
    }

    /// Each key has random draws of its own, and all spellings of one share them.
    #[test]
    fn the_scopes_are_listed_once_and_in_order() {
        let key = CacheKey::of(&TokenRequest::new(["b", "a", "b"]));
        assert_eq!(key.scopes(), "a b");
    }

    proptest! {
        #[test]
        fn pr_26_scopes_are_a_set(scopes in proptest::collection::vec("[abAB]{1,2}", 1..6)) {
            let mut turned: Vec<_> = scopes.iter().rev().cloned().collect();
            turned.extend(scopes.clone());
            let keys = [scopes, turned].map(|s| CacheKey::of(&TokenRequest::new(s)));
            prop_assert_eq!(&keys[0], &keys[1]);
        }
    }
}
