//! What a scenario says of IMDS.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{IMDS_HOST, server::Imds as Endpoint};
use crate::{
    backend::Stage,
    engine::Server,
    http::{limit::Limit, server::server},
    scenario::{Range, Span},
    service::{Principal, Reach, Service, describe_http},
};

/// The instance metadata service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Imds {
    /// How long its tokens live. Default: 24h.
    #[serde(default = "one_day")]
    pub token_life: Span,
    /// Whether the platform hands out the token it already has for a resource, as real hosts do,
    /// until it is at the end of its life. Default: false (each request gets a new one).
    #[serde(default)]
    pub keeps_tokens: bool,
    /// With `keeps-tokens`: how much life the token must have left to be handed out again.
    /// Default: 0s.
    #[serde(default)]
    pub keeps_until_left: Span,
    /// The system-assigned identity, if the host has one.
    pub system_identity: Option<ManagedIdentity>,
    /// The user-assigned identities.
    #[serde(default)]
    pub user_identities: Vec<ManagedIdentity>,
    /// How long an answer takes. Default: 0s.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
    /// How many token requests it serves per window before it answers 429.
    pub limit: Option<Limit>,
    /// How the token answer is written.
    #[serde(default)]
    pub answer: ImdsAnswer,
}

/// Details of IMDS's token answer that differ between hosts and services.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImdsAnswer {
    /// Writes `expires_in` and `expires_on` as JSON numbers instead of strings. Default: false.
    #[serde(default)]
    pub numbers: bool,
    /// Leaves `expires_in` out. Default: false.
    #[serde(default)]
    pub without_expires_in: bool,
    /// Leaves `expires_on` out. Default: false.
    #[serde(default)]
    pub without_expires_on: bool,
    /// The error code of a request without the `Metadata` header. Default: bad_request_102.
    pub missing_header_code: Option<String>,
}

/// A managed identity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManagedIdentity {
    /// Its object (principal) id.
    pub object_id: String,
    /// Its client id. Default: derived from the object id.
    pub client_id: Option<String>,
    /// Its resource id; only user-assigned identities have one.
    pub resource_id: Option<String>,
    /// How many app roles it has been granted. Each makes its tokens 52 bytes longer. Default: 0.
    #[serde(default)]
    pub app_roles: u16,
}

fn one_day() -> Span {
    Span(Duration::from_secs(86_400))
}

impl Service for Imds {
    fn advice() -> &'static str {
        "with `reach = \"black-holed\"` if nobody answers there"
    }

    fn absent() -> Option<&'static str> {
        Some("imds: none, nothing answers at 169.254.169.254")
    }

    fn key(&self) -> &'static str {
        "imds"
    }

    fn titles(&self) -> Vec<String> {
        vec!["IMDS".to_owned()]
    }

    fn hosts(&self) -> Vec<(String, u16)> {
        vec![(IMDS_HOST.to_owned(), 80)]
    }

    fn reach(&self) -> Reach {
        self.reach
    }

    fn takes(&self) -> Vec<Range> {
        self.takes.into_iter().collect()
    }

    fn token_life(&self) -> Option<Span> {
        Some(self.token_life)
    }

    fn limit(&self) -> Option<&Limit> {
        self.limit.as_ref()
    }

    fn lasting(&self) -> Option<String> {
        None
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        let system = self.system_identity.iter();
        let system = system.map(|identity| (identity, "the system-assigned identity"));
        let user = self.user_identities.iter();
        let user = user.map(|identity| (identity, "a user-assigned identity"));
        let identities = system.chain(user);
        identities
            .map(|(identity, what)| Principal::Identity {
                object_id: &identity.object_id,
                what,
            })
            .collect()
    }

    fn describe(&self) -> Vec<String> {
        vec![metadata_service(self)]
    }

    fn servers(&self, backend: &Stage) -> Vec<Server> {
        vec![server(backend, IMDS_HOST, 80, Endpoint)]
    }

    fn crash(&self, _: &Stage, _: Duration) {}
}

fn metadata_service(imds: &Imds) -> String {
    let mut parts = Vec::new();
    match &imds.system_identity {
        Some(identity) => parts.push(format!("system-assigned identity {}", who(identity))),
        None => parts.push("no system-assigned identity".to_owned()),
    }
    parts.extend(
        imds.user_identities
            .iter()
            .map(|identity| format!("user-assigned identity {}", who(identity))),
    );
    parts.push(format!("tokens live {}", imds.token_life));
    if imds.keeps_tokens {
        let until = format!("handed out again until {} are left", imds.keeps_until_left);
        parts.push(format!("and are {until}"));
    }
    describe_http(
        &mut parts,
        imds.takes.as_ref(),
        imds.reach,
        imds.limit.as_ref(),
    );
    let answer = &imds.answer;
    let oddities = [
        (answer.numbers, "times are JSON numbers"),
        (answer.without_expires_in, "answers have no expires_in"),
        (answer.without_expires_on, "answers have no expires_on"),
    ];
    parts.extend(
        oddities
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, says)| (*says).to_owned()),
    );
    format!("imds: {}", parts.join(", "))
}

fn who(identity: &ManagedIdentity) -> String {
    let mut text = identity.object_id.clone();
    if let Some(client) = &identity.client_id {
        text += &format!(" (client id {client})");
    }
    text
}
