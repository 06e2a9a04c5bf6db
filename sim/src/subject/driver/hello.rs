//! What a driver says about itself, and whether that can be true.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::PROTOCOL;
use crate::{credential::Credential, judge::Visibility, story::names_version};

/// What a driver says about itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hello {
    /// The SDK: `azure-identity-js`.
    pub sdk: String,
    /// Its version: `4.13.1`.
    pub version: String,
    /// The kinds of credential that it can build, each with the options that it knows.
    pub credentials: BTreeMap<String, Vec<String>>,
    /// What it knows of a request for a token beside its scopes: `tenant`, `claims`, `cae`.
    #[serde(default)]
    pub requests: Vec<String>,
    /// Why a kind or an option is not among them, by its name.
    #[serde(default)]
    pub reasons: BTreeMap<String, String>,
    /// Whether its errors say what went wrong. Default: they do.
    #[serde(default)]
    pub errors: Errors,
    /// The only scope for which it asks, whatever it is told. Default: it asks for what it is told.
    pub scope: Option<String>,
}

/// What the errors of an SDK tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Errors {
    /// Their kind (PR-01).
    #[default]
    ByKind,
    /// They are all of one kind.
    OneKind,
}

/// What a request for a token may hold beside its scopes.
const REQUESTS: [&str; 3] = ["tenant", "claims", "cae"];

/// The options of all kinds of credential.
const OPTIONS: [&str; 22] = [
    "audience",
    "client-id",
    "continue-after",
    "fallback-policy",
    "file",
    "managed-identity-client-id",
    "object-id",
    "of",
    "process-timeout",
    "required-variables",
    "resource-id",
    "retry.max-retries",
    "retry.max-retry-delay",
    "retry.retry-after-cap",
    "retry.retry-delay",
    "secret",
    "service-connection-id",
    "system-access-token",
    "takes",
    "tenant",
    "timeout",
    "workload-identity-client-id",
];

impl Hello {
    /// Reads what a driver answered.
    ///
    /// # Errors
    /// What is wrong with it, and what was expected.
    pub fn read(value: Value) -> Result<Self, String> {
        // The version first: another one may answer otherwise.
        match value.get("protocol").and_then(Value::as_u64) {
            Some(version) if version == u64::from(PROTOCOL) => {}
            Some(version) => {
                return Err(format!(
                    "speaks protocol {version}, and this credsim speaks protocol {PROTOCOL}"
                ));
            }
            None => return Err("does not say in `hello` which `protocol` it speaks".to_owned()),
        }
        let hello: Self = serde_json::from_value(value)
            .map_err(|error| format!("does not say in `hello` what it should: {error}"))?;
        match hello.mistake() {
            Some(mistake) => Err(format!("says in `hello` what cannot be: {mistake}")),
            None => Ok(hello),
        }
    }

    /// The first thing in it that no driver can mean. With a name that is not known scenarios
    /// would be skipped without a visible reason.
    fn mistake(&self) -> Option<String> {
        let is_name = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        if !is_name(&self.sdk) {
            return Some(format!(
                "`sdk` is {:?}; expected a name without spaces, such as \"azure-identity-js\"",
                self.sdk
            ));
        }
        if !is_name(&self.version) || !names_version(&self.name()) {
            return Some(format!(
                "`version` is {:?}; expected one that begins with a number, such as \"4.13.1\"",
                self.version
            ));
        }
        if self.scope.as_deref().is_some_and(|scope| !is_name(scope)) {
            return Some(
                "`scope` is no scope; expected one, such as \"https://a/.default\"".into(),
            );
        }
        let unknown = |what: &str, name: &str, known: &[&str]| {
            let known = known.join("`, `");
            Some(format!("`{what}` has `{name}`, which is none of `{known}`"))
        };
        for (kind, options) in &self.credentials {
            if !Credential::KINDS.contains(&kind.as_str()) {
                return unknown("credentials", kind, Credential::KINDS);
            }
            let mut options = options.iter().map(String::as_str);
            if let Some(option) = options.find(|it| !OPTIONS.contains(it)) {
                return unknown(&format!("credentials.{kind}"), option, &OPTIONS);
            }
        }
        let mut requests = self.requests.iter().map(String::as_str);
        let request = requests.find(|it| !REQUESTS.contains(it))?;
        unknown("requests", request, &REQUESTS)
    }

