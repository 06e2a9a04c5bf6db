//! Stands for a member that could not be built or is not supported yet, so that the chain lists its
//! error (PR-05).

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRequest,
    cache::fast_path::{FastPath, NeverAnswers},
    platform::BoxFuture,
};

/// Fails every request with the same error, under the name of the credential that it stands for.
#[derive(Debug)]
pub(super) struct StandIn {
    name: &'static str,
    error: Error,
}

impl StandIn {
    /// For a credential whose builder failed with `error`.
    pub(super) fn failing(name: &'static str, error: Error) -> Self {
        Self { name, error }
    }

    /// For a credential that this crate does not support yet.
    pub(super) fn not_supported(name: &'static str) -> Self {
        let message = format!("{name} is not supported yet");
        let error = Error::new(ErrorKind::Unavailable, name, message)
            .with_help("use another one, or a ChainedTokenCredential with one of your own");
        Self::failing(name, error)
    }
}

impl TokenCredential for StandIn {
    fn name(&self) -> &str {
        self.name
    }

    fn get_token<'a>(&'a self, _: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async { Err(self.error.clone()) })
    }

    fn fast_path(&self) -> Option<&dyn FastPath> {
        Some(&NeverAnswers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pr_01_the_error_has_help() {
        assert!(StandIn::not_supported("Test").error.help().is_some());
    }
}
