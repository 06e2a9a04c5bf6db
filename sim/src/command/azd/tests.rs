//! `azd`, call by call.

use serde_json::Value;

use super::super::testing::{AZD, json, run, world};
use crate::backend::testing::{act, claims, seconds};

#[test]
fn azd_prints_utc() {
    let (backend, _) = world("");
    let exit = run(&backend, "azd", AZD);
    let body = json(&exit);
    assert_eq!(claims(&body["token"])["upn"], "alice@contoso.example");
    assert_eq!(
        exit.stdout.replace(body["token"].as_str().unwrap(), "T"),
        "{\"token\":\"T\",\"expiresOn\":\"2026-01-01T01:00:00Z\"}\n"
    );
}

#[test]
fn azd_says_what_is_wrong() {
    let (backend, _) = world("");
    assert_eq!(
        run(&backend, "azd", &format!("{AZD} --nope")).stderr,
        "ERROR: unknown flag: --nope\n"
    );
    let exit = run(&backend, "azd", &format!("{AZD} --tenant-id else"));
    assert!(
        exit.stderr.starts_with("{\"error\":\"AADSTS90002: "),
        "{}",
        exit.stderr
    );
    act(&backend, "azd-logout = {}", seconds(1));
    let exit = run(&backend, "azd", AZD);
    assert_eq!(exit.code, 1);
    let said: Value = serde_json::from_str(&exit.stderr).unwrap();
    assert_eq!(
        said["error"],
        "not logged in, run `azd auth login` to login"
    );
    assert!(said["message"].is_string() && said["suggestion"].is_string());
}
