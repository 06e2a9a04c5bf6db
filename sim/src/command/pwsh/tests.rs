//! `pwsh`, call by call, as each language's SDK makes them. The scripts are ours; their parts are
//! spelled as the SDKs spell them (CLI-24, CLI-26).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::super::CommandExit;
use super::super::testing::{recorded, start};
use crate::backend::Backend;
use crate::backend::testing::{act, backend, claims, seconds, whys};
use crate::trace::{Kind, Recorder};

const TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";

/// A date comes first, and nothing is said about a missing module.
const JAVASCRIPT: &str = r#"
    $tenantId = "TENANT"
    $az = Import-Module Az.Accounts -MinimumVersion 2.2.0 -PassThru
    $with = @{
        ResourceUrl = "https://vault.azure.net"
    }
    if ($tenantId.Length -gt 0) { $with["TenantId"] = $tenantId }
    $got = Get-AzAccessToken @with
    $out = New-Object -TypeName PSObject
    $out | Add-Member -MemberType NoteProperty -Name ExpiresOn -Value $got.ExpiresOn
    $out | Add-Member -MemberType NoteProperty -Name Token -Value $got.Token
    Write-Output (ConvertTo-Json $out)
"#;

/// A line of its own, and a word for a missing module.
const PYTHON: &str = r#"
    [version]$least = '2.2.0'
    $az = Import-Module Az.Accounts -MinimumVersion $least -PassThru -ErrorAction SilentlyContinue
    if (! $az) {
        Write-Output NO_AZ_ACCOUNT_MODULE
        exit
    }
    $with = @{ 'ResourceUrl' = 'https://vault.azure.net'; 'WarningAction' = 'Ignore' }
    $tenant = 'TENANT'
    if ($tenant.Length -gt 0) { $with['TenantId'] = $tenant }
    $got = Get-AzAccessToken @with
    Write-Output "`nazsdk%$($got.Token)%$($got.ExpiresOn.ToUnixTimeSeconds())`n"
"#;

/// JSON with a number, and an error for a missing module.
const GO: &str = r#"
    $az = Import-Module Az.Accounts -PassThru -ErrorAction SilentlyContinue
    if (!$az) { Write-Error 'no such module' }
    $got = Get-AzAccessToken -resourceurl https://vault.azure.net -tenantid 'TENANT'
    $out = New-Object -TypeName psobject
    $out | Add-Member -MemberType NoteProperty -Name Token -Value $got.Token
    $ends = $got.ExpiresOn.ToUnixTimeSeconds()
    $out | Add-Member -MemberType NoteProperty -Name ExpiresOn -Value $ends
    return $out | ConvertTo-Json
"#;

/// As ours: on one line, with an exit code for a missing module and errors in its own words.
const OURS: &str = r#"
    try { $az = Import-Module Az.Accounts -MinimumVersion 2.2.0 -PassThru }
    catch { [Console]::Error.WriteLine($_.Exception.Message); exit 3 }
    try {
        $got = Get-AzAccessToken -ResourceUrl 'https://vault.azure.net' -TenantId TENANT
        $ends = $got.ExpiresOn.ToUnixTimeSeconds()
        @{ Token = $got.Token; ExpiresOn = $ends } | ConvertTo-Json -Compress
    } catch { [Console]::Error.WriteLine($_.Exception.Message); exit 1 }
"#;

const NO_MODULE: &str = "The specified module 'Az.Accounts' with version '2.2.0' was not loaded \
                         because no valid module file was found in any module directory.";

fn world(more: &str) -> (Backend, Recorder) {
    backend(&format!(
        r#"
        accounts = {{ "alice@contoso.example" = {{ object-id = "a11ce" }} }}
        pwsh = {{ account = "alice@contoso.example"{more} }}
        "#
    ))
}

fn run(backend: &Backend, args: &[&str]) -> CommandExit {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let ended = start(backend, "pwsh", &args, &[]).expect("it ends");
    ended.expect("it is installed")
}

fn command(backend: &Backend, script: &str) -> CommandExit {
    run(
        backend,
        &["-NoProfile", "-NonInteractive", "-Command", script],
    )
}

fn encoded(script: &str) -> String {
    let utf16: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    STANDARD.encode(utf16)
}

fn encoded_command(backend: &Backend, script: &str) -> CommandExit {
    let code = encoded(script);
    run(
        backend,
        &["-NoProfile", "-NonInteractive", "-EncodedCommand", &code],
    )
}

fn in_tenant(script: &str, tenant: &str) -> String {
    script.replace("TENANT", tenant)
}

/// The arguments of all commands in the trace.
fn lines(recorder: &Recorder) -> Vec<String> {
    let events = recorder.finish().events.into_iter();
    events
        .filter_map(|event| match event.kind {
            Kind::CommandStarted { args, .. } => Some(args.into()),
            _ => None,
        })
        .collect()
}

