//! The names that a scenario defines: principals, accounts, resources, credentials.

use std::collections::{BTreeMap, BTreeSet};

/// The names of a scenario.
#[derive(Default)]
pub(crate) struct Names<'a> {
    /// Everybody that a token can be for, by object id, with what they are.
    pub(crate) principals: BTreeMap<&'a str, String>,
    /// The object ids of managed identities, also of those assigned later.
    pub(crate) identities: BTreeSet<&'a str>,
    /// The client ids of registered applications.
    pub(crate) apps: BTreeSet<&'a str>,
    /// The client ids that the subject or its environment uses, registered or not.
    pub(crate) clients: BTreeSet<&'a str>,
    /// The credentials that can answer or fail, by their names.
    pub(crate) credentials: BTreeSet<&'static str>,
    /// Whether the subject has a chain in it.
    pub(crate) has_chain: bool,
    /// Whether a chain of the subject refuses another identity.
    pub(crate) refuses: bool,
}

/// Whether the text has the form of a GUID, as object ids and client ids have.
pub(crate) fn is_guid(text: &str) -> bool {
    let groups = text.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|letter| letter == b'-' || letter.is_ascii_hexdigit())
}
