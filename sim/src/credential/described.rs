//! A credential as a driver is told about it.

use serde_json::{Map, Value, json};

use super::{ContinueAfter, FallbackPolicy, RetryOptions};
use crate::scenario::Span;

/// A credential: its kind, and those of its options that are set.
#[derive(Default)]
pub struct Described {
    pub(super) kind: &'static str,
    /// `retry` and `of` are not among them.
    options: Vec<(&'static str, Value)>,
    retry: Vec<(&'static str, Value)>,
    pub(super) of: Vec<Described>,
}

impl Described {
    /// Its kind, as the protocol names it.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The credentials inside it.
    pub fn members(&self) -> &[Self] {
        &self.of
    }

    /// Whether the two may send the same requests: unless they are of one kind and differ in an
    /// option that is no retry option.
    pub(super) fn may_send_the_same(&self, other: &Self) -> bool {
        self.kind != other.kind || self.options == other.options
    }

    /// The names of its options that are set, as a driver's `hello` lists them.
    pub fn options(&self) -> impl Iterator<Item = String> {
        let options = self.options.iter().map(|(name, _)| (*name).to_owned());
        options.chain(self.retry.iter().map(|(name, _)| format!("retry.{name}")))
    }

    /// Adds an option, if it is set.
    pub(super) fn option(
        mut self,
        name: &'static str,
        value: Option<impl serde::Serialize>,
    ) -> Self {
        if let Some(value) = value {
            self.options.push((name, json!(value)));
        }
        self
    }

    /// Adds how a chain walks.
    pub(super) fn walk(self, after: ContinueAfter, policy: FallbackPolicy) -> Self {
        let after = (after == ContinueAfter::Failure).then_some("failure");
        let policy = (policy == FallbackPolicy::Refuse).then_some("refuse");
        self.option("continue-after", after)
            .option("fallback-policy", policy)
    }

    /// Adds the retry options.
    pub(super) fn retry(mut self, retry: &RetryOptions) -> Self {
        let options = [
            ("max-retries", retry.max_retries.map(u64::from)),
            ("retry-delay", retry.retry_delay.map(milliseconds)),
            ("max-retry-delay", retry.max_retry_delay.map(milliseconds)),
            ("retry-after-cap", retry.retry_after_cap.map(milliseconds)),
        ];
        let options = options.into_iter();
        self.retry = options
            .filter_map(|(name, value)| Some((name, json!(value?))))
            .collect();
        self
    }

    /// `{"kind": ..., "options": {...}}`.
    pub fn json(&self) -> Value {
        let map = |options: &[(&'static str, Value)]| -> Map<String, Value> {
            let options = options.iter();
            options
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect()
        };
        let mut options = map(&self.options);
        if !self.retry.is_empty() {
            options.insert("retry".to_owned(), Value::Object(map(&self.retry)));
        }
        if !self.of.is_empty() {
            let members = self.of.iter().map(Self::json).collect();
            options.insert("of".to_owned(), Value::Array(members));
        }
        json!({ "kind": self.kind, "options": options })
    }
}

/// A duration as the protocol writes it.
pub(super) fn milliseconds(span: Span) -> u64 {
    u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::credential::Credential;

    #[test]
    fn only_what_is_set_is_told() {
        let of = |text: &str| {
            let credential: Credential = toml::from_str(text).unwrap();
            credential.describe_to_driver("contoso").json()
        };
        assert_eq!(
            of("default = {}"),
            json!({ "kind": "default", "options": {} })
        );
        assert_eq!(
            of(
                "client-secret = { client-id = \"a\", secret = \"s\", retry.retry-delay = \"1.5s\" }"
            ),
            json!({ "kind": "client-secret", "options": {
                "tenant": "contoso", "client-id": "a", "secret": "s",
                "retry": { "retry-delay": 1500 },
            } })
        );
        assert_eq!(
            of(
                "chain = { of = [{ azure-cli = { process-timeout = \"1m\" } }], fallback-policy = \"refuse\" }"
            ),
            json!({ "kind": "chain", "options": {
                "fallback-policy": "refuse",
                "of": [{ "kind": "azure-cli", "options": { "process-timeout": 60000 } }],
            } })
        );
    }
}
