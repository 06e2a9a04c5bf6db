//! An API that checks the tokens it is shown.

pub mod matcher;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use crate::{
    backend::Backend,
    check::Check,
    engine::Server,
    fault::effect::KnownPreset,
    http::{exchange::Request, limit::Limit, server::server as serve_on},
    scenario::{Range, Span, document::Place},
    service::{Asked, Bypass, Principal, Reach, Service, TokenSource},
    trace::Facts,
};
use world::Resource;

/// The host of a resource: its audience without scheme and path.
pub fn resource_host(resource: &Resource) -> &str {
    let audience = resource.audience.as_str();
    let host = audience
        .split_once("://")
        .map_or(audience, |(_, host)| host);
    host.split('/').next().unwrap_or(host)
}

/// All of them, by name.
impl Service for BTreeMap<String, Resource> {
    fn advice() -> &'static str {
        "with the table of a resource by its name"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn presets() -> Vec<KnownPreset> {
        Vec::new()
    }

    fn facts_of(_: &str, _: &Request) -> Option<Facts> {
        None
    }

    fn asked(_: &Facts) -> Option<Asked> {
        None
    }

    fn asked_for(_: &Facts) -> Option<&str> {
        None
    }

    fn token_source() -> Option<TokenSource> {
        None
    }

    fn reserved_host() -> Option<(&'static str, &'static str)> {
        None
    }

    fn bypass(&self) -> Option<Bypass> {
        None
    }

    fn reached_at(&self, _: &Backend, _: &str, _: SocketAddr) {}

    fn key(&self) -> &'static str {
        "resources"
    }

    fn check(&self, place: &Place, check: &mut Check<'_>) {
        world::check(self, place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        Vec::new()
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

    fn install(&self, backend: &Backend) {
        backend.state().parts.insert(self.clone());
    }

    fn servers(&self, backend: &Backend) -> Vec<Server> {
        // A host serves the first resource that names it.
        let mut taken = BTreeSet::new();
        self.iter()
            .filter(|(_, api)| taken.insert(resource_host(api)))
            .map(|(name, api)| {
                let at = (resource_host(api), 443);
                serve_on(backend, at, false, server::Resource::new(name))
            })
            .collect()
    }

    fn crash(&self, _: &Backend, _: Duration) {}
}

fn resource(name: &str, resource: &Resource) -> String {
    let grants = resource.grants.iter();
    let grants: Vec<String> = grants
        .map(|(who, rights)| format!("{who} may {}", rights.join(" and ")))
        .collect();
    let grants = if grants.is_empty() {
        "no principal may use it".to_owned()
    } else {
        grants.join(", ")
    };
    format!("resource {name} at {}: {grants}", resource.audience)
}
