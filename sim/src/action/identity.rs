//! `remove-identity` and `assign-system-identity`: the managed identities that IMDS knows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ActionContext, Consequences, Names, TimelineAction, TimelineState};
use crate::{
    backend::Backend,
    check::Check,
    scenario::{Span, diagnostics::one_of, document::Place},
    service::{
        imds::{server::KeptTokens, world::Imds},
        managed_identity::ManagedIdentity,
    },
};

/// A managed identity of `world.imds`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdentityRef {
    /// Its object id.
    pub object_id: String,
}

action_with_keys! {
    /// IMDS forgets an identity and the tokens that it keeps of it.
    pub struct RemoveIdentity(IdentityRef);
}

action_with_keys! {
    /// IMDS gets a system-assigned identity, instead of the one that it had.
    pub struct AssignSystemIdentity(ManagedIdentity);
}

impl TimelineAction for RemoveIdentity {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        let id = self.0.object_id.as_str();
        if !check.service("imds", place) || state.identities.remove(id) {
            return;
        }
        let place = &place.key("object-id");
        if check.names.identities.contains(id) {
            check
                .at_value(place, "IMDS does not know this identity at that time")
                .label("already removed, or not yet assigned")
                .help(
                    "events happen in the order of their times, whatever their order in the file",
                );
            return;
        }
        let known = check.names.identities.clone();
        check
            .at_value(place, format!("IMDS never knows an identity `{id}`"))
            .label("not in this world")
            .expected(match known.len() {
                0 => "the object id of a managed identity; but there is none in this world"
                    .to_owned(),
                _ => one_of(known.iter().copied()),
            })
            .did_you_mean(id, known.iter().copied());
    }

    fn describe(&self) -> String {
        format!("imds no longer knows the identity {}", self.0.object_id)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        forget(context.backend, &self.0.object_id);
        context.record_change(format!(
            "IMDS no longer knows identity {}",
            self.0.object_id
        ));
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences::loss()
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

impl TimelineAction for AssignSystemIdentity {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check.service("imds", place);
        self.0.check_system(place, check);
        check.guid(&self.0.object_id, &place.key("object-id"));
        state.identities.insert(&self.0.object_id);
    }

    fn describe(&self) -> String {
        format!(
            "the host gets the system-assigned identity {}",
            self.0.object_id
        )
    }

    fn apply(&self, context: &ActionContext<'_>) {
        assign(context.backend, &self.0);
        context.record_change(format!(
            "IMDS knows system-assigned identity {}",
            self.0.object_id
        ));
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            names: Names::SystemIdentity(&self.0),
            ..Consequences::improvement()
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

fn forget(backend: &Backend, object_id: &str) {
    let mut state = backend.state();
    if let Some(imds) = state.parts.get_mut::<Imds>() {
        imds.system_identity
            .take_if(|known| known.object_id == object_id);
        imds.user_identities
            .retain(|known| known.object_id != object_id);
    }
    if let Some(tokens) = state.parts.get_mut::<KeptTokens>() {
        tokens.forget(object_id);
    }
}

fn assign(backend: &Backend, identity: &ManagedIdentity) {
    if let Some(imds) = backend.state().parts.get_mut::<Imds>() {
        imds.system_identity = Some(identity.clone());
    }
}

#[cfg(test)]
mod tests {
    use crate::{action::testing::Played, service::imds::world::Imds};

    #[test]
    fn imds_forgets_one_identity_and_gets_another() {
        let played = Played::new(
            "[imds]\nsystem-identity = { object-id = \"a\" }\n\
             user-identities = [{ object-id = \"b\", client-id = \"c\" }]",
        );
        let known = || {
            let state = played.backend.state();
            let imds = state.parts.get::<Imds>().expect("it is there");
            let all = imds.system_identity.iter().chain(&imds.user_identities);
            all.map(|identity| identity.object_id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            played.act("remove-identity = { object-id = \"a\" }", 1),
            ["1s IMDS no longer knows identity a"]
        );
        assert_eq!(known(), ["b"]);
        assert_eq!(
            played.act("assign-system-identity = { object-id = \"d\" }", 2),
            ["2s IMDS knows system-assigned identity d"]
        );
        assert_eq!(known(), ["d", "b"]);
    }
}
