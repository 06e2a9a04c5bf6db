//! The world at its start.

use jiff::tz::TimeZoneDatabase;

use super::{Check, Place, Whole};
use crate::scenario::diagnostics::closest;

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
        for (path, file) in &world.files {
            file.check(path, &place.key("files").key(path), self);
        }
        for service in world.services() {
            service.check(&place.key(service.key()), self);
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
            self.own_id(&account.object_id, &place.key("object-id"));
        }
        for command in world.commands() {
            command.check(&place.key(command.program().name()), self);
        }
    }
}

impl Check<'_> {
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
}
