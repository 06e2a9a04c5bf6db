//! The world at its start.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZoneDatabase;
use url::{Host, Url};

use super::{Check, Place, Whole};
use crate::{
    check::is_guid,
    host::APP,
    service::{entra::ENTRA_HOST, imds::IMDS_HOST},
};
use crate::{
    http::limit::Limit,
    scenario::diagnostics::closest,
    service::{
        entra::world::Entra,
        imds::world::{Imds, ManagedIdentity},
    },
};

impl<'a> Whole<'a> {
    pub(crate) fn world(&mut self) {
        let world = &self.scenario.world;
        let place = Place::default().key("world");
        self.longer_than_zero(
            world.lasts,
            &place.key("lasts"),
            "a world that lasts no time shows nothing",
        );
        if world.start.0.checked_add(world.lasts.0).is_err() {
            self.at_value(
                &place.key("lasts"),
                "this world ends after the last year there is",
            )
            .label(format!("counted from {}", world.start))
            .expected("a world that ends before the year 10000");
        }
        if let Some(zone) = &world.host.time_zone {
            self.time_zone(zone, &place.key("host").key("time-zone"));
        }
        for (name, value) in &world.environment {
            self.variable(name, value, &place.key("environment").key(name));
        }
        let mut ids = BTreeSet::new();
        if let Some(imds) = &world.imds {
            self.imds(imds, &place.key("imds"), &mut ids);
        }
        if let Some(entra) = &world.entra {
            self.entra(entra, &place.key("entra"), &mut ids);
        }
        for (user, account) in &world.accounts {
            let place = place.key("accounts").key(user);
            if user.trim().is_empty() {
                self.at_key(&place, "this account has no user name")
                    .label("says nothing")
                    .expected("a user name, such as \"alice@contoso.example\"");
            }
            let key = self.document().key(&place);
            self.visible(user, key, "a user name in visible characters");
            self.id(&account.object_id, &place.key("object-id"), &mut ids);
        }
        for command in world.commands() {
            command.check(&place.key(command.program().name()), self);
        }
        if let Some(redis) = &world.redis {
            redis.check(&place.key("redis"), self);
        }
        self.resources(&place.key("resources"));
    }
}

impl<'a> Check<'a> {
    fn time_zone(&mut self, zone: &str, place: &Place) {
        let zones = TimeZoneDatabase::bundled();
        if zones.get(zone).is_ok() {
            return;
        }
        let known = zones
            .available()
            .map(|name| name.to_string())
            .collect::<Vec<_>>();
        let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
        let near = closest(zone, known.iter().map(String::as_str)).or_else(|| {
            known
                .iter()
                .map(String::as_str)
                .find(|name| city(name) == zone.to_lowercase())
        });
        let problem = self.at_value(place, format!("there is no time zone `{zone}`"));
        problem
            .label("unknown")
            .expected("an IANA name, such as `Europe/Berlin` or `UTC`");
        if let Some(near) = near {
            problem.help(format!("did you mean `{near}`?"));
        }
    }

