//! Managed identities, as the services that hand out their tokens know them.

use std::{collections::BTreeSet, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use super::Principal;
use crate::{
    backend::issuer::{self, Who},
    check::Check,
    http::exchange::Request,
    scenario::{Span, document::Place},
};

/// Defines the keys of a service that hands out tokens of managed identities: its own, and those
/// that all of them have. `of` names in one word what has the identities, for the schema.
///
/// A macro, because `serde(flatten)` cannot stand beside `deny_unknown_fields`.
macro_rules! managed_identity_keys {
    (
        $(#[$doc:meta])*
        pub struct $name:ident of $owner:literal {
            $($(#[$own_doc:meta])* pub $own:ident: $own_type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// How long its tokens live. Default: 24h.
            #[serde(default = "crate::service::managed_identity::one_day")]
            pub token_life: crate::scenario::Span,
            #[doc = concat!("The system-assigned identity, if the ", $owner, " has one.")]
            pub system_identity: Option<crate::service::managed_identity::ManagedIdentity>,
            /// The user-assigned identities.
            #[serde(default)]
            pub user_identities: Vec<crate::service::managed_identity::ManagedIdentity>,
            /// How long an answer takes. Default: 0s.
            pub takes: Option<crate::scenario::Range>,
            /// Whether packets reach it at the start. Default: reachable.
            #[serde(default)]
            pub reach: crate::service::Reach,
            /// How many token requests it serves per window before it answers 429.
            pub limit: Option<crate::http::limit::Limit>,
            $($(#[$own_doc])* pub $own: $own_type,)*
        }

        impl $name {
            /// The keys that all HTTP services have.
            pub(super) fn common(&self) -> crate::service::CommonKeys<'_> {
                crate::service::CommonKeys {
                    token_life: self.token_life,
                    takes: self.takes,
                    reach: self.reach,
                    limit: self.limit.as_ref(),
                }
            }

            /// Checks its identities; its keys stand at `place`.
            fn check_identities(
                &self,
                place: &crate::scenario::document::Place,
                check: &mut crate::check::Check<'_>,
            ) {
                let system = self.system_identity.as_ref();
                crate::service::managed_identity::check(
                    system,
                    &self.user_identities,
                    place,
                    check,
                );
            }
        }
    };
}
pub(crate) use managed_identity_keys;

/// How long tokens of managed identities live when the scenario does not say.
pub(crate) fn one_day() -> Span {
    Span(Duration::from_secs(86_400))
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

impl ManagedIdentity {
    /// Its client id: the stated one, or one that follows from its object id.
    pub(crate) fn client_id(&self) -> String {
        issuer::client_id(&self.object_id, self.client_id.as_deref())
    }

    /// The principal of its tokens.
    pub(crate) fn who(&self) -> Who<'_> {
        Who::Managed {
            object_id: &self.object_id,
            client_id: self.client_id.as_deref(),
            resource_id: self.resource_id.as_deref(),
            app_roles: self.app_roles,
        }
    }

    /// Checks it as a system-assigned one.
    pub(crate) fn check_system(&self, place: &Place, check: &mut Check<'_>) {
        if self.resource_id.is_some() {
            check
                .at_key(
                    &place.key("resource-id"),
                    "a system-assigned identity has no resource id",
                )
                .label("only user-assigned identities have one")
                .help("remove it, or put the identity under `user-identities`");
        }
    }

    fn check_ids(&self, place: &Place, check: &mut Check<'_>) {
        check.own_id(&self.object_id, &place.key("object-id"));
        if let Some(client_id) = &self.client_id {
            check.own_id(client_id, &place.key("client-id"));
        }
    }

    fn describe(&self) -> String {
        let mut text = self.object_id.clone();
        if let Some(client) = &self.client_id {
            text += &format!(" (client id {client})");
        }
        text
    }
}

/// Checks the `system-identity` and the `user-identities` of the service at `place`.
pub(crate) fn check(
    system: Option<&ManagedIdentity>,
    user: &[ManagedIdentity],
    place: &Place,
    check: &mut Check<'_>,
) {
    if let Some(identity) = system {
        let place = place.key("system-identity");
        identity.check_system(&place, check);
        identity.check_ids(&place, check);
    }
    let mut resource_ids = BTreeSet::new();
    for (index, identity) in user.iter().enumerate() {
        let place = place.key("user-identities").index(index);
        identity.check_ids(&place, check);
        let Some(id) = &identity.resource_id else {
            continue;
        };
        let place = place.key("resource-id");
        if !id.to_lowercase().starts_with("/subscriptions/") {
            check
                .at_value(&place, "this is not a resource id")
                .label("must begin with `/subscriptions/`")
                .expected(
                    "/subscriptions/<id>/resourcegroups/<group>/providers/\
                     Microsoft.ManagedIdentity/userAssignedIdentities/<name>",
                );
        } else if !resource_ids.insert(id.to_lowercase()) {
            check
                .at_value(&place, "two identities have this resource id")
                .label("this is the second one")
                .help("give each its own");
        }
    }
}

/// Returns the identities of a service as principals of its tokens.
pub(crate) fn principals<'a>(
    system: Option<&'a ManagedIdentity>,
    user: &'a [ManagedIdentity],
) -> Vec<Principal<'a>> {
    let system = system.map(|identity| (identity, "the system-assigned identity"));
    let user = user
        .iter()
        .map(|identity| (identity, "a user-assigned identity"));
    let identities = system.into_iter().chain(user);
    identities
        .map(|(identity, what)| Principal::Identity {
            object_id: &identity.object_id,
            what,
        })
        .collect()
}

/// Describes the identities of a service, for `explain`.
pub(crate) fn describe(system: Option<&ManagedIdentity>, user: &[ManagedIdentity]) -> Vec<String> {
    let system = match system {
        Some(identity) => format!("system-assigned identity {}", identity.describe()),
        None => "no system-assigned identity".to_owned(),
    };
    let user = user
        .iter()
        .map(|identity| format!("user-assigned identity {}", identity.describe()));
    [system].into_iter().chain(user).collect()
}

/// The identity that a request names.
pub(crate) enum Selected<'a> {
    /// This one, and how the request named it.
    Identity(&'a ManagedIdentity, String),
    /// The host has none of that name; the text says which.
    Unknown(String),
    /// The request names more than one.
    Ambiguous,
}

/// Returns the identity that a request means with `named`: its selecting parameters and their
/// values. Without any it is the system-assigned one.
pub(crate) fn select<'a>(
    system: Option<&'a ManagedIdentity>,
    user: &'a [ManagedIdentity],
    mut named: impl Iterator<Item = (Selector, &'static str, String)>,
) -> Selected<'a> {
    let Some((selector, parameter, value)) = named.next() else {
        return match system {
            Some(identity) => {
                Selected::Identity(identity, "the system-assigned identity".to_owned())
            }
            None => Selected::Unknown("this host has no system-assigned identity".to_owned()),
        };
    };
    if named.next().is_some() {
        return Selected::Ambiguous;
    }
    let is_meant = |identity: &&ManagedIdentity| match selector {
        Selector::Client => identity.client_id().eq_ignore_ascii_case(&value),
        Selector::Object => identity.object_id.eq_ignore_ascii_case(&value),
        Selector::Resource => {
            let id = identity.resource_id.as_ref();
            id.is_some_and(|id| id.eq_ignore_ascii_case(&value))
        }
    };
    let whose = format!("the identity with {parameter} {value}");
    match user.iter().chain(system).find(is_meant) {
        Some(identity) => Selected::Identity(identity, whose),
        None => Selected::Unknown(format!("this host does not have {whose}")),
    }
}

/// Returns the parameters of `selectors` by which a request names an identity, and their values.
pub(crate) fn named(
    selectors: &'static [(&'static str, Selector)],
    request: &Request,
) -> impl Iterator<Item = (Selector, &'static str, String)> {
    selectors
        .iter()
        .filter_map(|(name, by)| Some((*by, *name, request.query_field(name)?)))
}

/// Returns whether two names mean the same resource: a slash at the end makes no difference.
pub(crate) fn is_same_resource(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// Reports the `resource` of a matcher at `place` if it is a scope: the service called `title` is
/// asked for resources.
pub(crate) fn check_resource(
    title: &str,
    resource: Option<&str>,
    place: &Place,
    check: &mut Check<'_>,
) {
    if let Some(audience) = resource.and_then(|resource| resource.strip_suffix("/.default")) {
        check
            .at_value(
                &place.key("resource"),
                format!("{title} is asked for a resource, not for a scope"),
            )
            .label("this is a scope")
            .help(format!("write \"{audience}\""));
    }
}

/// What a parameter names an identity by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    /// Its client id.
    Client,
    /// Its object id.
    Object,
    /// Its resource id.
    Resource,
}
