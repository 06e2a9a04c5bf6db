//! The simulated services, one folder each.
//!
//! They answer as `fixtures/facts` says, byte for byte where a client could notice, and leave in
//! the trace what reached them, what they decided and why. They know no subject.
//!
//! A folder holds `mod.rs` (what the trait `Service` asks for, or `HttpService` of a service that
//! answers HTTP at one host), `world.rs` (the keys of `[world.<service>]` and their checks; the
//! keys of one that hands out tokens of managed identities are made with `managed_identity_keys!`),
//! `matcher.rs` (the facts of a request, and which requests a scenario means), `server.rs` (its
//! endpoint) and its tests. To add a service, write such a folder, and declare it here: its module
//! and its entry in `services!`.

pub mod app_service;
pub(crate) mod ci_token;
pub mod entra;
pub mod github;
mod http_service;
pub mod imds;
pub mod managed_identity;
pub mod pipelines;
pub mod redis;
pub mod resource;
pub mod service_fabric;

use std::{net::SocketAddr, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use http_service::{About, CommonKeys, HttpService};

use crate::{
    backend::Backend,
    check::Check,
    engine::Server,
    fault::effect::KnownPreset,
    http::{exchange::Request, limit::Limit},
    scenario::{Range, Span, document::Place},
    trace::Facts,
};

/// The registry of services: `world` makes the root types and every dispatch from it. Each entry
/// names the field and the variant, the type of its keys with the sentence of the schema, and the
/// matcher with its sentence; `host` has one more sentence, for what `do.network`, `do.crash` and
/// `do.restart` name. The callback is given what stands before its own tokens.
macro_rules! services {
    ($callback:ident $($more:tt)*) => {
        $callback! { $($more)*
            services {
                "imds" imds Imds {
                    /// The instance metadata service. Without it nothing answers at
                    /// 169.254.169.254.
                    keys: crate::service::imds::world::Imds,
                    /// Requests to IMDS.
                    matcher: crate::service::imds::matcher::ImdsMatch,
                    /// The instance metadata service.
                    host,
                }
                "app-service" app_service AppService {
                    /// Azure App Service or Functions: the token endpoint of the app.
                    keys: crate::service::app_service::world::AppService,
                    /// Requests to App Service's token endpoint.
                    matcher: crate::service::app_service::matcher::AppServiceMatch,
                    /// App Service's token endpoint.
                    host,
                }
                "service-fabric" service_fabric ServiceFabric {
                    /// Service Fabric: the token service of an application in a cluster.
                    keys: crate::service::service_fabric::world::ServiceFabric,
                    /// Requests to Service Fabric's token service.
                    matcher: crate::service::service_fabric::matcher::ServiceFabricMatch,
                    /// Service Fabric's token service.
                    host,
                }
                "entra" entra Entra {
                    /// Microsoft Entra ID at login.microsoftonline.com.
                    keys: crate::service::entra::world::Entra,
                    /// Requests to Entra.
                    matcher: crate::service::entra::matcher::EntraMatch,
                    /// Microsoft Entra ID.
                    host,
                }
                "pipelines" pipelines Pipelines {
                    /// A job of Azure Pipelines, which gets assertions at SYSTEM_OIDCREQUESTURI.
                    keys: crate::service::pipelines::world::Pipelines,
                    /// Requests to Azure Pipelines.
                    matcher: crate::service::pipelines::matcher::PipelinesMatch,
                    /// Azure Pipelines.
                    host,
                }
                "github" github Github {
                    /// A job of GitHub Actions, which gets assertions at
                    /// ACTIONS_ID_TOKEN_REQUEST_URL.
                    keys: crate::service::github::world::GitHub,
                    /// Requests to GitHub Actions.
                    matcher: crate::service::github::matcher::GitHubMatch,
                    /// GitHub Actions.
                    host,
                }
                "redis" redis Redis {
                    /// A Redis that takes Entra tokens.
                    keys: crate::service::redis::Redis,
                    /// Commands for Redis.
                    matcher: crate::service::redis::RedisMatch,
                    /// Redis: all of its nodes.
                    host,
                }
            }
        }
    };
}
pub(crate) use services;

/// What the rest of the harness needs to know of a service of a world.
pub(crate) trait Service: Send + Sync {
    /// What to write under its key in a world that lacks it, for a diagnostic.
    fn advice() -> &'static str
    where
        Self: Sized;

    /// What `explain` says of a world without it, if that is worth a line.
    fn absent() -> Option<&'static str>
    where
        Self: Sized;

    /// What it says word for word (`then.reply.body.preset`).
    fn presets() -> Vec<KnownPreset>
    where
        Self: Sized;

    /// What is known of a request that a client sends to `host`; nothing if the service is not
    /// there.
    fn facts_of(host: &str, request: &Request) -> Option<Facts>
    where
        Self: Sized;

    /// What a request asks for, by what is known of it; none if that is not known of a request to
    /// this service.
    fn asked(facts: &Facts) -> Option<Asked>
    where
        Self: Sized;

    /// For which scopes or resource a token is asked, by what is known of a request; none if it
    /// asks for none, or that is not known.
    fn asked_for(facts: &Facts) -> Option<&str>
    where
        Self: Sized;

    /// Its part in handing out tokens to credentials, which decides how often one retries; none if
    /// no credential asks it.
    fn token_source() -> Option<TokenSource>
    where
        Self: Sized;

    /// The host that is its own in every world, with the title under which people know it; none if
    /// nothing is there in a world without it.
    fn reserved_host() -> Option<(&'static str, &'static str)>
    where
        Self: Sized;

    /// How clients outside reach it past the proxy of a live world; none if all use the proxy.
    fn bypass(&self) -> Option<Bypass>;

    /// Takes note that clients outside reach `host` at `address`, to name it to them.
    fn reached_at(&self, backend: &Backend, host: &str, address: SocketAddr);

    /// Its key in `[world]`.
    fn key(&self) -> &'static str;

    /// Checks its keys, which stand at `place`.
    fn check(&self, place: &Place, check: &mut Check<'_>);

    /// The environment variables that the platform sets on the subject's host because of it.
    fn environment(&self) -> Vec<(&'static str, String)>;

    /// What people call it, or each part of it.
    fn titles(&self) -> Vec<String>;

    /// The hosts and ports at which it answers.
    fn hosts(&self) -> Vec<(String, u16)>;

    /// Whether packets reach it at the start.
    fn reach(&self) -> Reach;

    /// How long its answers take, each kind of them.
    fn takes(&self) -> Vec<Range>;

    /// How long the tokens live that it issues, if it issues any.
    fn token_life(&self) -> Option<Span>;

    /// How many requests it serves.
    fn limit(&self) -> Option<&Limit>;

    /// What else in it takes time of its own, so that a story with it cannot be played faster.
    fn lasting(&self) -> Option<String>;

    /// The principals that it issues tokens for.
    fn principals(&self) -> Vec<Principal<'_>>;

    /// What it is at the world's start: lines for `explain`.
    fn describe(&self) -> Vec<String>;

    /// Installs its part in the state of a world that begins, with whatever it keeps there.
    fn install(&self, backend: &Backend);

    /// Its servers in the world of `backend`.
    fn servers(&self, backend: &Backend) -> Vec<Server>;

    /// Its hosts go down at `at`: what it must forget and record, apart from open HTTP requests.
    fn crash(&self, backend: &Backend, at: Duration);
}

/// How clients outside reach a service past the proxy of a live world. Its hosts are given
/// addresses of this machine.
pub(crate) struct Bypass {
    /// Whether no client can use the proxy. Otherwise only those need it that ignore the proxy.
    pub is_only_way: bool,
    /// The hosts, with the ports on which they serve.
    pub hosts: Vec<(String, u16)>,
    /// The variables that lead to the first host's address.
    pub variables: fn(SocketAddr) -> Vec<(&'static str, String)>,
    /// What `serve` says of that address.
    pub describe: fn(SocketAddr) -> String,
}

/// What a request asks a service for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A token.
    Token,
    /// Nothing but whether the service is there, which is not asked twice.
    Probe,
    /// Something else, such as metadata or keys.
    Other,
}

/// How credentials get tokens from a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// Managed identity credentials ask the metadata service of a virtual machine.
    Metadata,
    /// Managed identity credentials ask the endpoint that variables of the host name.
    Endpoint,
    /// Credentials sign in with secrets, certificates or assertions.
    Entra,
}

/// Something that a token can be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal<'a> {
    /// A managed identity.
    Identity {
        /// Its object id.
        object_id: &'a str,
        /// What it is.
        what: &'static str,
    },
    /// An application.
    App {
        /// The object id of its service principal.
        object_id: &'a str,
        /// Its client id.
        client_id: &'a str,
    },
}

/// Whether packets reach a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// They do.
    #[default]
    Reachable,
    /// Connections are refused: no server listens.
    Refused,
    /// Packets vanish: a connect hangs until it times out.
    BlackHoled,
    /// The host has no route there: a connect fails at once.
    Unreachable,
}

impl Reach {
    /// What it means for a client that connects.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Refused => "connections are refused",
            Self::BlackHoled => "packets vanish on the way",
            Self::Unreachable => "there is no route to it",
        }
    }
}
