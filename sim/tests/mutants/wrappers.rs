//! Wrappers that override what the credential inside decides.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use credsim_identity::{
    AccessToken, Error, TokenCredentialExt as _, TokenRequest, platform::BoxFuture,
};

use super::tools::{Answer, Ours, Tokens, Wrapper};

/// Changes the request before it is passed on.
pub struct Asks(pub fn(&TokenRequest) -> TokenRequest);

impl Wrapper for Asks {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move { ours.first.get_token(&(self.0)(request)).await })
    }
}

/// Changes the error before it is returned.
pub struct Fails(pub fn(Error) -> Error);

impl Wrapper for Fails {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move { ours.first.get_token(request).await.map_err(self.0) })
    }
}

/// Runs a function on every token before it is returned.
pub struct Looks(pub fn(&AccessToken));

impl Wrapper for Looks {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move { ours.first.get_token(request).await.inspect(self.0) })
    }
}

/// Returns a token that is like the issued one but for its signature.
pub struct MakesUp;

impl Wrapper for MakesUp {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let token = ours.first.get_token(request).await?;
            let secret = format!("{}x", token.secret());
            Ok(AccessToken::new(
                secret,
                token.expires_on(),
                token.answered_by(),
            ))
        })
    }
}

/// Builds a new credential for each call.
pub struct NewForEachCall;

impl Wrapper for NewForEachCall {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move { ours.another().get_token(request).await })
    }
}

/// No single flight: a caller that finds no token sends its own request, also while another one is
/// in flight.
#[derive(Default)]
pub struct NoSingleFlight(AtomicU32);

impl Wrapper for NoSingleFlight {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let is_alone = self.0.fetch_add(1, Ordering::Relaxed) == 0;
            let answer = if is_alone || ours.first.cached(request).is_some() {
                ours.first.get_token(request).await
            } else {
                ours.another().get_token(request).await
            };
            self.0.fetch_sub(1, Ordering::Relaxed);
            answer
        })
    }
}

/// Keeps the first token for ever, or until the moment of its expiry.
#[derive(Default)]
pub struct Keeps {
    until_its_end: bool,
    tokens: Tokens,
}

impl Keeps {
    pub fn until_its_end() -> Self {
        Self {
            until_its_end: true,
            ..Self::default()
        }
    }
}

impl Wrapper for Keeps {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            if let Some((token, _)) = self.tokens.get(request)
                && !(self.until_its_end && ours.left(&token).is_zero())
            {
                return Ok(token);
            }
            let token = ours.first.get_token(request).await?;
            self.tokens.put(request, &token, ours.now());
            Ok(token)
        })
    }
}

/// Past half of a token's life every call asks the source; its failure is returned or hidden.
#[derive(Default)]
pub struct AsksPastHalf {
    hides_failures: bool,
    tokens: Tokens,
}

impl AsksPastHalf {
    pub fn hiding_failures() -> Self {
        Self {
            hides_failures: true,
            ..Self::default()
        }
    }
}

impl Wrapper for AsksPastHalf {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let held = self.tokens.get(request);
            if let Some((token, received)) = &held {
                let life = token.expires_on().duration_since(*received);
                if ours.left(token) > life.unsigned_abs() / 2 {
                    return Ok(token.clone());
                }
            }
            match (ours.another().get_token(request).await, held) {
                (Err(_), Some((token, _))) if self.hides_failures => Ok(token),
                (Err(error), _) => Err(error),
                (Ok(token), _) => {
                    self.tokens.put(request, &token, ours.now());
                    Ok(token)
                }
            }
        })
    }
}

/// Caches the first error, and returns it to all later calls.
#[derive(Default)]
pub struct GivesUp(Mutex<Option<Error>>);

impl Wrapper for GivesUp {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            if let Some(error) = self.0.lock().unwrap().clone() {
                return Err(error);
            }
            let answer = ours.first.get_token(request).await;
            *self.0.lock().unwrap() = answer.as_ref().err().cloned();
            answer
        })
    }
}

/// Ignores `dispose`.
pub struct NeverEnds;

impl Wrapper for NeverEnds {
    fn get_token<'a>(&'a self, ours: &'a Ours, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        ours.first.get_token(request)
    }

    fn dispose(&self, _: &Ours) {}
}
