//! Requests to hosts of a world, and to hosts that it does not have.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::{
    Case,
    support::{ALWAYS, ENTRA, FORM, IMDS, World, lines, tokens},
};

pub const ALL: &[Case] = &[
    ("hosts/known-hosts-only", known_hosts_only),
    ("hosts/no-imds", no_imds),
    ("hosts/no-agent-of-this-machine", no_agent),
    ("hosts/no-entra", no_entra),
    ("hosts/a-client-that-does-not-trust-the-authority", distrust),
    ("hosts/another-one-on-the-same-connection", same_connection),
    ("hosts/imds-beside-the-proxy", beside),
];

/// Only the invariant `known-hosts-only` fails for a client that asks for another host.
fn known_hosts_only() {
    let world = World::usual().arg("--report").arg("json=out.json");
    let words = [
        "get",
        "http://example.com/",
        "get",
        "https://management.azure.com/",
        "get",
        IMDS,
    ];
    let ended = world.client(&words).with(1);
    let said = lines(&ended);
    assert_eq!(
        said[0],
        "403 credsim: the scenario has no host example.com:80"
    );
    assert!(said[1].starts_with("error: "), "{}", said[1]);
    assert!(said[2].starts_with("200 "), "{}", said[2]);
    ended.prints(&[
        "proxy    refuses example.com:80: the scenario has no such host",
        "proxy    refuses management.azure.com:443: the scenario has no such host",
    ]);
    let json: Value = serde_json::from_str(&world.text("out.json")).unwrap();
    let verdict = &json["scenarios"][0]["verdict"];
    let findings = [&verdict["expectations"], &verdict["invariants"]];
    let findings = findings.map(|findings| findings.as_array().unwrap().iter());
    let failed = findings
        .into_iter()
        .flatten()
        .filter(|f| f["outcome"] == "fails");
    let failed: Vec<_> = failed.map(|finding| &finding["name"]).collect();
    assert_eq!(failed, ["known-hosts-only"]);
    tokens(&World::usual().client(&["get", IMDS]).with(0), 1);
}

/// A world without IMDS has no route to its address. A request there is no mistake of the client.
fn no_imds() {
    let ended = World::with(
        "[world.entra]\n",
        "that.requests = { to.entra = { request = \"token\" }, at-most = 99 }",
    )
    .client(&["get", IMDS])
    .with(0);
    let said = lines(&ended);
    assert!(
        said[0].starts_with("403 ") && said[0].contains("unreachable"),
        "{}",
        said[0]
    );
}

/// The endpoint of Azure Arc on this machine is not part of any world.
fn no_agent() {
    let url = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
    let mut world = World::usual();
    for name in ["NO_PROXY=", "no_proxy="] {
        world = world.arg("--env").arg(name);
    }
    let ended = world.client(&["get", url]).with(1);
    let said = lines(&ended);
    assert!(
        said[0].starts_with("403 credsim: no world has"),
        "{}",
        said[0]
    );
    ended.prints(&["proxy    refuses 127.0.0.1:40342"]);
}

fn no_entra() {
    let world = World::with("[world.imds]\n", ALWAYS);
    let ended = world.client(&["post", ENTRA, FORM]).with(1);
    ended.prints(&["proxy    refuses login.microsoftonline.com:443"]);
    let plain = world
        .client(&["get", "http://login.microsoftonline.com:443/"])
        .with(1);
    assert!(
        plain.out.contains("add [world.entra] to it"),
        "{}",
        plain.out
    );
}

fn distrust() {
    let world = World::usual();
    let ended = world
        .client(&["trusting-nobody", "post", ENTRA, FORM])
        .with(0);
    assert!(ended.out.starts_with("error: "), "{}", ended.out);
    ended.prints(&[
        "proxy    no TLS with login.microsoftonline.com: the client does not trust this run's authority",
        "NODE_EXTRA_CA_CERTS for Node.js, REQUESTS_CA_BUNDLE for Python, SSL_CERT_FILE for Go, Rust",
    ]);
}

/// A connection to the address that is printed after `mark`.
fn connect(said: &str, mark: &str) -> TcpStream {
    let (_, rest) = said.split_once(mark).unwrap();
    let address = rest.split_whitespace().next().unwrap();
    let stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream
}

/// The first piece of the answer to a request on `stream`.
fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 8192];
    let length = stream.read(&mut answer).unwrap_or_default();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

/// A client may keep its connection to the proxy and use it for several hosts.
fn same_connection() {
    let world = World::usual();
    let mut open = world.open();
    let said = open.when_it_prints("ready: ");
    let mut stream = connect(&said, "HTTP_PROXY=");
    let imds = format!("GET {IMDS} HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n\r\n");
    for _ in 0..2 {
        let answer = ask(&mut stream, &imds);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    let other = "POST http://example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    let answer = ask(&mut stream, other);
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    kill_process(open.id(), Signal::INT).unwrap();
    open.end()
        .with(1)
        .prints(&["proxy    refuses example.com:80", "known-hosts-only"]);
}

/// Faults strike also clients that ignore the proxy and use the port for IMDS.
fn beside() {
    let dark = "[world.imds]\nreach = \"black-holed\"\nsystem-identity = { object-id = \"5e29463d-0000-0000-0000-000000000001\" }\n\
                [[at]]\ntime = \"2s\"\ndo.network = { service = \"imds\", reach = \"reachable\" }\n";
    let world = World::with(dark, ALWAYS);
    let mut open = world.open();
    open.when_it_prints("ready: ");
    let said = open.stderr();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n\r\n",
        IMDS.trim_start_matches("http://169.254.169.254")
    );
    let mark = "AZURE_POD_IDENTITY_AUTHORITY_HOST=";
    let mut stream = connect(&said, mark);
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert_eq!(ask(&mut stream, &request), "");
    drop(stream);
    let mut patient = connect(&said, mark);
    let answer = ask(&mut patient, &request);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    kill_process(open.id(), Signal::INT).unwrap();
    let ended = open.end().with(0);
    // The request that the first one gave up never arrived.
    assert!(!ended.err.contains(" request 2 "), "{}", ended.err);
}
