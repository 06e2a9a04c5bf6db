//! The facts and promises that scenarios cite, as `credsim explain` tells them.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/facts.rs"));
}

/// What is known about a service or an SDK.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The fact in a sentence or two.
    pub says: String,
    /// Where it was read or observed.
    pub source: String,
    /// How sure it is: `documented`, `observed`, `read` or `unverified`.
    pub status: String,
    /// Details, one a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub table: Vec<String>,
}

/// What `identity` promises.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// The promise in a few words.
    pub title: String,
    /// The promise with its numbers.
    pub says: String,
}

/// All facts, by id.
pub fn facts() -> &'static BTreeMap<String, Fact> {
    static FACTS: LazyLock<BTreeMap<String, Fact>> = LazyLock::new(|| {
        // Whether every file can be read is a matter for the tests.
        let files = embedded::FACTS
            .iter()
            .map(|(_, text)| toml::from_str(text).unwrap_or_default());
        files
            .flat_map(|file: BTreeMap<String, Fact>| file)
            .collect()
    });
    &FACTS
}

/// All promises, by id.
pub fn promises() -> &'static BTreeMap<String, Promise> {
    static PROMISES: LazyLock<BTreeMap<String, Promise>> =
        LazyLock::new(|| toml::from_str(embedded::PROMISES).unwrap_or_default());
    &PROMISES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_can_be_read_and_no_id_is_used_twice() {
        let mut seen = BTreeMap::new();
        for (name, text) in embedded::FACTS {
            let file: BTreeMap<String, Fact> = toml::from_str(text).unwrap();
            for (id, fact) in file {
                assert!(
                    !fact.says.is_empty() && !fact.source.is_empty(),
                    "{id} says nothing"
                );
                assert!(
                    ["documented", "observed", "read", "unverified"]
                        .contains(&fact.status.as_str()),
                    "{id}"
                );
                let before = seen.insert(id.clone(), name);
                assert_eq!(before, None, "{id} is in {name} and in {before:?}");
            }
        }
        assert_eq!(facts().len(), seen.len());
        let promised: BTreeMap<String, Promise> = toml::from_str(embedded::PROMISES).unwrap();
        assert_eq!(promises(), &promised);
    }
}