#[test]
fn each_language_gets_the_token_in_its_form() {
    let (backend, recorder) = world("");
    let printed = |exit: CommandExit| {
        assert_eq!((exit.code, &*exit.stderr), (0, ""));
        exit.stdout
    };
    let javascript = printed(command(&backend, &in_tenant(JAVASCRIPT, "")));
    let body: Value = serde_json::from_str(&javascript).unwrap();
    let token = body["Token"].as_str().unwrap();
    assert_eq!(claims(&body["Token"])["aud"], "https://vault.azure.net");
    assert_eq!(claims(&body["Token"])["upn"], "alice@contoso.example");
    assert_eq!(
        javascript.replace(token, "T"),
        "{\n  \"ExpiresOn\": \"2026-01-01T01:00:00+00:00\",\n  \"Token\": \"T\"\n}\n"
    );
    let python = printed(encoded_command(&backend, &in_tenant(PYTHON, TENANT)));
    let parts: Vec<&str> = python.trim().split('%').collect();
    let ["azsdk", token, "1767229200"] = parts[..] else {
        panic!("{python}")
    };
    assert_eq!(claims(&token.into())["oid"], "a11ce");
    for (script, form) in [
        (
            GO,
            "{\n  \"Token\": \"T\",\n  \"ExpiresOn\": 1767229200\n}\n",
        ),
        (OURS, "{\"Token\":\"T\",\"ExpiresOn\":1767229200}\n"),
    ] {
        let out = printed(encoded_command(&backend, &in_tenant(script, TENANT)));
        let body: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(out.replace(body["Token"].as_str().unwrap(), "T"), form);
        assert_eq!(claims(&body["Token"])["aud"], "https://vault.azure.net");
    }
    let asked = "Get-AzAccessToken -ResourceUrl https://vault.azure.net";
    let options = "-NoProfile -NonInteractive";
    assert_eq!(
        lines(&recorder),
        [
            format!("{options} -Command {{{asked}}}"),
            format!("{options} -EncodedCommand {{{asked} -TenantId {TENANT}}}"),
            format!("{options} -EncodedCommand {{{asked} -TenantId {TENANT}}}"),
            format!("{options} -EncodedCommand {{{asked} -TenantId {TENANT}}}"),
        ]
    );
}

/// CLI-24: the JavaScript SDK looks first whether there is a PowerShell.
#[test]
fn usage_is_told_from_tokens() {
    let (backend, recorder) = world("");
    let exit = run(&backend, &["/?"]);
    assert!(exit.stdout.starts_with("Usage: pwsh"), "{}", exit.stdout);
    assert_eq!((exit.code, &*exit.stderr), (0, ""));
    let events = recorder.finish().events;
    let [
        Kind::CommandStarted { args, .. },
        Kind::CommandEnded { why, token, .. },
    ] = [&events[0].kind, &events[1].kind]
    else {
        panic!("{events:?}")
    };
    assert_eq!((&**args, &**why, *token), ("/?", "shows its usage", None));
}

#[test]
fn each_language_hears_that_the_module_is_missing() {
    let (backend, recorder) = world(", has-az-accounts = false");
    for (script, code, stdout, stderr) in [
        (JAVASCRIPT, 1, "", &*format!("Import-Module: {NO_MODULE}\n")),
        (PYTHON, 0, "NO_AZ_ACCOUNT_MODULE\n", ""),
        (GO, 1, "", "Write-Error: no such module\n"),
        (OURS, 3, "", &format!("{NO_MODULE}\n")),
        (
            "Get-AzAccessToken -ResourceUrl r | ConvertTo-Json",
            1,
            "",
            "Get-AzAccessToken: The term 'Get-AzAccessToken' is not recognized.\n",
        ),
    ] {
        let exit = command(&backend, script);
        assert_eq!(
            (exit.code, &*exit.stdout, &*exit.stderr),
            (code, stdout, stderr)
        );
    }
    assert_eq!(
        whys(&recorder)[..1],
        ["the module Az.Accounts is not installed"]
    );
}

#[test]
fn who_is_not_connected_hears_it() {
    let (backend, _) = world("");
    let exit = command(&backend, &in_tenant(JAVASCRIPT, "else"));
    let unknown = "AADSTS90002: Tenant 'else' not found. Check that it is right.";
    assert_eq!(exit.stderr, format!("Get-AzAccessToken: {unknown}\n"));
    act(&backend, "pwsh-logout = {}", seconds(1));
    for script in [JAVASCRIPT, PYTHON, GO] {
        let exit = encoded_command(&backend, &in_tenant(script, ""));
        assert_eq!(
            (exit.code, &*exit.stdout, &*exit.stderr),
            (
                1,
                "",
                "Get-AzAccessToken: Run Connect-AzAccount to login.\n"
            )
        );
    }
    let exit = encoded_command(&backend, OURS);
    assert_eq!(
        (exit.code, &*exit.stderr),
        (1, "Run Connect-AzAccount to login.\n")
    );
    act(
        &backend,
        "pwsh-login = { account = \"alice@contoso.example\" }",
        seconds(2),
    );
    assert_eq!(command(&backend, &in_tenant(OURS, TENANT)).code, 0);
    act(&backend, "pwsh-uninstall = {}", seconds(3));
    let gone = start(&backend, "pwsh", &["/?".to_owned()], &[]);
    assert!(matches!(gone, Some(Err(_))));
    act(&backend, "pwsh-install = {}", seconds(4));
    assert_eq!(run(&backend, &["/?"]).code, 0);
}

