//! The trait of all credentials, and its extension with the fast path.

mod asking;

use std::{fmt, sync::Arc};

use crate::{
    AccessToken, Error, TokenRef, TokenRequest, cache::fast_path::FastPath, platform::BoxFuture,
};
use asking::Asking;

/// Returns access tokens. The trait is object-safe; implementations are shared by `Arc` and used
/// concurrently.
///
/// A credential of your own implements the first two methods; `dispose` has a default. To give
/// it the cache of this crate, wrap it in [`Cached`](crate::Cached), or write a
/// [`TokenSource`](crate::TokenSource) instead.
pub trait TokenCredential: fmt::Debug + Send + Sync + 'static {
    /// Returns the class name that documentation, logs and errors use, such as
    /// `ManagedIdentityCredential`.
    fn name(&self) -> &str;

    /// Returns a token for `request`, from the cache or from the source.
    ///
    /// # Errors
    /// One of the five kinds of [`ErrorKind`](crate::ErrorKind), which describes what each means
    /// for a caller.
    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>>;

    /// Ends background work and drops every token, in this instance and its clones. Calls that wait
    /// for a token, and all later calls, fail with [`Cancelled`](crate::ErrorKind::Cancelled).
    /// Default: does nothing (PR-29).
    fn dispose(&self) {}

    /// The fast path of a credential of this crate. Other credentials need not override it.
    #[doc(hidden)]
    #[inline]
    fn fast_path(&self) -> Option<&dyn FastPath> {
        None
    }
}

/// Methods that every [`TokenCredential`] has besides [`get_token`](TokenCredential::get_token).
pub trait TokenCredentialExt: TokenCredential {
    /// Returns a token for `request`, lent by the cache that holds it: no lock, no allocation, no
    /// boxed future. If the cache has none that can be returned at once, this is
    /// [`get_token`](TokenCredential::get_token).
    ///
    /// Make a request once and keep it: it remembers the cache entry of its answer, so the next
    /// call skips the look-up.
    ///
    /// # Errors
    /// Those of [`get_token`](TokenCredential::get_token).
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> impl Future<Output = Result<TokenRef, Error>> + Send + 'a {
        Asking::new(self, request)
    }

    /// Returns the token that the cache holds for `request` if it is still valid, however little of
    /// its life is left. It never waits and never sends a request, not even for a refresh that is
    /// due. `None` if there is no such token, and for credentials without a cache of this crate.
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

/// Implements `TokenCredential` and `Debug` for a credential that wraps another one.
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
