//! Chains with the mistakes of a first attempt.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use credsim::{
    credential::Credential,
    subject::{Built, Identity, Lent, Subject},
};
use credsim_identity::{
    AccessToken, Error, ErrorKind, Identity as Who, IdentityChange, Observer, TokenCredential,
    TokenRequest, platform::BoxFuture,
};

use super::tools::Answer;

/// A chain of the members of `DefaultAzureCredential` without the special treatment that they get
/// in it: its managed identity is not probed first, and retries.
pub fn of_its_own(credential: &mut Credential) {
    let Credential::Default(options) = credential else {
        return;
    };
    *credential = Credential::Chain(credsim::credential::ChainOptions {
        of: vec![
            Credential::Environment(credsim::credential::EnvironmentOptions::default()),
            Credential::ManagedIdentity(credsim::credential::ManagedIdentityOptions::default()),
            Credential::AzureCli(credsim::credential::CliOptions::default()),
            Credential::AzurePowerShell(credsim::credential::CliOptions::default()),
            Credential::AzureDeveloperCli(credsim::credential::CliOptions::default()),
        ],
        continue_after: options.continue_after,
        fallback_policy: options.fallback_policy,
    });
}

/// A `ChainedTokenCredential` that begins with the member that answered last if it is `sticky`, and
/// otherwise always at the top. All other credentials are those of `identity`.
pub fn naive(credential: &Credential, lent: &Lent, sticky: bool) -> Result<Built, Error> {
    let Credential::Chain(options) = credential else {
        return Identity.build(credential, lent);
    };
    let mut members = Vec::new();
    for member in &options.of {
        members.push(Identity.build(member, lent)?.credential);
    }
    Ok(Built::shared(Arc::new(Naive {
        members,
        sticky,
        last: Mutex::default(),
        observer: lent.observer.clone(),
    })))
}

struct Naive {
    members: Vec<Arc<dyn TokenCredential>>,
    sticky: bool,
    last: Mutex<Option<(usize, Who)>>,
    observer: Arc<dyn Observer>,
}

impl Naive {
    fn report(&self, member: usize, token: &AccessToken) {
        let to = Who::of(token);
        let last = self.last.lock().unwrap().replace((member, to.clone()));
        if let Some((_, from)) = last
            && from != to
        {
            let change = IdentityChange::new(from, to, false);
            self.observer.identity_changed(&change);
        }
    }
}

impl TokenCredential for Naive {
    fn name(&self) -> &str {
        "ChainedTokenCredential"
    }

    fn get_token<'a>(&'a self, request: &'a TokenRequest) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let last = self
                .last
                .lock()
                .unwrap()
                .as_ref()
                .map(|(member, _)| *member);
            let first = last.filter(|_| self.sticky).unwrap_or_default();
            for member in (first..self.members.len()).chain(0..first) {
                match self.members[member].get_token(request).await {
                    Err(error) if error.kind() == ErrorKind::Unavailable => {}
                    Err(error) => return Err(error),
                    Ok(token) => {
                        self.report(member, &token);
                        return Ok(token);
                    }
                }
            }
            let nobody = "nobody answers";
            Err(Error::new(ErrorKind::Unavailable, self.name(), nobody))
        })
    }
}

impl fmt::Debug for Naive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Naive")
    }
}
