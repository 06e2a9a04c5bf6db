//! The Redis client of the `credsim-identity` crate: its provider, and the connections on top.

mod client;

pub use client::client;

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    Error, ManagedIdentityId, RetryOptions, TokenCredential,
    redis::{
        AuthorityConfig, EntraIdCredentialsProvider, EntraIdCredentialsProviderFactory as Factory,
        EntraIdProviderOptions, RedisEvent, RedisObserver, TokenManagerConfig,
    },
};

use super::super::{Lent, RedisReporter};
use crate::{
    credential::{Credential, RedisSubject},
    scenario::Span,
    trace::RedisReport,
};

/// The provider that a scenario describes, from the factory that documentation names for its
/// credential, or else on the credential.
///
/// # Errors
/// The provider's construction error.
pub fn provider(
    client: &RedisSubject,
    credential: &Credential,
    lent: &Lent,
) -> Result<EntraIdCredentialsProvider, Error> {
    match credential {
        Credential::ManagedIdentity(of) => {
            let options = options(client, lent, of.retry.ours());
            let ids = [
                of.client_id.clone().map(ManagedIdentityId::ClientId),
                of.object_id.clone().map(ManagedIdentityId::ObjectId),
                of.resource_id.clone().map(ManagedIdentityId::ResourceId),
            ];
            match ids.into_iter().flatten().next() {
                None => Factory::create_for_system_assigned_managed_identity(options),
                Some(id) => Factory::create_for_user_assigned_managed_identity(id, options),
            }
        }
        Credential::ClientSecret(of) => {
            let authority = AuthorityConfig::MultiTenant {
                tenant_id: of.tenant.clone().unwrap_or_else(|| lent.tenant.clone()),
            };
            let options = options(client, lent, of.retry.ours());
            Factory::create_for_client_credentials(authority, &of.client_id, &of.secret, options)
        }
        other => provider_on(other.build(lent)?.credential, client, lent),
    }
}

/// The provider that a scenario describes, on a credential that exists already.
///
/// # Errors
/// The provider's construction error.
pub fn provider_on(
    credential: Arc<dyn TokenCredential>,
    client: &RedisSubject,
    lent: &Lent,
) -> Result<EntraIdCredentialsProvider, Error> {
    let options = options(client, lent, RetryOptions::default());
    Factory::create_for_token_credential(credential, options)
}

fn options(client: &RedisSubject, lent: &Lent, retry: RetryOptions) -> EntraIdProviderOptions {
    EntraIdProviderOptions {
        scopes: client.scopes.clone(),
        config: config(client),
        platform: Some(lent.platform.clone()),
        observer: Some(Arc::new(Reports(lent.reporter.clone()))),
        credential_retry: retry,
    }
}

fn config(client: &RedisSubject) -> TokenManagerConfig {
    let mut config = TokenManagerConfig::default();
    set(
        &mut config.expiration_refresh_ratio,
        client.expiration_refresh_ratio,
    );
    set(
        &mut config.lower_refresh_bound,
        client.lower_refresh_bound.map(time),
    );
    set(
        &mut config.request_timeout,
        client.request_timeout.map(time),
    );
    let (retry, given) = (&mut config.retry, &client.retry);
    set(&mut retry.max_attempts, given.max_attempts);
    set(&mut retry.initial_delay, given.initial_delay.map(time));
    set(&mut retry.max_delay, given.max_delay.map(time));
    set(&mut retry.backoff_multiplier, given.backoff_multiplier);
    set(&mut retry.jitter, given.jitter);
    config
}

fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}

fn time(span: Span) -> Duration {
    span.0
}

/// Tells the run what the client reports.
pub(super) struct Reports(pub RedisReporter);

impl RedisObserver for Reports {
    fn event(&self, event: &RedisEvent) {
        let what = match event {
            RedisEvent::Refreshed { .. } => RedisReport::Refreshed,
            RedisEvent::SameToken { .. } => RedisReport::SameToken,
            RedisEvent::Retrying { .. } => RedisReport::Retrying,
            RedisEvent::Failing { .. } => RedisReport::Failing,
            RedisEvent::Recovered => RedisReport::Recovered,
            RedisEvent::Connected { .. } => RedisReport::Connected,
            RedisEvent::Reauthenticated { .. } => RedisReport::Reauthenticated,
            RedisEvent::ReauthenticationFailed { .. } => RedisReport::ReauthenticationFailed,
            RedisEvent::TransactionFailed { .. } => RedisReport::TransactionFailed,
            RedisEvent::Replaced { .. } => RedisReport::Replaced,
            RedisEvent::SubscriptionRefused { .. } => RedisReport::SubscriptionRefused,
            // What has no name in scenarios yet.
            _ => return,
        };
        (self.0)(what, event.to_string());
    }
}
