//! The trait of everything that gives tokens.

use std::{fmt, sync::Arc};

use crate::{AccessToken, Error, TokenRef, TokenRequest, platform::BoxFuture};

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

    /// The token for `request`, if it can be handed out at once and nothing else is to be done:
    /// it is valid by both clocks, enough of it is left, and no refresh is due (PR-20 to PR-22).
    /// It is lent, which takes no lock and allocates nothing; a request that is made once and
    /// reused is answered fastest. Default: nothing, so that
    /// [`get_token`](Self::get_token) is asked each time.
    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        let _ = request;
        None
    }

    /// What [`hit`](Self::hit) would find for a new request for these scopes. Default: nothing.
    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        let _ = scopes;
        None
    }

    /// A token for `request`: the [`hit`](Self::hit), for which no future is boxed, or else the
    /// answer of [`get_token`](Self::get_token). For credentials whose type is known, and for an
    /// `Arc<dyn TokenCredential>`.
    ///
    /// # Errors
    /// Those of [`get_token`](Self::get_token).
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> impl Future<Output = Result<TokenRef, Error>> + Send + 'a
    where
        Self: Sized,
    {
        // Looked for when it is polled, so that what is lent goes straight to who awaits it.
        async move {
            match self.hit(request) {
                Some(token) => Ok(token),
                None => asked(self, request).await.map(TokenRef::from),
            }
        }
    }

    /// A token for `scopes`, as [`token`](Self::token) gives it.
    ///
    /// # Errors
    /// Those of [`get_token`](Self::get_token).
    fn token_for<'a>(
        &'a self,
        scopes: &'a [&'a str],
    ) -> impl Future<Output = Result<TokenRef, Error>> + Send + 'a
    where
        Self: Sized,
    {
        async move {
            if let Some(token) = self.hit_scopes(scopes) {
                return Ok(token);
            }
            let request = TokenRequest::new(scopes.iter().copied());
            asked(self, &request).await.map(TokenRef::from)
        }
    }

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

/// Apart, so that a hit does not carry the room that the making of this future needs.
#[cold]
#[inline(never)]
fn asked<'a, C: TokenCredential>(
    credential: &'a C,
    request: &'a TokenRequest,
) -> BoxFuture<'a, Result<AccessToken, Error>> {
    credential.get_token(request)
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

    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        (**self).hit(request)
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        (**self).hit_scopes(scopes)
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
