//! What every credential is: something that gives tokens.

use std::{fmt, sync::Arc};

use crate::{
    AccessToken, Error, TokenRef, TokenRequest, cache::fast_path::FastPath, platform::BoxFuture,
};

/// Gives access tokens. Object-safe; implementations are shared by `Arc` and used concurrently.
///
/// Three methods are all that a credential of your own needs, and the last has a default. To give
/// it the cache of this crate, wrap it in [`Cached`](crate::Cached), or write a
/// [`TokenSource`](crate::TokenSource) instead.
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

    /// Ends background work and forgets every token, in this instance and its clones. Whoever
    /// waits for a token gets [`Cancelled`](crate::ErrorKind::Cancelled), and so does whoever asks
    /// afterwards. Default: nothing to end (PR-29).
    fn dispose(&self) {}

    /// What this crate's own credentials can do without a future. A credential of another crate
    /// has no reason to override it.
    #[doc(hidden)]
    #[inline]
    fn fast_path(&self) -> Option<&dyn FastPath> {
        None
    }
}

/// Ways to a token that every credential has besides
/// [`get_token`](TokenCredential::get_token).
pub trait TokenCredentialExt: TokenCredential {
    /// A token for `request`, lent by the cache that holds it: no lock, no allocation, no boxed
    /// future. What is not at hand is asked of [`get_token`](TokenCredential::get_token).
    ///
    /// To prepare a request, make it once and keep it: it remembers where its answer was found, so
    /// that the next call need not look for it.
    ///
    /// # Errors
    /// Those of [`get_token`](TokenCredential::get_token).
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> impl Future<Output = Result<TokenRef, Error>> + Send + 'a {
        // Looked for when it is polled, so that what is lent goes straight to who awaits it.
        async move {
            match self.hit(request) {
                Some(token) => Ok(token),
                None => asked(self, request).await.map(TokenRef::from),
            }
        }
    }

    /// What a cache holds for `request`, still valid, however short, without waiting for anything
    /// and without causing any request: not even the refresh that may be due. `None` for a
    /// credential that caches nothing, or is not of this crate.
    fn cached(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.fast_path()?.peek(request)
    }

    /// See [`FastPath::hit`].
    #[doc(hidden)]
    #[inline]
    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        self.fast_path()?.hit(request)
    }
}

impl<C: TokenCredential + ?Sized> TokenCredentialExt for C {}

/// Apart, so that a hit does not carry the room that the making of this future needs.
#[cold]
#[inline(never)]
fn asked<'a, C: TokenCredential + ?Sized>(
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

    fn dispose(&self) {
        (**self).dispose();
    }

    #[inline]
    fn fast_path(&self) -> Option<&dyn FastPath> {
        (**self).fast_path()
    }
}

/// A credential of this crate is a named wrapper around what does the work.
macro_rules! credential {
    ($credential:ident) => {
        impl $crate::TokenCredential for $credential {
            fn name(&self) -> &str {
                self.0.name()
            }

            fn get_token<'a>(
                &'a self,
                request: &'a $crate::TokenRequest,
            ) -> $crate::platform::BoxFuture<'a, Result<$crate::AccessToken, $crate::Error>> {
                self.0.get_token(request)
            }

            fn dispose(&self) {
                self.0.dispose();
            }

            #[inline]
            fn fast_path(&self) -> Option<&dyn $crate::cache::fast_path::FastPath> {
                self.0.fast_path()
            }
        }

        impl ::std::fmt::Debug for $credential {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use credential;
