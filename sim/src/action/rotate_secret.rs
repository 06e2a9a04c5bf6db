//! `rotate-secret`: an application's secret is replaced in Entra.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ActionContext, Consequences, Names, OnHost, Outside, Repair, TimelineAction, TimelineState,
};
use crate::{
    backend::Backend,
    check::Check,
    scenario::{Span, diagnostics::one_of, document::Place},
    service::entra::world::Entra,
};

/// A new secret.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RotateSecret {
    /// The application.
    pub client_id: String,
    /// Its new secret.
    pub secret: String,
}

impl TimelineAction for RotateSecret {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        if check.service("entra", place) {
            let client_id = self.client_id.as_str();
            let known = check.names.apps.clone();
            if !known.contains(client_id) {
                check
                    .at_value(
                        &place.key("client-id"),
                        format!("there is no application `{client_id}`"),
                    )
                    .label("not in `world.entra.apps`")
                    .expected(match known.len() {
                        0 => "a client id; but no application is registered".to_owned(),
                        _ => one_of(known.iter().copied()),
                    })
                    .did_you_mean(client_id, known.iter().copied());
            }
        }
        check.text(&self.secret, &place.key("secret"), "the new secret");
    }

    fn describe(&self) -> String {
        format!("the secret of application {} is replaced", self.client_id)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        replace(context.backend, &self.client_id, &self.secret);
        context.record_change(self.describe());
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            // The subject may have had the new secret already.
            repair: Repair::Now,
            takes_away: true,
            cuts_off: None,
            brings: None,
            on_host: OnHost::Nothing,
            outside: Outside::Possible,
            lasting: None,
            secrets: vec![&self.secret],
            issues: Vec::new(),
            names: Names::Nothing,
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

/// Replaces a secret. The old one stays registered: it must not leak although it is no longer
/// valid.
fn replace(backend: &Backend, client_id: &str, secret: &str) {
    let mut state = backend.state();
    let entra = state.parts.get_mut::<Entra>();
    let mut apps = entra.into_iter().flat_map(|entra| &mut entra.apps);
    if let Some(app) = apps.find(|app| app.client_id == client_id) {
        app.secret = Some(secret.to_owned());
        state.register_secret(secret);
    }
}

#[cfg(test)]
mod tests {
    use crate::action::testing::Played;

    #[test]
    fn the_new_secret_is_valid_and_the_old_one_is_still_a_secret() {
        let played = Played::new(
            "[entra]\n[[entra.apps]]\nclient-id = \"a\"\nobject-id = \"o\"\nsecret = \"old\"",
        );
        assert_eq!(
            played.act("rotate-secret = { client-id = \"a\", secret = \"new\" }", 1),
            ["1s the secret of application a is replaced"]
        );
        for secret in ["new", "old"] {
            assert_eq!(played.backend.secret_in(secret), Some("client secret"));
        }
    }
}
