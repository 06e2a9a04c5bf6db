//! What a scenario says of APIs that check tokens.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use crate::{check::Check, scenario::document::Place};

/// An API that checks tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Resource {
    /// The audience its tokens must have, which is also its host: `https://vault.azure.net`.
    pub audience: String,
    /// What each principal may do, by object id: `read`, `write`. A principal that is not listed
    /// gets 403.
    #[serde(default)]
    pub grants: BTreeMap<String, Vec<String>>,
}

/// Checks the resources at `place`.
pub(super) fn check(resources: &BTreeMap<String, Resource>, place: &Place, check: &mut Check<'_>) {
    let reserved = check.rest.reserved_hosts.iter();
    let mut hosts: BTreeMap<String, String> = reserved
        .map(|(host, title)| ((*host).to_owned(), (*title).to_owned()))
        .collect();
    for (name, resource) in resources {
        let place = place.key(name);
        let key = check.document().key(&place);
        check.visible(name, key, "a name in visible characters");
        let audience = place.key("audience");
        match Url::parse(&resource.audience) {
            Ok(url)
                if url.scheme() == "https"
                    && url.path() == "/"
                    && url.port().is_none()
                    && url.query().is_none() =>
            {
                check.resource_host(name, &resource.audience, &url, &audience, &mut hosts);
            }
            _ => {
                let problem = check.at_value(&audience, "this audience is not the URL of a host");
                problem
                    .label("not `https://` and a host")
                    .expected("such as \"https://vault.azure.net\"");
                if let Some(audience) = resource.audience.strip_suffix("/.default") {
                    problem.help(format!("this is a scope; its audience is \"{audience}\""));
                }
            }
        }
        for (principal, rights) in &resource.grants {
            let place = place.key("grants").key(principal);
            check.principal_at(principal, &place, true);
            for (index, right) in rights.iter().enumerate() {
                check.text(
                    right,
                    &place.index(index),
                    "a right, such as `read` or `write`",
                );
            }
        }
    }
}

impl Check<'_> {
    /// The host of a resource: a name that nothing else in the world has.
    fn resource_host(
        &mut self,
        name: &str,
        audience: &str,
        url: &Url,
        place: &Place,
        hosts: &mut BTreeMap<String, String>,
    ) {
        let host = url.host_str().unwrap_or_default();
        let other = hosts.get(host).cloned();
        let written = audience.strip_prefix("https://").unwrap_or_default();
        let written = written.strip_suffix('/').unwrap_or(written);
        if let Some(Host::Ipv4(_) | Host::Ipv6(_)) = url.host() {
            let problem = self.at_value(place, format!("`{host}` is an address"));
            problem
                .label(match other {
                    Some(other) => format!("{other} answers there"),
                    None => "not the name of a host".to_owned(),
                })
                .expected("a host by name, such as \"https://vault.azure.net\"");
        } else if let Some(other) = other {
            self.at_value(place, format!("`{host}` is two things"))
                .label(format!("this is the host of {other} already"))
                .help("give each resource a host of its own");
        } else if written != host {
            self.at_value(place, "requests name this host in another form")
                .label(format!("requests go to `{host}`"))
                .expected("a host in lower case and ASCII, and nothing else")
                .help(format!("write \"https://{host}\""));
        }
        hosts
            .entry(host.to_owned())
            .or_insert_with(|| format!("`{name}`"));
    }
}