    /// As it stands in reports and in `[[known-failure]]`.
    pub fn name(&self) -> String {
        format!("{} {}", self.sdk, self.version)
    }

    /// What can be seen of such an SDK.
    pub fn visibility(&self) -> Visibility {
        Visibility {
            kinds: self.errors == Errors::ByKind,
            ..Visibility::of_a_driver()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::{credential::Described, story::library};

    fn hello(change: impl FnOnce(&mut Value)) -> Result<Hello, String> {
        let mut hello = json!({
            "protocol": 1, "sdk": "sdk", "version": "1.0",
            "credentials": { "azure-cli": ["tenant", "process-timeout"], "chain": [] },
            "requests": ["tenant"],
        });
        change(&mut hello);
        Hello::read(hello)
    }

    #[test]
    fn what_no_driver_can_mean_is_refused() {
        assert!(hello(|_| {}).is_ok());
        assert!(hello(|it| it["runtime"] = json!("unknown keys are ignored")).is_ok());
        let wrong = |change: fn(&mut Value), part: &str| {
            let told = hello(change).expect_err(part);
            assert!(told.contains(part), "{told}");
        };
        wrong(|it| it["sdk"] = json!(""), "`sdk` is \"\"");
        wrong(|it| it["sdk"] = json!("my sdk"), "`sdk` is \"my sdk\"");
        wrong(
            |it| it["version"] = json!("latest"),
            "`version` is \"latest\"",
        );
        wrong(|it| it["version"] = json!(4), "expected a string");
        wrong(|it| it["scope"] = json!(""), "`scope` is no scope");
        wrong(|it| it["errors"] = json!("none"), "unknown variant `none`");
        wrong(
            |it| it["requests"] = json!(["scopes"]),
            "`requests` has `scopes`",
        );
        wrong(
            |it| it["credentials"]["azure-clii"] = json!([]),
            "`credentials` has `azure-clii`, which is none of `default`, `chain`",
        );
        wrong(
            |it| it["credentials"]["azure-cli"] = json!(["proces-timeout"]),
            "`credentials.azure-cli` has `proces-timeout`",
        );
    }

    #[test]
    fn errors_of_one_kind_are_not_compared_by_kind() {
        assert!(hello(|_| {}).expect("a hello").visibility().kinds);
        let one = hello(|it| it["errors"] = json!("one-kind")).expect("a hello");
        assert!(!one.visibility().kinds && one.visibility().calls);
    }

    /// A kind of credential with a new option adds it to the list.
    #[test]
    fn every_option_of_the_bundled_scenarios_is_known() {
        fn check(described: &Described, seen: &mut BTreeSet<String>) {
            for option in described.options() {
                assert!(OPTIONS.contains(&option.as_str()), "{option}");
                seen.insert(option);
            }
            described.members().iter().for_each(|it| check(it, seen));
        }
        let mut seen = BTreeSet::new();
        for source in library::bundled() {
            let Ok(loaded) = source.parse_asserting() else {
                continue;
            };
            let credential = &loaded.scenario.subject.credential;
            check(&credential.describe_to_driver(""), &mut seen);
        }
        assert!(seen.len() > OPTIONS.len() / 2, "{seen:?}");
    }

    /// The document for authors of drivers names every option.
    #[test]
    fn the_document_lists_what_is_known() {
        let document = include_str!("../../../drivers/README.md");
        for name in OPTIONS.iter().chain(&REQUESTS).chain(Credential::KINDS) {
            assert!(document.contains(&format!("`{name}`")), "{name}");
        }
    }
}
