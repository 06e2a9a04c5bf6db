//! Whether a driver knows all that a scenario asks of its SDK.

use super::hello::Hello;
use crate::{action::Outside, credential::Described, story::Scenario};

/// What of a credential `hello` does not know: the kind, or an option and its kind.
fn unknown(described: &Described, hello: &Hello) -> Option<(String, String)> {
    let kind = described.kind();
    let Some(known) = hello.credentials.get(kind) else {
        return Some((kind.to_owned(), format!("`{kind}`")));
    };
    let missing = described.options().find(|option| !known.contains(option));
    if let Some(option) = missing {
        let what = format!("`{option}` of `{kind}`");
        return Some((option, what));
    }
    let mut members = described.members().iter();
    members.find_map(|member| unknown(member, hello))
}

/// Whether a driver that said `hello` can play `scenario`; if not, why.
pub fn supports(hello: &Hello, scenario: &Scenario) -> Result<(), String> {
    let described = scenario.subject.credential.describe_to_driver("");
    if let Some((name, what)) = unknown(&described, hello) {
        return Err(lacks(hello, &name, &what));
    }
    for call in &scenario.call {
        for name in call.action.request_options() {
            // How much must be left is no part of the protocol: no SDK can be asked for it.
            if name == "min-remaining" || !hello.requests.iter().any(|known| known == name) {
                return Err(lacks(hello, name, &format!("`{name}` of `get-token`")));
            }
        }
    }
    if let Some(only) = &hello.scope {
        let asked = scenario.call.iter();
        let asked = asked.flat_map(|call| call.token_requests(&scenario.world, 2));
        let mut scopes = asked.flat_map(|request| request.scopes().to_vec());
        if let Some(other) = scopes.find(|scope| scope != only) {
            let name = hello.name();
            return Err(format!(
                "{name} asks for {only} alone, and a call for {other}"
            ));
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
    use serde_json::json;

    use super::*;
    use crate::story::parse;

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
