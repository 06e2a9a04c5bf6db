//! Where requests go: to the host that was named, and nowhere else.

use std::process::Stdio;

use credsim_identity::{
    ErrorKind,
    adapters::reqwest::ReqwestClient,
    platform::{HttpClient as _, HttpRequest, Method},
};
use tokio::{process::Command, time::timeout};

use crate::{
    client::get,
    host::{both, failure},
    peer::{Peer, SOON, answer, finish},
};

/// A client that follows 307 or 308 posts the client secret to the next host.
#[tokio::test]
async fn no_redirect_is_followed() {
    let there = Peer::answering([answer("200 OK", "", "there")]).await;
    let locations = [
        there.http(),
        format!("//{}/path", there.address),
        "/elsewhere?here=too".to_owned(),
    ];
    for status in [300, 301, 302, 303, 305, 307, 308] {
        for location in &locations {
            let headers = format!("Location: {location}\r\nRefresh: 0; url={location}\r\n");
            let moved = answer(&format!("{status} Moved"), &headers, "moved");
            let here = Peer::answering([moved]).await;
            for credential in both(&here.http()) {
                let error = failure(&*credential).await;
                assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
                assert_eq!(error.status(), Some(status));
            }
            let mut request = HttpRequest::new(Method::Post, here.http().parse().unwrap());
            request.body = b"secret".to_vec();
            let response = ReqwestClient::new().send(request).await.unwrap();
            assert_eq!(response.status, status);
            assert_eq!(response.header("location"), Some(&**location));
            assert_eq!(here.connections(), 3, "{status} {location}");
        }
    }
    assert_eq!(there.connections(), 0);
}

const TARGET: &str = "CREDSIM_WIRE_TARGET";
const CONTROL: &str = "CREDSIM_WIRE_CONTROL";

/// Environment variables belong to a process, so this test runs itself in another one: there,
/// every variable for proxies names one that does not answer. The control is a client
/// that uses the variables, which shows that they have an effect.
#[tokio::test]
async fn no_proxy_is_used_whatever_the_variables_say() {
    if let Ok(target) = std::env::var(TARGET) {
        let client = match std::env::var(CONTROL) {
            Err(_) => ReqwestClient::new(),
            Ok(_) => ReqwestClient::customized(|_| {
                reqwest::Client::builder().tls_backend_preconfigured(crate::tls::trusting(&[]))
            }),
        };
        let _ = client.send(get(&target)).await;
        return;
    }

    let proxy = Peer::answering([answer("502 Bad Gateway", "", "proxy")]).await;
    let target = Peer::new(|_, stream, _| finish(stream)).await;
    for (uri, is_tls) in [(target.http(), false), (target.https(), true)] {
        let (at_target, at_proxy) = (target.connections(), proxy.connections());
        ask(&uri, &proxy.http(), false).await;
        assert_eq!(target.connections(), at_target + 1, "tls: {is_tls}");
        assert_eq!(proxy.connections(), at_proxy, "tls: {is_tls}");

        ask(&uri, &proxy.http(), true).await;
        assert_eq!(target.connections(), at_target + 1, "tls: {is_tls}");
        assert_eq!(proxy.connections(), at_proxy + 1, "tls: {is_tls}");
    }
}

/// Has another process send to `uri`, with variables that name `proxy`.
async fn ask(uri: &str, proxy: &str, control: bool) {
    let name = "elsewhere::no_proxy_is_used_whatever_the_variables_say";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact"]).env(TARGET, uri);
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(variable, proxy);
        command.env(variable.to_lowercase(), proxy);
    }
    for variable in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        command.env_remove(variable);
    }
    if control {
        command.env(CONTROL, "1");
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(SOON, command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
}
