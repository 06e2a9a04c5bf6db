//! A credential of the crate, as a scenario asks it.

use std::{fmt, sync::Arc};

use azure_core::credentials;
use credsim::subject::MachineClock as _;
use credsim_identity::{
    AccessToken, Error, ErrorKind, Platform, TokenCredential, TokenRequest, platform::BoxFuture,
};
use jiff::Timestamp;

use super::paced::Paced;
use crate::interposed::Interposed;

/// A credential of the crate under its own name. Clones share it, as those of its `Arc` do.
#[derive(Clone)]
pub struct Adapted {
    name: &'static str,
    platform: Platform,
    credential: Arc<dyn credentials::TokenCredential>,
    is_paced: bool,
}

impl Adapted {
    /// Asks `credential`, which is a `name`, on the host of `platform`.
    pub fn new(
        name: &'static str,
        platform: &Platform,
        credential: Arc<dyn credentials::TokenCredential>,
    ) -> Self {
        Self {
            name,
            platform: platform.clone(),
            credential,
            is_paced: true,
        }
    }

    /// Lets callers spin without a pause, as they do on a machine: the clock of a world does not
    /// move meanwhile.
    #[must_use]
    pub fn unpaced(mut self) -> Self {
        self.is_paced = false;
        self
    }

    async fn ask(&self, request: &TokenRequest) -> Result<AccessToken, Error> {
        // The host's clock may have been stepped at this very moment.
        let clock = &self.platform.clock;
        Interposed.show(clock.now(), clock.monotonic());
        let scopes: Vec<&str> = request.scopes().iter().map(String::as_str).collect();
        let answer = self.credential.get_token(&scopes, None).await;
        let token = answer.map_err(|error| self.error(error))?;
        let expires_on = Timestamp::from_nanosecond(token.expires_on.unix_timestamp_nanos());
        let expires_on = expires_on.unwrap_or(Timestamp::MAX);
        let secret = token.token.secret().to_owned();
        Ok(AccessToken::new(secret, expires_on, self.name))
    }

    /// The one place where its errors become ours. All of them are of the kind `Credential`: that
    /// a source is not there, refused, or is used wrongly is told in words only, so the kind that
    /// they get here says nothing, and the sight of the subject leaves it out.
    fn error(&self, error: azure_core::Error) -> Error {
        Error::new(ErrorKind::Failed, self.name, error.to_string()).with_cause(error)
    }
}

impl TokenCredential for Adapted {
    fn name(&self) -> &str {
        self.name
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        let asking = Box::pin(self.ask(request));
        if self.is_paced {
            Box::pin(Paced::new(&self.platform, asking))
        } else {
            asking
        }
    }
}

impl fmt::Debug for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapted")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
