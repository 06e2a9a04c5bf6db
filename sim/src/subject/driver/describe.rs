//! A scenario's credential as a driver is told about it, and whether the driver knows all of that.
//! What a scenario leaves at its default is left out, so that the SDK's own default holds.

use serde_json::{Map, Value, json};

use super::message::Hello;
use crate::action::Outside;
use crate::scenario::{
    CallDo, ContinueAfter, Credential, FallbackPolicy, RetryOptions, Scenario, Span,
};

/// A credential: its kind, and those of its options that are set.
pub struct Described {
    kind: &'static str,
    /// `retry` and `of` are not among them.
    options: Vec<(&'static str, Value)>,
    retry: Vec<(&'static str, Value)>,
    of: Vec<Described>,
}

/// Describes `credential`, which asks in `tenant` if it names none.
pub fn describe(credential: &Credential, tenant: &str) -> Described {
    let kind = |kind| Described {
        kind,
        options: Vec::new(),
        retry: Vec::new(),
        of: Vec::new(),
    };
    match credential {
        Credential::Default(options) => kind("default")
            .option(
                "managed-identity-client-id",
                options.managed_identity_client_id.as_ref(),
            )
            .option(
                "required-variables",
                Some(&options.required_variables).filter(|names| !names.is_empty()),
            )
            .walk(options.continue_after, options.fallback_policy)
            .retry(&options.retry),
        Credential::Chain(options) => Described {
            of: options
                .of
                .iter()
                .map(|member| describe(member, tenant))
                .collect(),
            ..kind("chain").walk(options.continue_after, options.fallback_policy)
        },
        Credential::ManagedIdentity(options) => kind("managed-identity")
            .option("client-id", options.client_id.as_ref())
            .option("object-id", options.object_id.as_ref())
            .option("resource-id", options.resource_id.as_ref())
            .retry(&options.retry),
        Credential::ClientSecret(options) => kind("client-secret")
            .option("tenant", Some(options.tenant.as_deref().unwrap_or(tenant)))
            .option("client-id", Some(&options.client_id))
            .option("secret", Some(&options.secret))
            .retry(&options.retry),
        Credential::Environment(_) => kind("environment"),
        Credential::AzureCli(options) => kind("azure-cli")
            .option("tenant", options.tenant.as_ref())
            .option("process-timeout", options.process_timeout.map(milliseconds)),
        Credential::AzureDeveloperCli(options) => kind("azure-developer-cli")
            .option("tenant", options.tenant.as_ref())
            .option("process-timeout", options.process_timeout.map(milliseconds)),
        Credential::AzurePowerShell(options) => kind("azure-powershell")
            .option("tenant", options.tenant.as_ref())
            .option("process-timeout", options.process_timeout.map(milliseconds)),
        Credential::Cached(options) => Described {
            of: vec![describe(&options.of, tenant)],
            ..kind("cached")
        },
    }
}

fn milliseconds(span: Span) -> u64 {
    u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX)
}

impl Described {
    /// What it is.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    fn option(mut self, name: &'static str, value: Option<impl serde::Serialize>) -> Self {
        if let Some(value) = value {
            self.options.push((name, json!(value)));
        }
        self
    }

    fn walk(self, after: ContinueAfter, policy: FallbackPolicy) -> Self {
        let after = (after == ContinueAfter::Failure).then_some("failure");
        let policy = (policy == FallbackPolicy::Refuse).then_some("refuse");
        self.option("continue-after", after)
            .option("fallback-policy", policy)
    }

