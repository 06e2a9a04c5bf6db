//! The registry of services and commands: what `[world]`, faults and expectations can name.
//!
//! It is made from `services!` and `commands!`, which list them; what is generated here needs no
//! list of services anywhere else.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::JsonSchema;
use serde::Deserialize;

use super::files::Files;
use crate::wording::Number;
use crate::{
    check::Check,
    command::{
        self, Account, Command, Program, commands,
        matcher::{CommandMatch, RunsOf},
    },
    fault::{
        Matcher,
        effect::{KnownPreset, TargetKind},
    },
    http::exchange::Request,
    scenario::{Moment, SignedSpan, Span, document::Place},
    service::{
        self, Asked, TokenSource,
        resource::{matcher::ResourceRef, world::Resource},
        services,
    },
    trace::Facts,
};

macro_rules! define {
    (
        services { $($skey:literal $sfield:ident $svariant:ident {
            $(#[$sworld:meta])* keys: $skeys:ty,
            $(#[$starget:meta])* matcher: $smatcher:ty,
            $(#[$shost:meta])* host,
        })* }
        $( $(#[$cworld:meta])* $cfield:ident $cvariant:ident, )*
    ) => {
        /// The world at its start.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct World {
            /// The date and time at which the world begins.
            pub start: Moment,
            /// How long it lasts.
            pub lasts: Span,
            /// The host that the subject runs on.
            #[serde(default)]
            pub host: HostWorld,
            /// The environment variables of that host.
            #[serde(default)]
            pub environment: BTreeMap<String, String>,
            /// The files of that host, by their absolute paths.
            #[serde(default)]
            pub files: Files,
            /// People who can sign in, by user name.
            #[serde(default)]
            pub accounts: BTreeMap<String, Account>,
            $($(#[$sworld])* pub $sfield: Option<$skeys>,)*
            $($(#[$cworld])* pub $cfield: Option<command::$cvariant>,)*
            /// APIs that check tokens, by the name by which calls and expectations know them.
            #[serde(default)]
            pub resources: BTreeMap<String, Resource>,
        }

        impl World {
            /// Its services, then the APIs that check tokens.
            pub(crate) fn services(&self) -> Vec<&dyn service::Service> {
                let mut all: Vec<&dyn service::Service> = Vec::new();
                $(if let Some(it) = &self.$sfield { all.push(it); })*
                all.push(&self.resources);
                all
            }

            /// The host of one of its APIs, with its port; empty if it has no such API.
            pub(crate) fn hosts_of_resource(&self, name: &str) -> Vec<(String, u16)> {
                let api = self.resources.get(name).map(service::resource::resource_host);
                api.map(|host| (host.to_owned(), 443)).into_iter().collect()
            }

            /// The environment variables of the subject's host: those that the platform sets
            /// because of its services, and those that the file states, which win.
            pub(crate) fn host_environment(&self) -> BTreeMap<String, String> {
                let services = self.services();
                let of_services = services.iter().flat_map(|service| service.environment());
                let mut variables: BTreeMap<String, String> = of_services
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                variables.extend(self.environment.clone());
                variables
            }

            /// The commands of which it says something, in the order of the registry.
            pub(crate) fn commands(&self) -> impl Iterator<Item = &dyn Command> {
                let all = [$(self.$cfield.as_ref().map(|it| it as &dyn Command)),*];
                all.into_iter().flatten()
            }

            /// What `explain` says of services that this world lacks.
            pub(crate) fn absent(&self) -> Vec<&'static str> {
                let mut lines = Vec::new();
                $(if self.$sfield.is_none() {
                    lines.extend(<$skeys as service::Service>::absent());
                })*
                lines
            }
        }

        /// What the service at `host` would know of a request; nothing if there is no service of
        /// ours.
        pub(crate) fn facts_of(host: &str, request: &Request) -> Facts {
            let known = None;
            $(let known = known.or_else(|| {
                <$skeys as service::Service>::facts_of(host, request)
            });)*
            known.unwrap_or_default()
        }

        /// The service that a request asks, and what for; none if no service knows of it.
        pub(crate) fn asked(facts: &Facts) -> Option<(Service, Asked)> {
            let known = None;
            $(let known = known.or_else(|| {
                let asked = <$skeys as service::Service>::asked(facts)?;
                Some((Service::$svariant, asked))
            });)*
            known
        }

        /// For which scopes or resource the request asks of which `facts` are known.
        pub(crate) fn asked_for(facts: &Facts) -> Option<&str> {
            let known = None;
            $(let known = known.or_else(|| <$skeys as service::Service>::asked_for(facts));)*
            known
        }

        /// The hosts that are a service's own in every world, with the titles of the services.
        pub(crate) fn reserved_hosts() -> Vec<(&'static str, &'static str)> {
            let all = [$(<$skeys as service::Service>::reserved_host()),*];
            all.into_iter().flatten().collect()
        }

        /// The keys of the services that give tokens to credentials.
        pub(crate) fn token_sources() -> Vec<&'static str> {
            let all = [$((Service::$svariant, Service::$svariant.token_source())),*];
            let sources = all.into_iter().filter(|(_, source)| source.is_some());
            sources.map(|(service, _)| service.name()).collect()
        }

        /// What the services say word for word, in the order of the registry.
        pub(crate) fn presets() -> Vec<KnownPreset> {
            let mut all = Vec::new();
            $(all.extend(<$skeys as service::Service>::presets());)*
            all
        }

        /// What to write under the key of a service or command that a world lacks.
        pub(crate) fn advice(key: &str) -> &'static str {
            match key {
                $($skey => <$skeys as service::Service>::advice(),)*
                _ => "with `installed = false` if it is not installed",
            }
        }

        /// A service that has a host of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Service {
            $($(#[$shost])* $svariant,)*
        }

        impl Service {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$svariant),*];

            /// Its name in scenario files and traces.
            pub fn name(self) -> &'static str {
                match self { $(Self::$svariant => $skey,)* }
            }

            /// How credentials get tokens from it; none if they do not.
            pub(crate) fn token_source(self) -> Option<TokenSource> {
                match self {
                    $(Self::$svariant => <$skeys as service::Service>::token_source(),)*
                }
            }

            /// What `world` says of it, if it is there.
            pub(crate) fn of(self, world: &World) -> Option<&dyn service::Service> {
                match self {
                    $(Self::$svariant => {
                        world.$sfield.as_ref().map(|it| it as &dyn service::Service)
                    })*
                }
            }
        }

        /// Which requests or commands a fault strikes or an expectation counts.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub enum Target {
            $($(#[$starget])* $svariant($smatcher),)*
            $(
                #[doc = concat!("Runs of `", stringify!($cfield), "`.")]
                $cvariant(CommandMatch),
            )*
            /// Uses of one of `world.resources`.
            Resource(ResourceRef),
        }

        impl Target {
            /// Its key in scenario files.
            pub fn key(&self) -> &'static str {
                match self {
                    $(Self::$svariant(_) => $skey,)*
                    $(Self::$cvariant(_) => Program::$cvariant.name(),)*
                    Self::Resource(_) => "resource",
                }
            }

            /// The hosts of `world`, with their ports, that these requests reach; empty for a
            /// command.
            pub(crate) fn hosts(&self, world: &World) -> Vec<(String, u16)> {
                match self {
                    $(Self::$svariant(_) => {
                        let service = Service::$svariant.of(world);
                        service.map(service::Service::hosts).unwrap_or_default()
                    })*
                    $(Self::$cvariant(_) => Vec::new(),)*
                    Self::Resource(resource) => world.hosts_of_resource(&resource.name),
                }
            }

            /// The matcher of the service or command that is meant.
            pub(crate) fn matcher(&self) -> &dyn Matcher {
                match self {
                    $(Self::$svariant(matcher) => matcher,)*
                    $(Self::$cvariant(CommandMatch {}) => &RunsOf(Program::$cvariant),)*
                    Self::Resource(matcher) => matcher,
                }
            }
        }
    };
}
services!(commands define);

/// The host that the subject runs on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostWorld {
    /// Its time zone by IANA name: `Europe/Berlin`. Default: UTC.
    pub time_zone: Option<String>,
    /// How far its clock is ahead of the true time, or behind. Default: 0s.
    #[serde(default)]
    pub clock_skew: SignedSpan,
}

/// What a fault strikes.
pub type FaultOn = Target;

impl Matcher for Target {
    /// Checks the matcher at its key in `place`.
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        self.matcher().check(&place.key(self.key()), check);
    }

    fn lane(&self) -> Cow<'_, str> {
        self.matcher().lane()
    }

    fn matches(&self, facts: &Facts) -> bool {
        self.matcher().matches(facts)
    }

    fn kind(&self) -> TargetKind {
        self.matcher().kind()
    }

    fn describe(&self, number: Number) -> String {
        self.matcher().describe(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_about_a_target_has_its_filters() {
        let said = |to: &str| {
            toml::from_str::<Target>(to)
                .expect("a valid target")
                .describe(Number::Many)
        };
        assert_eq!(
            said(
                "entra = { request = \"token\", client-id = \"c\", scope = \"https://a/.default\" }"
            ),
            "token requests to entra of c for https://a/.default"
        );
        assert_eq!(said("entra = {}"), "requests to entra");
        assert_eq!(
            said("imds = { request = \"token\", resource = \"https://a\" }"),
            "token requests to imds for https://a"
        );
    }
}
