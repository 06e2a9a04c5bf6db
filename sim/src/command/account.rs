//! People who can log in to the commands.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::backend::{handle::State, issuer::derived_guid};

/// A person.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Account {
    /// The person's object id.
    pub object_id: String,
}

/// The object id of a person; derived from the name if the world does not know it.
pub(super) fn object_id(state: &State, name: &str) -> String {
    let accounts = state.parts.get::<BTreeMap<String, Account>>();
    let account = accounts.and_then(|accounts| accounts.get(name));
    account.map_or_else(|| derived_guid(name), |account| account.object_id.clone())
}
