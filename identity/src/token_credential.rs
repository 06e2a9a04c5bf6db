//! The trait of everything that gives tokens.

use std::{
    fmt,
    future::{Ready, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

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
    /// answer of [`get_token`](Self::get_token).
    ///
    /// # Errors
    /// Those of [`get_token`](Self::get_token).
    fn token<'a>(&'a self, request: &'a TokenRequest) -> TokenFuture<'a> {
        match self.hit(request) {
            Some(token) => TokenFuture::hit(token),
            None => TokenFuture(State::Asking(self.get_token(request))),
        }
    }

    /// A token for `scopes`, as [`token`](Self::token) gives it.
    ///
    /// # Errors
    /// Those of [`get_token`](Self::get_token).
    fn token_for<'a>(&'a self, scopes: &'a [&'a str]) -> TokenFuture<'a> {
        match self.hit_scopes(scopes) {
            Some(token) => TokenFuture::hit(token),
            None => TokenFuture(State::Asking(Box::pin(async move {
                let request = TokenRequest::new(scopes.iter().copied());
                self.get_token(&request).await
            }))),
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

/// What [`TokenCredential::token`] returns: ready at once for a hit.
#[must_use = "futures do nothing unless they are polled"]
pub struct TokenFuture<'a>(State<'a>);

enum State<'a> {
    Hit(Ready<Result<TokenRef, Error>>),
    Asking(BoxFuture<'a, Result<AccessToken, Error>>),
}

impl TokenFuture<'_> {
    fn hit(token: TokenRef) -> Self {
        Self(State::Hit(ready(Ok(token))))
    }
}

impl Future for TokenFuture<'_> {
    type Output = Result<TokenRef, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Hit(hit) => Pin::new(hit).poll(context),
            State::Asking(asking) => asking
                .as_mut()
                .poll(context)
                .map(|answer| answer.map(TokenRef::from)),
        }
    }
}

impl fmt::Debug for TokenFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenFuture")
    }
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
