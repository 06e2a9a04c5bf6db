//! Fills the names of a scenario.

use super::super::Scenario;
use crate::service::Principal;
use crate::service::managed_identity::ManagedIdentity;
use crate::{action, check::Names};

/// The names of `scenario`.
pub(crate) fn of(scenario: &Scenario) -> Names<'_> {
    let mut names = Names::default();
    names.of_world(scenario);
    names.of_timeline(scenario);
    scenario.subject.credential.names(&mut names);
    names
}

impl<'a> Names<'a> {
    fn of_world(&mut self, scenario: &'a Scenario) {
        let world = &scenario.world;
        for principal in world
            .services()
            .iter()
            .flat_map(|service| service.principals())
        {
            match principal {
                Principal::Identity { object_id, what } => {
                    self.principals.insert(object_id, what.to_owned());
                    self.identities.insert(object_id);
                }
                Principal::App {
                    object_id,
                    client_id,
                } => {
                    let what = format!("the application {client_id}");
                    self.principals.insert(object_id, what);
                    self.apps.insert(client_id);
                    self.clients.insert(client_id);
                }
            }
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
}
