//! The tokens that a chain with `FallbackPolicy::Refuse` has returned, while they are valid: they
//! are returned again after a refused change (PR-04, PR-23).

use std::collections::BTreeMap;

use crate::{
    AccessToken, TokenRequest,
    cache::{CacheKey, DEFAULT_CAPACITY, policy::Life},
    platform::Reading,
};

/// The token that was returned last, by key. The cache of its member may already hold a token of
/// another identity.
#[derive(Default)]
pub(super) struct Kept(BTreeMap<CacheKey, (AccessToken, Life)>);

impl Kept {
    /// Keeps `token`, which is returned for `request` at `now`.
    pub(super) fn keep(&mut self, request: &TokenRequest, token: &AccessToken, now: Reading) {
        let key = CacheKey::of(request);
        // A token obtained with claims replaces the entry without claims (PR-26).
        if let Some(plain) = key.without_claims() {
            self.put(plain, token, now);
        }
        self.put(key, token, now);
    }

    /// Returns the token that was returned for `request`, if it is still valid at `now`.
    pub(super) fn valid(&self, request: &TokenRequest, now: Reading) -> Option<AccessToken> {
        let (token, life) = self.0.get(&CacheKey::of(request))?;
        (!life.is_over(now)).then(|| token.clone())
    }

    fn put(&mut self, key: CacheKey, token: &AccessToken, now: Reading) {
        // The same token again keeps the life that began at its receipt.
        if self.0.get(&key).is_some_and(|(known, _)| known == token) {
            return;
        }
        let Some(life) = Life::of(token, now) else {
            return;
        };
        // Linear, but runs only when a token has just come from its source.
        self.0.retain(|_, (_, life)| !life.is_over(now));
        self.0.insert(key, (token.clone(), life));
        if self.0.len() > DEFAULT_CAPACITY {
            let ends_first = self.0.iter().min_by_key(|(_, (_, life))| life.left(now));
            if let Some(key) = ends_first.map(|(key, _)| key.clone()) {
                self.0.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::*;

    fn at(wall: i64, monotonic: u64) -> Reading {
        Reading::new(second(wall), Duration::from_secs(monotonic))
    }

    fn second(at: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(at)
    }

    fn token(secret: &str, end: i64) -> AccessToken {
        AccessToken::new(secret.to_owned(), second(end), "Test")
    }

    fn request(scope: usize) -> TokenRequest {
        TokenRequest::new([scope.to_string()])
    }

    #[test]
    fn pr_20_a_kept_token_is_valid_by_both_clocks() {
        let mut kept = Kept::default();
        kept.keep(&request(1), &token("a", 100), at(0, 0));
        // The same token again does not prolong its life.
        kept.keep(&request(1), &token("a", 100), at(0, 50));
        let valid = |wall, monotonic| kept.valid(&request(1), at(wall, monotonic)).is_some();
        assert!(valid(99, 99));
        assert!(!valid(0, 100), "the clock was set back");
        assert!(!valid(100, 0), "the host slept");
        assert!(kept.valid(&request(2), at(0, 0)).is_none());
    }

    #[test]
    fn pr_26_what_claims_brought_is_kept_for_all() {
        let mut kept = Kept::default();
        let claims = request(1).with_claims("{}");
        kept.keep(&request(1), &token("a", 100), at(0, 0));
        kept.keep(&claims, &token("b", 100), at(1, 1));
        for request in [request(1), claims] {
            assert_eq!(kept.valid(&request, at(2, 2)), Some(token("b", 100)));
        }
    }

    #[test]
    fn pr_29_it_is_bounded() {
        let mut kept = Kept::default();
        kept.keep(&request(0), &token("t", 100), at(0, 0));
        let life = Life::of(&token("t", 200), at(0, 0)).unwrap();
        for scope in 1..DEFAULT_CAPACITY {
            let key = CacheKey::of(&request(scope));
            kept.0.insert(key, (token("t", 200), life));
        }
        assert!(kept.valid(&request(0), at(0, 0)).is_some());
        kept.keep(&request(1), &token("u", 200), at(0, 0));
        assert_eq!(kept.0.len(), DEFAULT_CAPACITY, "there is room for so many");
        kept.keep(&request(DEFAULT_CAPACITY), &token("t", 200), at(0, 0));
        assert_eq!(kept.0.len(), DEFAULT_CAPACITY);
        assert!(kept.valid(&request(0), at(0, 0)).is_none(), "ends first");
        kept.keep(&request(0), &token("t", 300), at(200, 200));
        assert_eq!(kept.0.len(), 1, "what has ended goes");
    }
}
