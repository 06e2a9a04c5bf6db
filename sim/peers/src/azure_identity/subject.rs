//! The subject `azure_identity`.

use std::sync::Arc;

use azure_core::{
    credentials::TokenCredential,
    http::{ClientMethodOptions, ClientOptions, ExponentialRetryOptions, RetryOptions},
    time::Duration,
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions, ClientAssertion, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    DeveloperToolsCredential, DeveloperToolsCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use credsim::{
    credential::{ClientAssertionOptions, ClientSecretOptions, Credential, ManagedIdentityOptions},
    judge::Visibility,
    scenario::Span,
    story::Scenario,
    subject::{Built, Lent, MachineClock, Subject},
};
use credsim_identity::{Error, ErrorKind, Platform};

use super::{commands::Commands, credential::Adapted, supports, transport};
use crate::interposed::Interposed;

/// Its name and the version of the crate, as `[[known-failure]]` names it.
pub(super) const NAME: &str = "azure_identity 1.0.0";

/// The credentials of the crate `azure_identity`.
#[derive(Clone, Copy, Debug)]
pub struct AzureIdentity;

impl Subject for AzureIdentity {
    fn name(&self) -> &str {
        NAME
    }

    /// Its errors are all of the kind `Credential`, in words of their own; they don't say when to
    /// come back, and its chain doesn't say who answered. It has no way to report a change of
    /// identity, which is what counts as a silent one.
    fn visibility(&self) -> Visibility {
        Visibility {
            kinds: false,
            words: false,
            walks: false,
            details: false,
            ..Visibility::everything()
        }
    }

    fn log_targets(&self) -> &[&str] {
        &["azure_identity", "azure_core", "typespec"]
    }

    fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
        adapted(credential, lent).map(Built::new)
    }

    fn supports(&self, scenario: &Scenario) -> Result<(), String> {
        supports::check(scenario)
    }

    fn machine_clock(&self) -> Option<Arc<dyn MachineClock>> {
        Some(Arc::new(Interposed))
    }
}

/// The credential of the crate that `credential` describes.
///
/// # Errors
/// The crate's own construction error.
pub fn adapted(credential: &Credential, lent: &Lent) -> Result<Adapted, Error> {
    let (name, made) = make(credential, lent);
    let made = made.map_err(|error| {
        Error::new(ErrorKind::Configuration, name, error.to_string()).with_cause(error)
    })?;
    Ok(Adapted::new(name, &lent.platform, made))
}

type Made = azure_core::Result<Arc<dyn TokenCredential>>;

/// The crate's credential, and its name.
fn make(credential: &Credential, lent: &Lent) -> (&'static str, Made) {
    let executor = || Some(Arc::new(Commands::new(&lent.platform)) as _);
    match credential {
        Credential::ManagedIdentity(options) => {
            ("ManagedIdentityCredential", managed_identity(options, lent))
        }
        Credential::ClientSecret(options) => {
            ("ClientSecretCredential", client_secret(options, lent))
        }
        Credential::ClientAssertion(options) => {
            ("ClientAssertionCredential", client_assertion(options, lent))
        }
        Credential::AzureCli(options) => {
            let made = AzureCliCredential::new(Some(AzureCliCredentialOptions {
                tenant_id: options.tenant.clone(),
                executor: executor(),
                ..Default::default()
            }));
            ("AzureCliCredential", made.map(|made| made as _))
        }
        Credential::AzureDeveloperCli(options) => {
            let made = AzureDeveloperCliCredential::new(Some(AzureDeveloperCliCredentialOptions {
                tenant_id: options.tenant.clone(),
                executor: executor(),
            }));
            ("AzureDeveloperCliCredential", made.map(|made| made as _))
        }
        // What else there is, is not supported.
        _ => {
            let made = DeveloperToolsCredential::new(Some(DeveloperToolsCredentialOptions {
                executor: executor(),
            }));
            ("DeveloperToolsCredential", made.map(|made| made as _))
        }
    }
}

fn managed_identity(options: &ManagedIdentityOptions, lent: &Lent) -> Made {
    let client = options.client_id.clone().map(UserAssignedId::ClientId);
    let object = options.object_id.clone().map(UserAssignedId::ObjectId);
    let resource = options.resource_id.clone().map(UserAssignedId::ResourceId);
    let made = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: client.or(object).or(resource),
        client_options: client_options(&options.retry, lent),
    }));
    made.map(|made| made as _)
}

fn client_secret(options: &ClientSecretOptions, lent: &Lent) -> Made {
    let made = ClientSecretCredential::new(
        options.tenant.as_ref().unwrap_or(&lent.tenant),
        options.client_id.clone(),
        options.secret.clone().into(),
        Some(ClientSecretCredentialOptions {
            client_options: client_options(&options.retry, lent),
        }),
    );
    made.map(|made| made as _)
}

/// Reads an assertion from a file of the simulated host, as the callback of ours does.
#[derive(Debug)]
struct FromFile {
    platform: Platform,
    options: ClientAssertionOptions,
}

#[async_trait::async_trait]
impl ClientAssertion for FromFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let Span(takes) = self.options.takes;
        if !takes.is_zero() {
            self.platform.clock.sleep(takes).await;
        }
        let file = std::path::Path::new(&self.options.file);
        let content = self.platform.files.load_limited(file, 64 * 1024).await?;
        Ok(String::from_utf8_lossy(&content).into_owned())
    }
}

fn client_assertion(options: &ClientAssertionOptions, lent: &Lent) -> Made {
    let made = ClientAssertionCredential::new(
        options.tenant.as_ref().unwrap_or(&lent.tenant).clone(),
        options.client_id.clone(),
        FromFile {
            platform: lent.platform.clone(),
            options: options.clone(),
        },
        Some(ClientAssertionCredentialOptions {
            client_options: client_options(&options.retry, lent),
        }),
    );
    made.map(|made| made as _)
}

fn client_options(retry: &credsim::credential::RetryOptions, lent: &Lent) -> ClientOptions {
    let mut options = transport::options(&lent.platform);
    if *retry != credsim::credential::RetryOptions::default() {
        options.retry = RetryOptions::exponential(retries(retry));
    }
    options
}

/// What is not set has the crate's default.
fn retries(retry: &credsim::credential::RetryOptions) -> ExponentialRetryOptions {
    let mut options = ExponentialRetryOptions::default();
    if let Some(times) = retry.max_retries {
        options.max_retries = times;
    }
    if let Some(delay) = retry.retry_delay {
        options.initial_delay = duration(delay);
    }
    if let Some(delay) = retry.max_retry_delay {
        options.max_delay = duration(delay);
    }
    options
}

fn duration(Span(span): Span) -> Duration {
    Duration::try_from(span).unwrap_or(Duration::MAX)
}
