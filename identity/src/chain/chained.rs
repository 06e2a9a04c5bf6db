//! A chain of credentials that the caller chooses.

use std::sync::Arc;

use crate::{
    CommonOptions, Error, ErrorKind, TokenCredential, credential::credential, options::setters,
};

use super::{
    ContinueAfter, FallbackPolicy,
    members::Member,
    walk::{Chain, ChainHandle},
};

/// The class name in documentation, logs and errors.
const NAME: &str = "ChainedTokenCredential";

/// Asks its members in order and returns the token of the first that answers.
///
/// It goes on after [`Unavailable`](ErrorKind::Unavailable) and stops at any other error, unless
/// [`continue_after`](ChainedTokenCredentialBuilder::continue_after) is set (PR-02). While the
/// member that answered last holds a valid token, that token is returned. Once per life of a token
/// the members before it are asked again in the background, so that a better source is used when it
/// comes back (PR-03). A change of credential or principal is reported or refused, never silent
/// (PR-04). A member that gives no answer, such as an unreachable metadata service, is waited for
/// once in 5 minutes: see the [module](super#members-that-give-no-answer) (PR-07). Clones share
/// members and state.
///
/// ```
/// # use credsim_identity::{platform::Platform, Error};
/// # async fn example(platform: Platform) -> Result<(), Error> {
/// use credsim_identity::{
///     AzureCliCredential, ChainedTokenCredential, FallbackPolicy, ManagedIdentityCredential,
///     TokenCredential, TokenRequest,
/// };
/// let chain = ChainedTokenCredential::builder()
///     .credential(ManagedIdentityCredential::builder().platform(platform.clone()).build()?)
///     .credential(AzureCliCredential::builder().platform(platform.clone()).build()?)
///     .fallback_policy(FallbackPolicy::Refuse)
///     .platform(platform)
///     .build()?;
/// let request = TokenRequest::new(["https://vault.azure.net/.default"]);
/// let token = chain.get_token(&request).await?;
/// println!("{} answered", token.answered_by());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ChainedTokenCredential(ChainHandle);

impl ChainedTokenCredential {
    /// Creates a builder without members.
    pub fn builder() -> ChainedTokenCredentialBuilder {
        ChainedTokenCredentialBuilder::default()
    }
}

credential!(ChainedTokenCredential);

/// Members and options of a [`ChainedTokenCredential`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct ChainedTokenCredentialBuilder {
    /// Each with whether it is shared.
    members: Vec<(Arc<dyn TokenCredential>, bool)>,
    continue_after: ContinueAfter,
    fallback_policy: FallbackPolicy,
    common: CommonOptions,
}

impl ChainedTokenCredentialBuilder {
    setters!(host: common);

    /// Adds a member at the end. It is disposed with the chain.
    pub fn credential(mut self, credential: impl TokenCredential) -> Self {
        self.members.push((Arc::new(credential), false));
        self
    }

    /// Adds a member at the end that is also used elsewhere. [`dispose`](TokenCredential::dispose)
    /// of the chain ends the chain's waits for the member and does not dispose it.
    ///
    /// If the member is disposed first, the chain keeps its last tokens in memory, for up to 10,000
    /// spellings of requests, until it is asked again or disposed. It does not return them.
    pub fn shared(mut self, credential: Arc<dyn TokenCredential>) -> Self {
        self.members.push((credential, true));
        self
    }

    /// Sets the failures after which the chain goes on. Default: `Unavailable` (PR-02).
    pub fn continue_after(mut self, continue_after: ContinueAfter) -> Self {
        self.continue_after = continue_after;
        self
    }

    /// Sets what happens when the identity changes. Default: `Report` (PR-04).
    pub fn fallback_policy(mut self, policy: FallbackPolicy) -> Self {
        self.fallback_policy = policy;
        self
    }

    /// Builds the chain. Sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if it has no members.
    pub fn build(self) -> Result<ChainedTokenCredential, Error> {
        if self.members.is_empty() {
            return Err(
                Error::new(ErrorKind::Configuration, NAME, "the chain has no members")
                    .with_help("add at least one credential"),
            );
        }
        let continue_after = self.continue_after;
        let members = self.members.into_iter();
        let members = members
            .map(|(credential, shared)| Member {
                credential,
                continue_after,
                shared,
            })
            .collect();
        let chain = Chain::new(NAME, &self.common, members, self.fallback_policy);
        Ok(ChainedTokenCredential(ChainHandle::new(chain)))
    }
}