    /// An environment variable.
    pub(crate) fn variable(&mut self, name: &str, value: &str, place: &Place) {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            self.at_key(place, "no system has such an environment variable")
                .label("impossible")
                .expected("a name without `=`, and neither name nor value with a NUL");
        }
    }

    fn imds(&mut self, imds: &'a Imds, place: &Place, ids: &mut BTreeSet<&'a str>) {
        self.token_life(imds.token_life, place);
        self.range(imds.takes, &place.key("takes"));
        if !imds.keeps_tokens && !imds.keeps_until_left.0.is_zero() {
            self.at_key(&place.key("keeps-until-left"), "this has no effect")
                .label("IMDS keeps no tokens here")
                .help("add `keeps-tokens = true`");
        }
        self.limit(imds.limit.as_ref(), &place.key("limit"));
        if let Some(identity) = &imds.system_identity {
            let place = place.key("system-identity");
            self.system_identity(identity, &place);
            self.identity(identity, &place, ids);
        }
        let mut resource_ids = BTreeSet::new();
        for (index, identity) in imds.user_identities.iter().enumerate() {
            let place = place.key("user-identities").index(index);
            self.identity(identity, &place, ids);
            let Some(id) = &identity.resource_id else {
                continue;
            };
            let place = place.key("resource-id");
            if !id.to_lowercase().starts_with("/subscriptions/") {
                self.at_value(&place, "this is no resource id")
                    .label("must begin with `/subscriptions/`")
                    .expected(
                        "/subscriptions/<id>/resourcegroups/<group>/providers/\
                     Microsoft.ManagedIdentity/userAssignedIdentities/<name>",
                    );
            } else if !resource_ids.insert(id.to_lowercase()) {
                self.at_value(&place, "two identities have this resource id")
                    .label("this is the second one")
                    .help("give each its own");
            }
        }
    }

    /// A system-assigned identity.
    pub(crate) fn system_identity(&mut self, identity: &ManagedIdentity, place: &Place) {
        if identity.resource_id.is_some() {
            self.at_key(
                &place.key("resource-id"),
                "a system-assigned identity has no resource id",
            )
            .label("only user-assigned identities have one")
            .help("remove it, or put the identity under `user-identities`");
        }
    }

    fn identity(
        &mut self,
        identity: &'a ManagedIdentity,
        place: &Place,
        ids: &mut BTreeSet<&'a str>,
    ) {
        self.id(&identity.object_id, &place.key("object-id"), ids);
        if let Some(client_id) = &identity.client_id {
            self.id(client_id, &place.key("client-id"), ids);
        }
    }

    /// An object id or client id: a GUID that nothing else has.
    fn id(&mut self, id: &'a str, place: &Place, ids: &mut BTreeSet<&'a str>) {
        self.guid(id, place);
        if !id.is_empty() && !ids.insert(id) {
            self.at_value(place, format!("two ids are `{id}`"))
                .label("this is the second one")
                .expected("an id that nobody else in this world has")
                .help("give each its own: otherwise nobody can tell who answered");
        }
    }

    /// An id in the form that Azure gives them.
    pub(crate) fn guid(&mut self, id: &str, place: &Place) {
        if !is_guid(id) {
            self.at_value(place, format!("`{id}` is not an id of Azure"))
                .label(match id.len() {
                    0 => "it is empty".to_owned(),
                    36 => "not hexadecimal digits in groups of 8-4-4-4-12".to_owned(),
                    length => format!("{length} characters instead of 36"),
                })
                .expected("a GUID, such as \"5e29463d-0000-0000-0000-000000000001\"");
        }
    }

    fn entra(&mut self, entra: &'a Entra, place: &Place, ids: &mut BTreeSet<&'a str>) {
        self.token_life(entra.token_life, place);
        self.range(entra.takes, &place.key("takes"));
        self.limit(entra.limit.as_ref(), &place.key("limit"));
        self.text(&entra.tenant, &place.key("tenant"), "the id of the tenant");
        if let Some(refresh_in) = entra.refresh_in {
            let place = place.key("refresh-in");
            if refresh_in >= entra.token_life {
                self.at_value(&place, "a token would be renewed after it has ended")
                    .label(format!("tokens live {}", entra.token_life))
                    .expected(format!("less than {}", entra.token_life));
            }
            self.whole_seconds(refresh_in, &place);
        }
        for (index, app) in entra.apps.iter().enumerate() {
            let place = place.key("apps").index(index);
            self.id(&app.client_id, &place.key("client-id"), ids);
            self.id(&app.object_id, &place.key("object-id"), ids);
        }
    }

    fn limit(&mut self, limit: Option<&Limit>, place: &Place) {
        let Some(limit) = limit else { return };
        self.longer_than_zero(limit.per, &place.key("per"), "a window needs some length");
        if let Some(value) = &limit.retry_after {
            self.header_value(value, &place.key("retry-after"));
        }
    }
}

impl Whole<'_> {
    fn resources(&mut self, place: &Place) {
        let mut hosts = BTreeMap::from([
            (ENTRA_HOST.to_owned(), "Entra".to_owned()),
            (APP.to_owned(), "the app itself".to_owned()),
        ]);
        for (name, resource) in &self.scenario.world.resources {
            let place = place.key(name);
            let key = self.document().key(&place);
            self.visible(name, key, "a name in visible characters");
            let audience = place.key("audience");
            match Url::parse(&resource.audience) {
                Ok(url)
                    if url.scheme() == "https"
                        && url.path() == "/"
                        && url.port().is_none()
                        && url.query().is_none() =>
                {
                    self.host(name, &resource.audience, &url, &audience, &mut hosts);
                }
                _ => {
                    let problem =
                        self.at_value(&audience, "this is no audience that is also a host");
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
                self.principal_at(principal, &place, true);
                for (index, right) in rights.iter().enumerate() {
                    self.text(
                        right,
                        &place.index(index),
                        "a right, such as `read` or `write`",
                    );
                }
            }
        }
    }
}

impl Check<'_> {
    /// The host of a resource: a name that nothing else in the world has.
    fn host(
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
                .label(if host == IMDS_HOST {
                    "IMDS answers there"
                } else {
                    "not the name of a host"
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
