//! `az`, call by call.

use super::super::testing::{AZ, WORLD, json, run, try_run, world};
use crate::{
    backend::testing::{act, backend, claims, seconds},
    trace::Kind,
};

#[test]
fn az_prints_what_the_real_one_prints() {
    let (backend, recorder) = world("");
    let exit = run(&backend, "az", AZ);
    let body = json(&exit);
    let claims = claims(&body["accessToken"]);
    assert_eq!(
        exit.stdout
            .replace(body["accessToken"].as_str().unwrap(), "T"),
        "{\n  \"accessToken\": \"T\",\n  \"expiresOn\": \"2026-01-01 02:00:00.000000\",\n  \
         \"expires_on\": 1767229200,\n  \
         \"subscription\": \"0b1f6471-0000-0000-0000-00000000cafe\",\n  \
         \"tenant\": \"72f988bf-0000-0000-0000-00000000cafe\",\n  \"tokenType\": \"Bearer\"\n}\n"
    );
    assert_eq!(claims["aud"], "https://vault.azure.net");
    assert_eq!(claims["oid"], "a11ce");
    assert_eq!(exit.stderr, "");
    let events = recorder.finish().events;
    let Kind::CommandStarted {
        instance,
        command,
        program,
        args,
        ..
    } = &events[0].kind
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        (*instance, *command, program.as_str(), args.as_str()),
        (1, 1, "az", AZ)
    );
    let Kind::CommandEnded {
        code,
        principal,
        token,
        ..
    } = &events[1].kind
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        (*code, principal.as_deref(), token.is_some()),
        (Some(0), Some("a11ce"), true)
    );
    assert!(!events[1].json().contains("eyJ"));
}

#[test]
fn az_takes_its_options_in_any_order() {
    let (backend, _) = world("");
    for options in [
        "-o json --scope https://vault.azure.net/.default",
        "--scope=https://vault.azure.net/.default --output=json",
        "--scope https://vault.azure.net/.default https://a/.default --only-show-errors",
        "--tenant 72f988bf-0000-0000-0000-00000000cafe --resource https://vault.azure.net",
    ] {
        let body = json(&run(
            &backend,
            "az",
            &format!("account get-access-token {options}"),
        ));
        assert_eq!(
            claims(&body["accessToken"])["aud"],
            "https://vault.azure.net"
        );
        assert_eq!(
            body.get("subscription").is_none(),
            options.contains("--tenant")
        );
    }
    let body = json(&run(&backend, "az", "account get-access-token"));
    assert_eq!(
        claims(&body["accessToken"])["aud"],
        "https://management.core.windows.net/"
    );
}

#[test]
fn az_says_what_is_wrong() {
    let (backend, _) = world("");
    let tenant = "72f988bf-0000-0000-0000-00000000cafe";
    let both = format!(" --tenant {tenant} --subscription s");
    for (more, code, stderr) in [
        (
            " --subscription nope",
            1,
            "ERROR: Subscription 'nope' not found. Check the spelling and casing and try again.\n",
        ),
        (
            &both,
            1,
            "ERROR: Please specify only one of subscription and tenant, not both\n",
        ),
        (
            " --tenant else",
            1,
            "ERROR: AADSTS90002: Tenant 'else' not found. Check that it is the right tenant id.\n\
             Run the command below to authenticate interactively; \
             additional arguments may be added as needed:\naz logout\n\
             az login --tenant \"else\" --scope \"https://vault.azure.net/.default\"\n",
        ),
        (
            " --frobnicate",
            2,
            "ERROR: unrecognized arguments: --frobnicate\n",
        ),
        (
            " --tenant",
            2,
            "ERROR: argument --tenant: expected one argument\n",
        ),
    ] {
        let exit = run(&backend, "az", &format!("{AZ}{more}"));
        assert_eq!(
            (exit.code, &*exit.stderr, &*exit.stdout),
            (code, stderr, "")
        );
    }
    assert_eq!(run(&backend, "az", "vm list").code, 2);
    act(&backend, "az-logout = {}", seconds(1));
    let exit = run(&backend, "az", AZ);
    assert_eq!(
        (exit.code, &*exit.stderr),
        (1, "ERROR: Please run 'az login' to setup account.\n")
    );
}

#[test]
fn an_older_az_and_one_that_warns() {
    let old = WORLD.replace(
        "az = { ",
        "az = { prints-expires-on = false, warning = \"WARNING: old\", ",
    );
    let (backend, _) = backend(&old);
    let exit = run(&backend, "az", AZ);
    assert!(json(&exit).get("expires_on").is_none());
    assert_eq!(exit.stderr, "WARNING: old\n");
    let quiet = [("AZURE_CORE_ONLY_SHOW_ERRORS".to_owned(), "true".to_owned())];
    let exit = try_run(&backend, "az", AZ, &quiet).unwrap().unwrap();
    assert_eq!((exit.code, &*exit.stderr), (0, ""));
}

