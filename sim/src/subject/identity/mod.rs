//! Ours: the credentials of the `credsim-identity` crate.

pub mod redis;

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential, Cached,
    ChainedTokenCredential, ClientSecretCredential, ContinueAfter, DefaultAzureCredential,
    EnvironmentCredential, Error, FallbackPolicy, ManagedIdentityCredential, Observer,
    RetryOptions, TokenCredential,
};

use super::{Built, Lent, RedisClient, Subject};
use crate::scenario::{self, Credential};

/// The subject `identity`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

impl Subject for Identity {
    fn name(&self) -> &str {
        "identity"
    }

    fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
        match credential {
            Credential::Default(options) => default(options, lent),
            Credential::Chain(options) => self.chain(options, lent),
            Credential::ManagedIdentity(options) => managed_identity(options, lent),
            Credential::ClientSecret(options) => client_secret(options, lent),
            Credential::Environment(_) => EnvironmentCredential::builder()
                .platform(lent.platform.clone())
                .observer(lent.observer.clone())
                .build()
                .map(Built::new),
            Credential::AzureCli(options) => of_a_command!(AzureCliCredential, options, lent),
            Credential::AzureDeveloperCli(options) => {
                of_a_command!(AzureDeveloperCliCredential, options, lent)
            }
            Credential::AzurePowerShell(options) => {
                of_a_command!(AzurePowerShellCredential, options, lent)
            }
            Credential::Cached(options) => {
                let inner = self.build(&options.of, &inside(lent))?.credential;
                let cached = Cached::on(lent.platform.clone(), inner);
                Ok(Built::new(cached.observer(lent.observer.clone())))
            }
        }
    }

    fn build_redis(
        &self,
        client: &scenario::RedisSubject,
        credential: &Credential,
        lent: &Lent,
    ) -> Result<Arc<dyn RedisClient>, Error> {
        let build = |credential: &Credential, lent: &Lent| self.shared(credential, lent);
        let provider = redis::provider(client, credential, lent, build)?;
        Ok(redis::client(provider, client, lent))
    }
}

impl Identity {
    /// What the factory of a Redis provider takes.
    fn shared(
        self,
        credential: &Credential,
        lent: &Lent,
    ) -> Result<Arc<dyn TokenCredential>, Error> {
        self.build(credential, lent).map(|built| built.credential)
    }

    fn chain(&self, options: &scenario::ChainOptions, lent: &Lent) -> Result<Built, Error> {
        let mut chain = ChainedTokenCredential::builder()
            .platform(lent.platform.clone())
            .observer(lent.observer.clone())
            .continue_after(continue_after(options.continue_after))
            .fallback_policy(fallback_policy(options.fallback_policy));
        for member in &options.of {
            chain = chain.credential(self.build(member, &inside(lent))?.credential);
        }
        chain.build().map(Built::new)
    }
}

fn default(options: &scenario::DefaultOptions, lent: &Lent) -> Result<Built, Error> {
    let mut builder = DefaultAzureCredential::builder()
        .platform(lent.platform.clone())
        .observer(lent.observer.clone())
        .required_env_vars(options.required_variables.iter().cloned())
        .continue_after(continue_after(options.continue_after))
        .fallback_policy(fallback_policy(options.fallback_policy))
        .retry(retry(&options.retry));
    if let Some(id) = &options.managed_identity_client_id {
        builder = builder.managed_identity_client_id(id);
    }
    builder.build().map(Built::new)
}

fn managed_identity(
    options: &scenario::ManagedIdentityOptions,
    lent: &Lent,
) -> Result<Built, Error> {
    let mut builder = ManagedIdentityCredential::builder()
        .platform(lent.platform.clone())
        .observer(lent.observer.clone())
        .retry(retry(&options.retry));
    if let Some(id) = &options.client_id {
        builder = builder.client_id(id);
    }
    if let Some(id) = &options.object_id {
        builder = builder.object_id(id);
    }
    if let Some(id) = &options.resource_id {
        builder = builder.resource_id(id);
    }
    builder.build().map(Built::new)
}

fn client_secret(options: &scenario::ClientSecretOptions, lent: &Lent) -> Result<Built, Error> {
    let tenant = options.tenant.as_ref().unwrap_or(&lent.tenant);
    ClientSecretCredential::builder(tenant, &options.client_id, &options.secret)
        .platform(lent.platform.clone())
        .observer(lent.observer.clone())
        .retry(retry(&options.retry))
        .build()
        .map(Built::new)
}

/// The credentials of commands are built alike.
macro_rules! of_a_command {
    ($credential:ident, $options:expr, $lent:expr) => {{
        let (options, lent): (&scenario::CliOptions, &Lent) = ($options, $lent);
        let mut builder = $credential::builder()
            .platform(lent.platform.clone())
            .observer(lent.observer.clone());
        if let Some(tenant) = &options.tenant {
            builder = builder.tenant_id(tenant);
        }
        if let Some(limit) = options.process_timeout {
            builder = builder.process_timeout(limit.0);
        }
        builder.build().map(Built::new)
    }};
}
use of_a_command;

/// What a credential inside another one is built with: the outer one tells the observer.
fn inside(lent: &Lent) -> Lent {
    struct Quiet;
    impl Observer for Quiet {}
    Lent {
        observer: Arc::new(Quiet),
        ..lent.clone()
    }
}

fn retry(options: &scenario::RetryOptions) -> RetryOptions {
    let duration = |span: Option<scenario::Span>| -> Option<Duration> { span.map(|span| span.0) };
    RetryOptions {
        max_retries: options.max_retries,
        retry_delay: duration(options.retry_delay),
        max_retry_delay: duration(options.max_retry_delay),
        retry_after_cap: duration(options.retry_after_cap),
    }
}

fn continue_after(after: scenario::ContinueAfter) -> ContinueAfter {
    match after {
        scenario::ContinueAfter::Unavailable => ContinueAfter::Unavailable,
        scenario::ContinueAfter::Failure => ContinueAfter::Failure,
    }
}

fn fallback_policy(policy: scenario::FallbackPolicy) -> FallbackPolicy {
    match policy {
        scenario::FallbackPolicy::Report => FallbackPolicy::Report,
        scenario::FallbackPolicy::Refuse => FallbackPolicy::Refuse,
    }
}
