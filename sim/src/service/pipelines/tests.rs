//! The endpoint of Azure Pipelines, request by request.

use ::http::Method;

use super::{TOKEN, server::Pipelines};
use crate::{
    backend::testing::{backend, claims, json, request, seconds},
    http::exchange::{Answer, Endpoint as _},
};

const BEARER: &str = "Bearer system-4cc355-t0ken-of-the-job";

fn ask(world: &str, method: Method, query: &str, bearer: &str, at: u64) -> Answer {
    let backend = backend(&format!("[pipelines]\n{world}")).0;
    let headers = [
        ("x-tfs-fedauthredirect", "Suppress"),
        ("authorization", bearer),
    ];
    let request = request(method, &format!("{TOKEN}{query}"), &headers, "");
    Pipelines.answer(&backend, &request, seconds(at))
}

const QUERY: &str = "?api-version=7.1&serviceConnectionId=5c000000-0000-4000-8000-000000000001";

#[test]
fn a_job_gets_an_assertion() {
    let answer = ask("", Method::POST, QUERY, BEARER, 0);
    assert_eq!(answer.status, 200);
    let claims = claims(&json(&answer)["oidcToken"]);
    assert_eq!(claims["aud"], "api://AzureADTokenExchange");
    assert_eq!(claims["sub"], "sc://contoso/shop/deploy");
    assert_eq!(claims["iss"], "https://vstoken.dev.azure.com/contoso");
}

#[test]
fn each_refusal_has_its_status() {
    let status = |world: &str, query: &str, bearer: &str, at: u64| {
        let answer = ask(world, Method::POST, query, bearer, at);
        assert!(!String::from_utf8_lossy(&answer.body).contains("t0ken"));
        answer.status.as_u16()
    };
    assert_eq!(status("", QUERY, "Bearer other", 0), 401);
    assert_eq!(status("job-ends = \"1m\"", QUERY, BEARER, 59), 200);
    assert_eq!(status("job-ends = \"1m\"", QUERY, BEARER, 60), 401);
    assert_eq!(status("", "", BEARER, 0), 400);
    assert_eq!(
        status("", "?api-version=7.1&serviceConnectionId=other", BEARER, 0),
        404
    );
    assert_eq!(ask("", Method::GET, QUERY, BEARER, 0).status, 405);
}
