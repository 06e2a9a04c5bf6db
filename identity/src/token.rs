//! Access tokens, requests for them, and the trait of everything that answers such requests.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{Error, chain::ChainRecord, platform::BoxFuture};

/// Gives access tokens. Object-safe; implementations are shared by `Arc` and used concurrently.
pub trait TokenCredential: fmt::Debug + Send + Sync + 'static {
    /// The class name by which documentation, logs and errors call it, such as
    /// `ManagedIdentityCredential`.
    fn name(&self) -> &str;

    /// A token for `request`, from a cache or from its source.
    ///
    /// # Errors
    /// One of the five kinds of [`ErrorKind`](crate::ErrorKind); see there what each means for a
    /// caller.
    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>>;

    /// What a cache holds for `request`, still valid, however short, without waiting for anything
    /// and without causing any request: not even the refresh that may be due. Whoever hands it out
    /// should call [`get_token`](Self::get_token) as well, which answers from the same cache.
    /// Default: nothing.
    fn cached(&self, request: &TokenRequest) -> Option<AccessToken> {
        let _ = request;
        None
    }

    /// Whether all it will ever answer is an error, such as for want of an environment variable
    /// that was read at construction: a chain has no reason to ask it again for something better
    /// (PR-03). Default: no.
    fn never_answers(&self) -> bool {
        false
    }

    /// Ends background work and forgets every token, in this instance and its clones (PR-29).
    /// Whoever waits for a token gets [`Cancelled`](crate::ErrorKind::Cancelled), and so does
    /// whoever asks afterwards. Default: nothing to end.
    fn dispose(&self) {}
}

impl<C: TokenCredential + ?Sized> TokenCredential for Arc<C> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        (**self).get_token(request)
    }

    fn cached(&self, request: &TokenRequest) -> Option<AccessToken> {
        (**self).cached(request)
    }

    fn never_answers(&self) -> bool {
        (**self).never_answers()
    }

    fn dispose(&self) {
        (**self).dispose();
    }
}

/// What a token is wanted for.
///
/// ```
/// use credsim_identity::TokenRequest;
/// let request = TokenRequest::new(["https://vault.azure.net/.default"]).tenant("contoso.example");
/// assert_eq!(request.scopes(), ["https://vault.azure.net/.default"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    scopes: Vec<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) claims: Option<String>,
    pub(crate) cae: bool,
    pub(crate) force_refresh: bool,
    pub(crate) min_remaining: Duration,
}

/// How long a token must still be valid for `get_token` to return it at once: 30 s unless a
/// request says otherwise (PR-22).
pub const DEFAULT_MIN_REMAINING: Duration = Duration::from_secs(30);

impl TokenRequest {
    /// A request for `scopes`, in the order in which they are sent. Their order and repetition
    /// make no difference to a cache; their case does (PR-26).
    pub fn new<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            tenant: None,
            claims: None,
            cae: false,
            force_refresh: false,
            min_remaining: DEFAULT_MIN_REMAINING,
        }
    }

    /// Asks in this tenant instead of the credential's own.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Passes on the claims of a challenge (decoded JSON). Bypasses the cache once (PR-26).
    #[must_use]
    pub fn claims(mut self, claims: impl Into<String>) -> Self {
        self.claims = Some(claims.into());
        self
    }

    /// Declares that the caller handles continuous access evaluation. Default: no.
    #[must_use]
    pub fn cae(mut self, enabled: bool) -> Self {
        self.cae = enabled;
        self
    }

    /// Waits for a new token if the cached one has less than this left. Default: 30 s (PR-22).
    #[must_use]
    pub fn min_remaining(mut self, least: Duration) -> Self {
        self.min_remaining = least;
        self
    }

    /// Asks the source although a cache holds a valid token: the answer is what the source gives
    /// now, or an error. Caches keep it for everybody. Requests for the same token that are under
    /// way are shared, and a `Retry-After` is respected (PR-12, PR-24). A source may still have a
    /// cache of its own and give the same token again (PR-25, RD-29). Default: no.
    #[must_use]
    pub fn force_refresh(mut self, force: bool) -> Self {
        self.force_refresh = force;
        self
    }

    /// The tenant to ask in, if it is not the credential's own.
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The claims of a challenge, as decoded JSON.
    pub fn claims_challenge(&self) -> Option<&str> {
        self.claims.as_deref()
    }

    /// Whether the caller handles continuous access evaluation.
    pub fn is_cae_enabled(&self) -> bool {
        self.cae
    }

    /// Whether the source is asked although a cache holds a valid token.
    pub fn is_refresh_forced(&self) -> bool {
        self.force_refresh
    }

    /// How long a token must still be valid to be returned at once.
    pub fn least_remaining(&self) -> Duration {
        self.min_remaining
    }

    /// The scopes as given.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The scopes as a set, which is how caches compare them.
    pub fn scope_set(&self) -> BTreeSet<&str> {
        self.scopes.iter().map(String::as_str).collect()
    }
}

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
}

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

    #[test]
    fn pr_22_thirty_seconds_unless_said_otherwise() {
        let request = TokenRequest::new(["a"]);
        assert_eq!(request.least_remaining(), Duration::from_secs(30));
        assert_eq!(
            request.min_remaining(Duration::ZERO).least_remaining(),
            Duration::ZERO
        );
    }
}
