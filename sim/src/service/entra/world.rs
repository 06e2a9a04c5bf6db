//! What a scenario says of Entra.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::backend::settings::DEFAULT_TENANT;
use crate::{
    check::Check,
    http::limit::Limit,
    scenario::{Range, Span, document::Place},
    service::Reach,
};

/// Microsoft Entra ID.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entra {
    /// How long its tokens live. Default: 60m.
    #[serde(default = "one_hour")]
    pub token_life: Span,
    /// After how long the answer's `refresh_in` wants the token renewed. Default: not said.
    pub refresh_in: Option<Span>,
    /// The tenant's id. Default: a fixed one.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// The registered applications.
    #[serde(default)]
    pub apps: Vec<App>,
    /// How long an answer takes. Default: 0s.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
    /// How many token requests of one application it serves per window before it answers 429.
    pub limit: Option<Limit>,
    /// Separates the lines of an error description with CR LF instead of spaces. Default: false.
    #[serde(default)]
    pub crlf_descriptions: bool,
    /// Whether an assertion may be presented more than once (unverified). Default: accepted.
    #[serde(default)]
    pub assertion_replay: Replay,
    /// How long before its beginning and after its end an assertion is still accepted
    /// (unverified). Default: 0s.
    #[serde(default)]
    pub assertion_leeway: Span,
    /// The status of AADSTS700024, for an assertion outside its lifetime (unverified). Default:
    /// 401.
    #[serde(default = "unauthorized")]
    pub expired_assertion_status: u16,
}

/// An application registered in Entra.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// Its client id.
    pub client_id: String,
    /// The object id of its service principal.
    pub object_id: String,
    /// Its secret. One that could be a word of ordinary text (under 6 characters, or under 12
    /// lower-case letters) is found by `no-secret-told` only where something with the name of a
    /// secret holds it.
    pub secret: Option<String>,
    /// The tokens of other issuers that prove to be it. Default: none.
    #[serde(default)]
    pub federated: Vec<FederatedCredential>,
    /// Whether an administrator disabled it. Default: false.
    #[serde(default)]
    pub disabled: bool,
}

/// A federated credential of an application: a foreign token that proves to be the application.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FederatedCredential {
    /// Who issues the token.
    pub issuer: String,
    /// The subject of the assertion, in exactly this spelling.
    pub subject: String,
    /// The audience of the assertion. Default: api://AzureADTokenExchange.
    #[serde(default = "token_exchange")]
    pub audience: String,
}

/// Whether an assertion may be presented more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Replay {
    /// It may, as long as it is valid.
    #[default]
    Accepted,
    /// It may not.
    Refused,
}

/// The audience that Entra asks for in the public cloud.
fn token_exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

fn default_tenant() -> String {
    DEFAULT_TENANT.to_owned()
}

fn unauthorized() -> u16 {
    401
}

fn one_hour() -> Span {
    Span(std::time::Duration::from_secs(3_600))
}

impl FederatedCredential {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.text(&self.issuer, &place.key("issuer"), "the URL of an issuer");
        check.text(
            &self.subject,
            &place.key("subject"),
            "the subject of a token",
        );
        check.text(
            &self.audience,
            &place.key("audience"),
            "the audience of a token",
        );
    }
}

impl Entra {
    /// Checks the keys at `place` that other services do not have.
    pub(super) fn check_own(&self, place: &Place, check: &mut Check<'_>) {
        check.text(&self.tenant, &place.key("tenant"), "the id of the tenant");
        if let Some(refresh_in) = self.refresh_in {
            let place = place.key("refresh-in");
            if refresh_in >= self.token_life {
                check
                    .at_value(&place, "a token would be renewed after it has ended")
                    .label(format!("tokens live {}", self.token_life))
                    .expected(format!("less than {}", self.token_life));
            }
            check.whole_seconds(refresh_in, &place);
        }
        for (index, app) in self.apps.iter().enumerate() {
            let place = place.key("apps").index(index);
            check.own_id(&app.client_id, &place.key("client-id"));
            check.own_id(&app.object_id, &place.key("object-id"));
            for (index, credential) in app.federated.iter().enumerate() {
                credential.check(&place.key("federated").index(index), check);
            }
        }
        check.whole_seconds(self.assertion_leeway, &place.key("assertion-leeway"));
        if !(400..=499).contains(&self.expired_assertion_status) {
            check
                .at_value(
                    &place.key("expired-assertion-status"),
                    format!(
                        "{} does not refuse a request",
                        self.expired_assertion_status
                    ),
                )
                .label("outside 400 to 499")
                .expected("such as 400 or 401");
        }
    }
}
