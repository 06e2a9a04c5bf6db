//! A member that can only say why it cannot answer: its constructor failed, or it is not built yet
//! (PR-05: listed, never swallowed).

use crate::{AccessToken, Error, ErrorKind, TokenCredential, TokenRequest, platform::BoxFuture};

/// Answers every request with one error, under the name of the credential it stands for.
#[derive(Debug)]
pub(super) struct StandIn {
    name: &'static str,
    error: Error,
}

impl StandIn {
    /// For a credential whose constructor failed.
    pub(super) fn failing(name: &'static str, error: Error) -> Self {
        Self { name, error }
    }

    /// For a credential that this crate does not have yet.
    pub(super) fn not_built(name: &'static str) -> Self {
        let message = format!("{name} is not built yet");
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

    fn never_answers(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pr_01_it_says_what_to_do() {
        assert!(StandIn::not_built("Test").error.help().is_some());
    }
}
