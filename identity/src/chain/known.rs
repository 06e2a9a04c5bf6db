//! The identities of a chain's answers, by tenant (PR-04).

use std::{borrow::Borrow, collections::BTreeMap};

use crate::{AccessToken, TokenRequest, cache::DEFAULT_CAPACITY};

use super::Identity;

/// The last identity in each tenant. A user has another object id in each tenant, so only
/// principals of the same tenant are compared. Neither the request nor the token alone determines
/// the tenant: a managed identity ignores the tenant of a request, and a tool may have been signed
/// in to another tenant since.
#[derive(Default)]
pub(super) struct Known {
    /// By the tenant of the request.
    asked: BTreeMap<Option<String>, Identity>,
    /// By the tenant of the token.
    own: BTreeMap<String, Identity>,
}

impl Known {
    /// Returns the previous identity if `token` has another one.
    pub(super) fn other_than(
        &self,
        request: &TokenRequest,
        token: &AccessToken,
    ) -> Option<&Identity> {
        let by = |known: &Identity| known.credential == token.answered_by();
        let asked = self.asked.get(&request.tenant);
        let asked = asked.filter(|known| !by(known) || differ(known, token));
        // A change of the credential was found at its first answer, in any tenant.
        let own = || self.own.get(own_tenant(token)?);
        asked.or_else(|| own().filter(|known| by(known) && differ(known, token)))
    }

    /// Returns whether an answer with the same identity needs no update.
    pub(super) fn has(&self, request: &TokenRequest, token: &AccessToken) -> bool {
        let asked = self.asked.get(&request.tenant);
        asked.is_some_and(|known| known.principal.is_some() || token.principal().is_none())
            && own_tenant(token).is_none_or(|tenant| self.own.contains_key(tenant))
    }

    pub(super) fn remember(&mut self, request: &TokenRequest, token: &AccessToken) {
        let identity = Identity::of(token);
        if let Some(tenant) = own_tenant(token) {
            make_room(&mut self.own, tenant);
            self.own.insert(tenant.to_owned(), identity.clone());
        }
        make_room(&mut self.asked, &request.tenant);
        self.asked.insert(request.tenant.clone(), identity);
    }
}

/// Removes another tenant if there are too many (PR-29), but never the entry of requests without a
/// tenant, which is the first in order.
fn make_room<K: Ord + Borrow<Q>, Q: Ord + ?Sized>(known: &mut BTreeMap<K, Identity>, tenant: &Q) {
    if known.len() >= DEFAULT_CAPACITY && !known.contains_key(tenant) {
        known.pop_last();
    }
}

fn own_tenant(token: &AccessToken) -> Option<&str> {
    token.principal()?.tenant_id.as_deref()
}

/// Returns whether `token` has another principal than `known`. An opaque token never has.
fn differ(known: &Identity, token: &AccessToken) -> bool {
    let principals = known.principal.as_ref().zip(token.principal());
    principals.is_some_and(|(known, principal)| !known.is_same_as(principal))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use jiff::Timestamp;

    use super::*;

    fn token(oid: &str, tenant: &str) -> AccessToken {
        let claims = format!(r#"{{"oid":"{oid}","tid":"{tenant}"}}"#);
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        AccessToken::new(format!("e30.{claims}.c2ln"), Timestamp::UNIX_EPOCH, "Test")
    }

    #[test]
    fn pr_04_an_answer_that_says_more_than_what_is_known_is_something_new() {
        let plain = TokenRequest::new(["scope"]);
        let opaque = AccessToken::new("opaque".to_owned(), Timestamp::UNIX_EPOCH, "Test");
        let mut known = Known::default();
        assert!(!known.has(&plain, &opaque));
        known.remember(&plain, &opaque);
        assert!(known.has(&plain, &opaque));
        assert!(!known.has(&plain, &token("a", "home")));
        assert!(known.other_than(&plain, &token("a", "home")).is_none());
        known.remember(&plain, &token("a", "home"));
        assert!(known.has(&plain, &token("a", "home")) && known.has(&plain, &opaque));
        assert!(!known.has(&plain, &token("a", "other")));
        assert!(!known.has(&plain.clone().with_tenant("home"), &opaque));
        assert!(known.other_than(&plain, &token("b", "home")).is_some());
    }

    #[test]
    fn pr_29_it_is_bounded_and_keeps_the_tenant_of_requests_without_one() {
        let mut known = Known::default();
        let plain = TokenRequest::new(["scope"]);
        known.remember(&plain, &token("a", "home"));
        for tenant in 0..=DEFAULT_CAPACITY {
            let tenant = tenant.to_string();
            known.remember(&plain.clone().with_tenant(&tenant), &token("a", &tenant));
        }
        assert_eq!(known.asked.len(), DEFAULT_CAPACITY);
        assert_eq!(known.own.len(), DEFAULT_CAPACITY);
        assert!(known.other_than(&plain, &token("b", "home")).is_some());
        let last = DEFAULT_CAPACITY.to_string();
        assert!(known.has(&plain.with_tenant(&last), &token("a", &last)));
    }
}