    fn retry(mut self, retry: &RetryOptions) -> Self {
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

    /// Every client secret in it.
    pub fn secrets(&self) -> Vec<&str> {
        let own = self.options.iter().filter(|(name, _)| *name == "secret");
        let mut secrets: Vec<&str> = own.filter_map(|(_, value)| value.as_str()).collect();
        secrets.extend(self.of.iter().flat_map(Self::secrets));
        secrets
    }

    /// What of it `hello` does not know: the kind, or an option and its kind.
    fn unknown(&self, hello: &Hello) -> Option<(String, String)> {
        let Some(known) = hello.credentials.get(self.kind) else {
            return Some((self.kind.to_owned(), format!("`{}`", self.kind)));
        };
        let options = self.options.iter().map(|(name, _)| (*name).to_owned());
        let retry = self.retry.iter().map(|(name, _)| format!("retry.{name}"));
        let missing = options.chain(retry).find(|option| !known.contains(option));
        if let Some(option) = missing {
            let what = format!("`{option}` of `{}`", self.kind);
            return Some((option, what));
        }
        self.of.iter().find_map(|member| member.unknown(hello))
    }
}

/// Whether a driver that said `hello` can play `scenario`; if not, why.
pub fn supports(hello: &Hello, scenario: &Scenario) -> Result<(), String> {
    let described = describe(&scenario.subject.credential, "");
    if let Some((name, what)) = described.unknown(hello) {
        return Err(lacks(hello, &name, &what));
    }
    for call in &scenario.call {
        let CallDo::GetToken(get) = &call.action else {
            continue;
        };
        let asked = [
            ("tenant", get.tenant.is_some()),
            ("claims", get.claims.is_some()),
            ("cae", get.cae),
            ("min-remaining", get.min_remaining.is_some()),
        ];
        for (name, _) in asked.into_iter().filter(|(_, is_asked)| *is_asked) {
            // How much must be left is no part of the protocol: no SDK can be asked for it.
            if name == "min-remaining" || !hello.requests.iter().any(|known| known == name) {
                return Err(lacks(hello, name, &format!("`{name}` of `get-token`")));
            }
        }
    }
    let mut events = scenario.at.iter();
    events.try_for_each(|at| match at.action.consequences().outside {
        Outside::Possible => Ok(()),
        Outside::Impossible(why) => Err(why.to_owned()),
        Outside::NeedsRequest { name, .. } => Err(lacks(hello, name, &format!("`{name}`"))),
    })
}

fn lacks(hello: &Hello, name: &str, what: &str) -> String {
    let why = hello.reasons.get(name);
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    format!("{} has no {what}{why}", hello.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn scenario(credential: &str, rest: &str) -> Scenario {
        let text = format!(
            "title = \"t\"\nstory = \"s\"\n[world]\nstart = \"2026-01-01T00:00:00Z\"\n\
             lasts = \"1m\"\n[world.entra]\n[world.imds]\n[world.az]\n\
             [subject]\ncredential.{credential}\n{rest}\n\
             [[call]]\ndo.get-token = {{ scopes = [\"s\"] }}\n[[expect]]\nthat.token-from = {{}}\n"
        );
        parse("t", "t.toml", &text)
            .unwrap_or_else(|invalid| panic!("{}", invalid.render(false)))
            .scenario
    }

    fn hello() -> Hello {
        serde_json::from_value(json!({
            "protocol": 1, "sdk": "sdk", "version": "1",
            "credentials": {
                "chain": [],
                "azure-cli": ["process-timeout"],
                "managed-identity": ["client-id", "retry.max-retries"],
            },
            "requests": ["tenant"],
            "reasons": { "cached": "it is ours", "retry.retry-delay": "it is fixed" },
        }))
        .unwrap()
    }

    #[test]
    fn only_what_is_set_is_told() {
        let of = |credential| {
            let scenario = scenario(credential, "");
            describe(&scenario.subject.credential, "contoso").json()
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

    #[test]
    fn a_secret_is_known_wherever_it_is() {
        let scenario = scenario(
            "chain = { of = [{ client-secret = { client-id = \"a\", secret = \"s3cret\" } }] }",
            "",
        );
        let described = describe(&scenario.subject.credential, "");
        assert_eq!(described.secrets(), ["s3cret"]);
    }

    #[test]
    fn what_a_driver_does_not_know_is_named_with_its_reason() {
        let of = |credential: &str, rest: &str| supports(&hello(), &scenario(credential, rest));
        assert_eq!(
            of(
                "managed-identity = { client-id = \"a\", retry.max-retries = 2 }",
                ""
            ),
            Ok(())
        );
        let lacks = |credential: &str, rest: &str| of(credential, rest).unwrap_err();
        assert_eq!(lacks("default = {}", ""), "sdk 1 has no `default`");
        assert_eq!(
            lacks("cached = { of.azure-cli = {} }", ""),
            "sdk 1 has no `cached`: it is ours"
        );
        assert_eq!(
            lacks(
                "chain = { of = [{ managed-identity = { retry.retry-delay = \"1s\" } }] }",
                ""
            ),
            "sdk 1 has no `retry.retry-delay` of `managed-identity`: it is fixed"
        );
        let call =
            |extra: &str| format!("[[call]]\ndo.get-token = {{ scopes = [\"s\"], {extra} }}\n");
        assert_eq!(of("azure-cli = {}", &call("tenant = \"t\"")), Ok(()));
        assert_eq!(
            lacks("azure-cli = {}", &call("claims = \"{}\"")),
            "sdk 1 has no `claims` of `get-token`"
        );
        assert_eq!(
            lacks("azure-cli = {}", &call("cae = true")),
            "sdk 1 has no `cae` of `get-token`"
        );
        assert_eq!(of("azure-cli = {}", &call("cae = false")), Ok(()));
        assert_eq!(
            lacks("azure-cli = {}", &call("min-remaining = \"1m\"")),
            "sdk 1 has no `min-remaining` of `get-token`"
        );
        let at = |what: &str| format!("[[at]]\ntime = \"1s\"\ndo.{what}\n");
        assert_eq!(
            lacks("azure-cli = {}", &at("dispose = {}")),
            "sdk 1 has no `dispose`"
        );
        let changed = at("set-variable = { name = \"AZURE_CLIENT_ID\", value = \"a\" }");
        assert_eq!(
            lacks("azure-cli = {}", &changed),
            "a variable is set, and the environment of a running process stays"
        );
    }
}
