//! Fills the names of a scenario.

use super::super::{Credential, FallbackPolicy, ManagedIdentity, Scenario};
use crate::{action, world::Names};

/// The members of `DefaultAzureCredential`.
const DEFAULT_CHAIN: [&str; 8] = [
    "EnvironmentCredential",
    "WorkloadIdentityCredential",
    "ManagedIdentityCredential",
    "VisualStudioCodeCredential",
    "AzureCliCredential",
    "AzurePowerShellCredential",
    "AzureDeveloperCliCredential",
    "BrokerCredential",
];

/// The names of `scenario`.
pub(super) fn of(scenario: &Scenario) -> Names<'_> {
    let mut names = Names::default();
    names.of_world(scenario);
    names.of_timeline(scenario);
    names.of_credential(&scenario.subject.credential);
    names
}

impl<'a> Names<'a> {
    fn of_world(&mut self, scenario: &'a Scenario) {
        let world = &scenario.world;
        if let Some(imds) = &world.imds {
            if let Some(identity) = &imds.system_identity {
                self.identity(identity, "the system-assigned identity");
            }
            for identity in &imds.user_identities {
                self.identity(identity, "a user-assigned identity");
            }
        }
        for app in world.entra.iter().flat_map(|entra| &entra.apps) {
            self.principals
                .insert(&app.object_id, format!("the application {}", app.client_id));
            self.apps.insert(&app.client_id);
            self.clients.insert(&app.client_id);
        }
        for (user, account) in &world.accounts {
            self.principals.insert(&account.object_id, user.clone());
        }
        if let Some(client) = world.environment.get("AZURE_CLIENT_ID") {
            self.clients.insert(client);
        }
    }

    fn of_timeline(&mut self, scenario: &'a Scenario) {
        for at in &scenario.at {
            match at.action.consequences().names {
                action::Names::Nothing => {}
                action::Names::SystemIdentity(identity) => {
                    self.identity(identity, "the system-assigned identity");
                }
                action::Names::Client(id) => {
                    self.clients.insert(id);
                }
            }
        }
    }

    fn identity(&mut self, identity: &'a ManagedIdentity, what: &str) {
        self.principals.insert(&identity.object_id, what.to_owned());
        self.identities.insert(&identity.object_id);
    }

    fn of_credential(&mut self, credential: &'a Credential) {
        match credential {
            Credential::Default(options) => {
                self.has_chain = true;
                self.refuses |= options.fallback_policy == FallbackPolicy::Refuse;
                self.credentials.insert("DefaultAzureCredential");
                self.credentials.extend(DEFAULT_CHAIN);
            }
            Credential::Chain(options) => {
                self.has_chain = true;
                self.refuses |= options.fallback_policy == FallbackPolicy::Refuse;
                self.credentials.insert("ChainedTokenCredential");
                for member in &options.of {
                    self.of_credential(member);
                }
            }
            Credential::Cached(options) => self.of_credential(&options.of),
            Credential::ManagedIdentity(_) => {
                self.credentials.insert("ManagedIdentityCredential");
            }
            Credential::ClientSecret(options) => {
                self.clients.insert(&options.client_id);
                self.credentials.insert("ClientSecretCredential");
            }
            Credential::Environment(_) => {
                self.credentials.insert("EnvironmentCredential");
            }
            Credential::AzureCli(_) => {
                self.credentials.insert("AzureCliCredential");
            }
            Credential::AzureDeveloperCli(_) => {
                self.credentials.insert("AzureDeveloperCliCredential");
            }
            Credential::AzurePowerShell(_) => {
                self.credentials.insert("AzurePowerShellCredential");
            }
        }
    }
}
