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
    /// Whether an administrator disabled it. Default: false.
    #[serde(default)]
    pub disabled: bool,
}

fn default_tenant() -> String {
    DEFAULT_TENANT.to_owned()
}

fn one_hour() -> Span {
    Span(std::time::Duration::from_secs(3_600))
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
        }
    }
}
