//! What a scenario says of APIs that check tokens.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{resource_host, server::Resource as Endpoint};
use crate::{
    backend::Stage,
    engine::Server,
    http::{limit::Limit, server::server},
    scenario::{Range, Span},
    service::{Principal, Reach, Service},
};

/// An API that checks tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Resource {
    /// The audience its tokens must have, which is also its host: `https://vault.azure.net`.
    pub audience: String,
    /// What each principal may do, by object id: `read`, `write`. Who is not here gets 403.
    #[serde(default)]
    pub grants: BTreeMap<String, Vec<String>>,
}

/// All of them, by name.
impl Service for BTreeMap<String, Resource> {
    fn advice() -> &'static str {
        "with the table of a resource by its name"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn key(&self) -> &'static str {
        "resources"
    }

    fn titles(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }

    fn hosts(&self) -> Vec<(String, u16)> {
        let hosts = self.values().map(resource_host);
        hosts.map(|host| (host.to_owned(), 443)).collect()
    }

    fn reach(&self) -> Reach {
        Reach::Reachable
    }

    fn takes(&self) -> Vec<Range> {
        Vec::new()
    }

    fn token_life(&self) -> Option<Span> {
        None
    }

    fn limit(&self) -> Option<&Limit> {
        None
    }

    fn lasting(&self) -> Option<String> {
        None
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        Vec::new()
    }

    fn describe(&self) -> Vec<String> {
        self.iter().map(|(name, api)| resource(name, api)).collect()
    }

    fn servers(&self, backend: &Stage) -> Vec<Server> {
        // A host serves the first resource that names it.
        let mut taken = BTreeSet::new();
        self.iter()
            .filter(|(_, api)| taken.insert(resource_host(api)))
            .map(|(name, api)| server(backend, resource_host(api), 443, Endpoint::new(name)))
            .collect()
    }

    fn crash(&self, _: &Stage, _: Duration) {}
}

fn resource(name: &str, resource: &Resource) -> String {
    let grants = resource.grants.iter();
    let grants: Vec<String> = grants
        .map(|(who, rights)| format!("{who} may {}", rights.join(" and ")))
        .collect();
    let grants = if grants.is_empty() {
        "nobody may use it".to_owned()
    } else {
        grants.join(", ")
    };
    format!("resource {name} at {}: {grants}", resource.audience)
}
