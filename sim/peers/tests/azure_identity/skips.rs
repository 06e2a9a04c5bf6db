//! What it can't play, and the reasons it gives.

use credsim::subject::Subject as _;
use credsim_peers::AzureIdentity;

use super::world::{APP, CALL, scenario};

const IMDS: &str =
    "[world.imds]\n[world.az]\n[world.azd]\n[world.pwsh]\n[world.entra]\n[subject]\n";

fn reason(rest: &str) -> String {
    AzureIdentity
        .supports(&scenario(rest))
        .err()
        .unwrap_or_default()
}

fn of(credential: &str) -> String {
    reason(&format!("{IMDS}credential.{credential}\n{CALL}"))
}

#[test]
fn what_the_crate_has_is_played() {
    for credential in [
        "managed-identity = { client-id = \"a\", retry = { max-retries = 1, retry-delay = \"1s\" } }",
        "client-secret = { client-id = \"a\", secret = \"s\" }",
        "azure-cli = { tenant = \"t\" }",
        "azure-developer-cli = {}",
        "chain = { of = [{ azure-cli = {} }, { azure-developer-cli = {} }] }",
    ] {
        assert_eq!(of(credential), "", "{credential}");
    }
}

#[test]
fn what_it_lacks_is_named() {
    for (credential, says) in [
        ("default = {}", "DefaultAzureCredential"),
        ("environment = {}", "EnvironmentCredential"),
        ("azure-powershell = {}", "AzurePowerShellCredential"),
        ("cached = { of.azure-cli = {} }", "no cache"),
        (
            "chain = { of = [{ azure-developer-cli = {} }, { azure-cli = {} }] }",
            "az, then azd",
        ),
        (
            "chain = { of = [{ azure-cli = {} }, { azure-developer-cli = {} }], fallback-policy = \"refuse\" }",
            "`fallback-policy`",
        ),
        (
            "azure-cli = { process-timeout = \"1s\" }",
            "`process-timeout`",
        ),
        (
            "managed-identity = { retry = { retry-after-cap = \"1s\" } }",
            "`retry-after-cap`",
        ),
    ] {
        let reason = of(credential);
        assert!(reason.contains(says), "{credential}: {reason}");
    }
}

#[test]
fn what_a_call_or_the_timeline_asks_in_vain_is_named() {
    let call = |extra: &str| {
        reason(&format!(
            "{APP}{}",
            CALL.replace("] }", &format!("], {extra} }}"))
        ))
    };
    assert!(call("tenant = \"t\"").contains("`tenant`"));
    assert!(call("claims = '{}'").contains("`claims`"));
    assert!(call("min-remaining = \"1m\"").contains("`min-remaining`"));
    assert!(call("cae = true").contains("`cae`"));
    let dispose = format!("{APP}[[at]]\ntime = \"1s\"\ndo.dispose = {{}}\n{CALL}");
    assert!(reason(&dispose).contains("disposed"));
    let set = |name: &str| {
        reason(&format!(
            "[world.environment]\n{name} = \"https://login.contoso.example\"\n{APP}{CALL}"
        ))
    };
    assert!(set("AZURE_AUTHORITY_HOST").contains("AZURE_AUTHORITY_HOST is set"));
    assert_eq!(set("AZURE_CLIENT_ID"), "");
    let crowd = CALL.replace("do.", "callers = 1000\ndo.");
    assert_eq!(reason(&format!("{APP}{crowd}")), "");
    let short = APP.replace("\"1h\"", "\"2m\"");
    assert!(reason(&format!("{short}{crowd}")).contains("1000 callers"));
    let queue = CALL.replace("do.", "every = \"100ms\"\ndo.");
    assert_eq!(reason(&format!("{APP}{queue}")), "");
    let queue = queue.replace("/.default", "/{n}");
    assert!(reason(&format!("{APP}{queue}")).contains("6000 tokens"));
}
