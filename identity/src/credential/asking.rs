//! The future of a call for a token.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use super::{TokenCredential, TokenCredentialExt as _};
use crate::{AccessToken, Error, TokenRef, TokenRequest, platform::BoxFuture};

/// Looks into the cache when it is polled first, and asks the credential only if that has nothing.
///
/// Written by hand, so that a hit stays in registers on its way to the caller: an `async` block
/// returns it through the memory in which the other answer would come, which costs two thirds of
/// the hit itself.
pub(super) struct Asking<'a, C: ?Sized> {
    credential: &'a C,
    request: &'a TokenRequest,
    asked: Option<BoxFuture<'a, Result<AccessToken, Error>>>,
    answer: Option<Result<TokenRef, Error>>,
}

impl<'a, C: TokenCredential + ?Sized> Asking<'a, C> {
    #[inline]
    pub(super) fn new(credential: &'a C, request: &'a TokenRequest) -> Self {
        Self {
            credential,
            request,
            asked: None,
            answer: None,
        }
    }

    /// Not inlined, so that a hit does not reserve the space that this future needs.
    #[cold]
    #[inline(never)]
    fn ask(&mut self, context: &mut Context<'_>) {
        let (credential, request) = (self.credential, self.request);
        let asked = (self.asked).get_or_insert_with(|| credential.get_token(request));
        if let Poll::Ready(answer) = asked.as_mut().poll(context) {
            self.answer = Some(answer.map(TokenRef::from));
        }
    }
}

impl<C: TokenCredential + ?Sized> Future for Asking<'_, C> {
    type Output = Result<TokenRef, Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.asked.is_none()
            && let Some(token) = self.credential.hit(self.request)
        {
            return Poll::Ready(Ok(token));
        }
        self.ask(context);
        match self.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }
    }
}