/// What is not understood is refused, and none of its quoted texts is in the trace.
#[test]
fn other_scripts_are_refused() {
    let (backend, recorder) = world("");
    let secret = "Connect-Thing -Password 'hush' \"hush\" ; Get-Thing 'hush";
    for script in [
        secret,
        "Get-AzAccessToken | ConvertTo-Json",
        "Get-AzAccessToken -ResourceUrl 'r'",
        "Get-AzAccessToken -ResourceUrl 'r' | ConvertTo-Xml",
        "Get-AzAccessToken -ResourceUrl $r | ConvertTo-Json",
    ] {
        let exit = command(&backend, script);
        assert_eq!(exit.code, 1, "{script}");
        assert!(
            exit.stderr.starts_with("pwsh: this script is not"),
            "{script}"
        );
    }
    // A word without a dash is the name of a script file.
    let code = encoded(GO);
    let exit = run(
        &backend,
        &["OutputFormat", "Text", "-EncodedCommand", &code],
    );
    assert_eq!(exit.code, 64);
    assert!(
        exit.stderr.starts_with("pwsh: 'OutputFormat' is taken"),
        "{exit:?}"
    );
    assert_eq!(run(&backend, &["-EncodedCommand", "hush"]).code, 64);
    let lines = lines(&recorder);
    assert_eq!(
        lines[0],
        "-NoProfile -NonInteractive -Command {Connect-Thing -Password *** \"\" ; Get-Thing '}"
    );
    assert_eq!(lines[5], "... ... -EncodedCommand ...");
    assert!(lines.iter().all(|line| !line.contains("hush")), "{lines:?}");
}

/// A script may be long, and hold a token that is not in quotes.
#[test]
fn a_script_in_a_trace_is_one_short_line_without_secrets() {
    let (backend, recorder) = world("");
    let exit = command(&backend, &in_tenant(OURS, TENANT));
    let body: Value = serde_json::from_str(&exit.stdout).unwrap();
    let token = body["Token"].as_str().unwrap();
    command(&backend, &format!("Use-Token {token}"));
    command(&backend, &"do\n  this\n".repeat(1000));
    let lines = lines(&recorder);
    assert_eq!(lines[1], "*** holds a token ***");
    assert!(
        lines[2].ends_with("...") && lines[2].len() < 210,
        "{}",
        lines[2]
    );
    assert!(!lines[2].contains('\n'));
}

#[test]
fn scripts_are_told_only_if_they_are_harmless() {
    let encoded = |script: &str| {
        let units: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
        STANDARD.encode(units)
    };
    let asks = "Get-AzAccessToken -ResourceUrl r | ConvertTo-Json";
    let harmless = encoded(asks);
    let whole = recorded("pwsh", &["-EncodedCommand", &harmless]);
    assert_eq!(whole.args, ["-EncodedCommand", asks]);
    // A member that gets the value of a variable, as in the script of the JavaScript SDK.
    let refers = format!("$token = {asks}; $r | Add-Member -Name Token -Value $token.Token");
    let whole = recorded("pwsh", &["-EncodedCommand", &encoded(&refers)]);
    assert_eq!(whole.args, ["-EncodedCommand", &refers]);
    let real = format!("abc8Q~{}", "x".repeat(34));
    for (secret, script) in [
        ("hunter2", format!("$password = 'hunter2'; {asks}")),
        (
            "hunter2",
            format!("$p = ConvertTo-SecureString hunter2 -AsPlainText; {asks}"),
        ),
        (
            "hunter2",
            format!("Connect-AzAccount -AccessToken hunter2; {asks}"),
        ),
        (
            "hunter2",
            format!("{asks}; $r | Add-Member -Name Token -Value ('hunter2')"),
        ),
        (
            "of-the-world",
            format!("Connect-Thing of-the-world; {asks}"),
        ),
        (&real, format!("Connect-Thing {real}; {asks}")),
    ] {
        let code = encoded(&script);
        let shown = recorded("pwsh", &["-EncodedCommand", &code]);
        let heard = shown.args.join(" ");
        for text in [&shown.trace, &heard] {
            assert!(!text.contains(secret) && !text.contains(&code), "{text}");
        }
        let expected = if secret == real {
            vec!["pwsh: what looks like a real client secret".to_owned()]
        } else {
            Vec::new()
        };
        assert_eq!(shown.warned, expected);
    }
}