#[test]
fn az_says_who_is_logged_in_and_which_version_it_is() {
    let (backend, recorder) = world("");
    let shown = json(&run(&backend, "az", "account show -o json"));
    assert_eq!(shown["id"], "0b1f6471-0000-0000-0000-00000000cafe");
    assert_eq!(shown["tenantId"], "72f988bf-0000-0000-0000-00000000cafe");
    assert_eq!(shown["user"]["name"], "alice@contoso.example");
    assert_eq!(shown["user"]["type"], "user");
    assert_eq!(shown.as_object().map(serde_json::Map::len), Some(9));
    let other = run(&backend, "az", "account show --subscription nope");
    assert_eq!(
        (other.code, &*other.stderr),
        (
            1,
            "ERROR: Subscription 'nope' not found. Check the spelling and casing and try again.\n"
        )
    );
    let version = json(&run(&backend, "az", "version --output json"));
    assert_eq!(version["azure-cli"], "2.54.0");
    let text = run(&backend, "az", "--version");
    assert_eq!(text.code, 0);
    assert!(
        text.stdout.starts_with(
            "azure-cli                         2.54.0\n\ncore                              2.54.0\n\
             telemetry                          1.1.0\n"
        ),
        "{}",
        text.stdout
    );
    act(&backend, "az-logout = {}", seconds(1));
    let exit = run(&backend, "az", "account show");
    assert_eq!(
        (exit.code, &*exit.stderr),
        (1, "ERROR: Please run 'az login' to setup account.\n")
    );
    let old = WORLD.replace("az = { ", "az = { prints-expires-on = false, ");
    let (old, _) = crate::backend::testing::backend(&old);
    assert_eq!(json(&run(&old, "az", "version"))["azure-cli"], "2.53.1");
    assert!(!recorder.finish().events.is_empty());
}

/// What the real commands do and the simulated ones do not is told as just that, on standard error
/// and in the journal, and never as a mistake of the caller.
#[test]
fn what_is_not_simulated_is_told_as_such() {
    let calls = [
        ("az", "login", "login", "do.az-login"),
        (
            "az",
            "login --service-principal -u u -p hunter2 -t t",
            "login",
            "do.az-login",
        ),
        (
            "az",
            "keyvault secret list --vault-name v",
            "keyvault secret list",
            "account show",
        ),
        ("az", "--help", "--help", "account show"),
        ("az", "", "no command", "account show"),
        ("az", "account show --query id", "--query", "leave it out"),
        ("az", "account show -o tsv", "--output tsv", "only json"),
        (
            "az",
            "account get-access-token --resource-type arm",
            "--resource-type",
            "leave it out",
        ),
        ("azd", "version", "version", "auth token"),
        (
            "azd",
            "auth login --check-status",
            "auth login",
            "do.azd-login",
        ),
        ("azd", "auth token --cwd /x", "--cwd", "leave it out"),
    ];
    for (program, line, what, instead) in calls {
        let (backend, recorder) = world("");
        let exit = run(&backend, program, line);
        let told = format!("{program}: {what} is not simulated by credsim: ");
        assert!(exit.stderr.starts_with(&told), "{line}: {}", exit.stderr);
        assert!(exit.stderr.contains(instead), "{line}: {}", exit.stderr);
        assert_ne!(exit.code, 0, "{line}");
        let journal: Vec<_> = recorder
            .finish()
            .events
            .iter()
            .map(crate::trace::line)
            .collect();
        let last = journal.last().expect("it has ended");
        assert!(
            last.ends_with(&format!(": not simulated: {what}")),
            "{last}"
        );
        let all = journal.join("\n") + &exit.stderr;
        assert!(
            !all.contains("misspelled") && !all.contains("hunter2"),
            "{all}"
        );
    }
}

#[test]
fn what_pwsh_does_not_simulate_is_told_as_such() {
    let (backend, recorder) = world("pwsh = {}");
    for line in ["--version", "script.ps1", "-Command Get-Date", ""] {
        let exit = run(&backend, "pwsh", line);
        assert!(
            exit.stderr.contains("simulated") && exit.code != 0,
            "{line}: {}",
            exit.stderr
        );
    }
    let journal: Vec<_> = recorder
        .finish()
        .events
        .iter()
        .map(crate::trace::line)
        .collect();
    let ends = journal.iter().filter(|line| line.contains("-> exit"));
    assert!(
        ends.clone().all(|line| line.contains("simulated")),
        "{journal:?}"
    );
    assert_eq!(ends.count(), 4);
}
