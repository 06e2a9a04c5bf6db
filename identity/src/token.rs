//! Access tokens, and as whom they act.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::chain::ChainRecord;

/// A bearer token and what is known about it. Cheap to clone. `Debug` never shows the secret, and
/// the memory of the secret is overwritten when the last clone goes.
#[derive(Clone)]
pub struct AccessToken {
    inner: Arc<Inner>,
    /// Beside the rest, so that a chain need not copy the secret to say how it found it.
    chain: Option<Arc<ChainRecord>>,
}

#[derive(Clone)]
struct Inner {
    secret: Zeroizing<String>,
    expires_on: Timestamp,
    refresh_on: Option<Timestamp>,
    answered_by: String,
    principal: Option<Principal>,
}

impl AccessToken {
    /// A token that ends at `expires_on` and was given by the credential called `answered_by`.
    pub fn new(secret: String, expires_on: Timestamp, answered_by: impl Into<String>) -> Self {
        let principal = Principal::of_token(&secret);
        Self {
            inner: Arc::new(Inner {
                secret: Zeroizing::new(secret),
                expires_on,
                refresh_on: None,
                answered_by: answered_by.into(),
                principal,
            }),
            chain: None,
        }
    }

    /// The same token with the moment from which its source wants it renewed.
    #[must_use]
    pub fn with_refresh_on(mut self, at: Option<Timestamp>) -> Self {
        Arc::make_mut(&mut self.inner).refresh_on = at;
        self
    }

    /// The same token with the record of the chain that found it.
    #[must_use]
    pub fn with_chain(mut self, record: Arc<ChainRecord>) -> Self {
        self.chain = Some(record);
        self
    }

    /// The token itself, for the `Authorization` header and nothing else.
    pub fn secret(&self) -> &str {
        &self.inner.secret
    }

    /// When it ends, by the wall clock of whoever received it.
    pub fn expires_on(&self) -> Timestamp {
        self.inner.expires_on
    }

    /// From when on it should be renewed, if its source said so. A caller that keeps its token
    /// need not ask again before.
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.inner.refresh_on
    }

    /// The credential that gave it, such as `AzureCliCredential`; inside a chain the member, not
    /// the chain.
    pub fn answered_by(&self) -> &str {
        &self.inner.answered_by
    }

    /// As whom the bearer acts, read from the token's claims; `None` for opaque tokens. The
    /// signature is not checked: this is for logs and comparison, never for authorization.
    pub fn principal(&self) -> Option<&Principal> {
        self.inner.principal.as_ref()
    }

    /// How the chain came to it; `None` for a token that no chain gave.
    pub fn chain(&self) -> Option<&Arc<ChainRecord>> {
        self.chain.as_ref()
    }

    /// Something that tells this token from others, and keeps none of it in memory.
    pub(crate) fn mark(&self) -> TokenMark {
        TokenMark(Arc::downgrade(&self.inner))
    }

    /// Whether this is the token of `mark`: it, or a clone of it, and not one that equals it.
    pub(crate) fn is_marked(&self, mark: &TokenMark) -> bool {
        std::ptr::eq(Weak::as_ptr(&mark.0), Arc::as_ptr(&self.inner))
    }
}

/// See [`AccessToken::mark`].
#[derive(Debug, Default)]
pub(crate) struct TokenMark(Weak<Inner>);

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_on", &self.inner.expires_on)
            .field("refresh_on", &self.inner.refresh_on)
            .field("answered_by", &self.inner.answered_by)
            .field("principal", &self.inner.principal)
            .finish_non_exhaustive()
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.inner.secret == other.inner.secret && self.inner.expires_on == other.inner.expires_on
    }
}
impl Eq for AccessToken {}

/// As whom a token acts: the claims that tell one identity from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Claim `oid`: the object id, unique in its tenant.
    pub object_id: String,
    /// Claim `tid`: the tenant.
    pub tenant_id: Option<String>,
    /// Claim `appid` or `azp`: the application.
    pub client_id: Option<String>,
    /// Claim `upn`, `preferred_username` or `unique_name`: the person's name, for user tokens.
    pub user_name: Option<String>,
}

impl Principal {
    /// Reads the claims of a JWT without checking its signature. `None` when it is not a JWT or
    /// has no `oid`.
    pub fn of_token(token: &str) -> Option<Self> {
        use base64::Engine as _;
        #[derive(serde::Deserialize)]
        struct Claims {
            oid: String,
            tid: Option<String>,
            appid: Option<String>,
            azp: Option<String>,
            upn: Option<String>,
            preferred_username: Option<String>,
            unique_name: Option<String>,
        }
        let payload = token.split('.').nth(1)?;
        let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(payload)
            .ok()?;
        let claims: Claims = serde_json::from_slice(&json).ok()?;
        Some(Self {
            object_id: claims.oid,
            tenant_id: claims.tid,
            client_id: claims.appid.or(claims.azp),
            user_name: claims
                .upn
                .or(claims.preferred_username)
                .or(claims.unique_name),
        })
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user_name {
            Some(name) => write!(f, "{name} ({})", self.object_id),
            None => f.write_str(&self.object_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    fn jwt(claims: &str) -> String {
        let encode = |text| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.signature", encode("{}"), encode(claims))
    }

    fn token(secret: String) -> AccessToken {
        AccessToken::new(secret, Timestamp::UNIX_EPOCH, "Test")
    }

    #[test]
    fn the_principal_is_read_from_the_claims() {
        let app = token(jwt(r#"{"oid":"o","tid":"t","azp":"a","exp":1}"#));
        let principal = app.principal().unwrap();
        assert_eq!(principal.to_string(), "o");
        assert_eq!(principal.tenant_id.as_deref(), Some("t"));
        assert_eq!(principal.client_id.as_deref(), Some("a"));
        let user = token(jwt(r#"{"oid":"o","unique_name":"alice@contoso.example"}"#));
        assert_eq!(
            user.principal().unwrap().to_string(),
            "alice@contoso.example (o)"
        );
        for opaque in ["", "a.b.c", "opaque", &jwt("{}"), &jwt("[]")] {
            assert_eq!(token(opaque.to_owned()).principal(), None, "{opaque}");
        }
    }

    #[test]
    fn what_is_added_to_a_token_changes_no_other() {
        let plain = token("secret".to_owned());
        let added = plain.clone().with_refresh_on(Some(Timestamp::UNIX_EPOCH));
        assert_eq!((plain.refresh_on(), added.secret()), (None, "secret"));
        assert!(added.refresh_on().is_some());
        assert!(!format!("{added:?}").contains("secret"));
    }
}
