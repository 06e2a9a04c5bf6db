//! The endpoint of GitHub Actions, request by request.

use ::http::Method;

use super::{TOKEN, server::GitHub};
use crate::{
    backend::testing::{backend, claims, json, request, seconds},
    http::exchange::{Answer, Endpoint as _},
};

const BEARER: &str = "Bearer r3quest-t0ken-of-the-job";

fn ask(world: &str, method: Method, query: &str, bearer: &str, at: u64) -> Answer {
    let backend = backend(&format!("[github]\n{world}")).0;
    let headers = [("authorization", bearer)];
    let request = request(method, &format!("{TOKEN}{query}"), &headers, "");
    GitHub.answer(&backend, &request, seconds(at))
}

const QUERY: &str = "?api-version=2.0&audience=api://AzureADTokenExchange";

#[test]
fn a_job_gets_an_assertion() {
    let answer = ask("", Method::GET, QUERY, BEARER, 0);
    assert_eq!(answer.status, 200);
    let claims = claims(&json(&answer)["value"]);
    assert_eq!(claims["aud"], "api://AzureADTokenExchange");
    assert_eq!(claims["sub"], "repo:contoso/shop:ref:refs/heads/main");
    assert_eq!(claims["iss"], "https://token.actions.githubusercontent.com");
}

#[test]
fn each_refusal_has_its_status() {
    let status = |world: &str, query: &str, bearer: &str, at: u64| {
        let answer = ask(world, Method::GET, query, bearer, at);
        assert!(!String::from_utf8_lossy(&answer.body).contains("t0ken"));
        answer.status.as_u16()
    };
    assert_eq!(status("", QUERY, "Bearer other", 0), 401);
    assert_eq!(status("job-ends = \"1m\"", QUERY, BEARER, 59), 200);
    assert_eq!(status("job-ends = \"1m\"", QUERY, BEARER, 60), 401);
    assert_eq!(ask("", Method::POST, QUERY, BEARER, 0).status, 405);
}
