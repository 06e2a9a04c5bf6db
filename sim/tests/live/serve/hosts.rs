//! Requests to hosts of a world, and to hosts that it does not have.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::{
    Case,
    support::{ALWAYS, ENTRA, FORM, IMDS, World, lines, tokens},
};
use crate::process::{Ended, Running};

pub const ALL: &[Case] = &[
    ("hosts/known-hosts-only", known_hosts_only),
    ("hosts/no-imds", no_imds),
    ("hosts/no-agent-of-this-machine", no_agent),
    ("hosts/no-entra", no_entra),
    ("hosts/a-client-that-does-not-trust-the-authority", distrust),
    ("hosts/a-connection-that-is-never-used", unused),
    ("hosts/another-one-on-the-same-connection", same_connection),
    ("hosts/imds-beside-the-proxy", beside),
    ("hosts/another-one-after-a-chunked-body", after_chunks),
    ("hosts/malformed-requests-are-in-the-journal", malformed),
    ("hosts/loopback-that-is-not-the-worlds", loopback),
    ("hosts/a-page-with-a-name-of-its-own", rebound),
    ("hosts/a-page-of-another-origin", foreign_page),
    ("hosts/a-crowd-at-the-proxy", crowd),
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
    // Where it is there, at another port, that is what is said.
    let plain = World::usual()
        .client(&["get", "http://login.microsoftonline.com/"])
        .with(1);
    assert!(!plain.out.contains("add [world.entra]"), "{}", plain.out);
    plain.prints(&[
        "refuses login.microsoftonline.com:80: the scenario has no such host; \
         login.microsoftonline.com is on port 443",
    ]);
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

/// A connection in reserve is no sign of distrust beside requests over TLS; without any it may be.
fn unused() {
    let host = "login.microsoftonline.com";
    let says = "hung up right after the handshake, without a request";
    for words in [
        ["unused", host, "post", ENTRA, FORM],
        ["post", ENTRA, FORM, "unused", host],
    ] {
        let ended = World::usual().client(&words).with(0);
        assert!(!ended.err.contains(says), "{}", ended.err);
    }
    World::usual()
        .client(&["unused", host])
        .with(0)
        .prints(&[says, "note: no request reached a service of this world"]);
}

/// A connection to the address that is printed after `mark`.
pub fn connect(said: &str, mark: &str) -> TcpStream {
    let (_, rest) = said.split_once(mark).unwrap();
    let address = rest.split_whitespace().next().unwrap();
    let stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream
}

/// The first piece of the answer to a request on `stream`.
pub fn ask(stream: &mut TcpStream, request: &str) -> String {
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
        "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nMetadata: true\r\n\r\n",
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
    let ended = open.end().with(4);
    // The request that the first one gave up never arrived.
    assert!(!ended.err.contains(" request 2 "), "{}", ended.err);
}

/// A world that is open, and what it printed to standard output.
fn opened(world: &World) -> (Running, String) {
    let mut open = world.open();
    let said = open.when_it_prints("ready: ");
    (open, said)
}

/// Ends a world; the exit code that is expected.
fn closed(open: Running, code: i32) -> Ended {
    kill_process(open.id(), Signal::INT).unwrap();
    open.end().with(code)
}

/// All that comes on `stream` until the other side closes it.
fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

/// Every request of a connection names its host, also those that follow a chunked body: at once, or
/// later as a client sends them that keeps its connection.
fn after_chunks() {
    let chunked = "POST http://169.254.169.254/metadata/identity/oauth2/token HTTP/1.1\r\n\
                   Host: 169.254.169.254\r\nMetadata: true\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n";
    let other = "GET http://forbidden.example/metadata/identity/oauth2/token?api-version=2018-02-01\
                 &resource=SMUGGLED HTTP/1.1\r\nHost: forbidden.example\r\nMetadata: true\r\n\r\n";
    let imds =
        format!("GET {IMDS} HTTP/1.1\r\nProxy-Authorization: Basic eDp5\r\nMetadata: true\r\n\r\n");
    let world = World::usual().arg("--requests").arg("requests.jsonl");
    let (open, said) = opened(&world);
    let mut stream = connect(&said, "HTTP_PROXY=");
    stream
        .write_all((chunked.to_owned() + other).as_bytes())
        .unwrap();
    let answers = rest(&mut stream);
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{answers}");
    assert!(answers.contains("HTTP/1.1 403 "), "{answers}");
    assert!(!answers.contains("access_token"), "{answers}");
    let mut stream = connect(&said, "HTTP_PROXY=");
    let answer = ask(&mut stream, chunked);
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    let answer = ask(&mut stream, &imds);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = ask(&mut stream, other);
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let ended = closed(open, 1);
    ended.prints(&["known-hosts-only", "2 requests were refused"]);
    let requests = world.text("requests.jsonl");
    assert!(!requests.contains("SMUGGLED"), "{requests}");
    assert!(!requests.to_lowercase().contains("proxy-"), "{requests}");
}

/// What is no request, or could be read as two, is refused and recorded.
fn malformed() {
    let (open, said) = opened(&World::usual());
    let post = "POST http://169.254.169.254/metadata/identity/oauth2/token HTTP/1.1\r\nHost: x\r\n";
    for rest in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ] {
        let answer = ask(&mut connect(&said, "HTTP_PROXY="), &format!("{post}{rest}"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let ended = closed(open, 0);
    ended.prints(&[
        "proxy    refuses a request: no HTTP request: it has two kinds of length",
        "proxy    refuses a request: no HTTP request: it has a wrong length",
        "proxy    refuses a request: its chunks are malformed",
    ]);
}

/// The proxy leads to no port of this machine but those of the world.
fn loopback() {
    let mine = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mine.local_addr().unwrap().port();
    mine.set_nonblocking(true).unwrap();
    let (open, said) = opened(&World::usual());
    for request in [
        format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET http://localhost:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    ] {
        let answer = ask(&mut connect(&said, "HTTP_PROXY="), &request);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    assert!(mine.accept().is_err());
    let ended = closed(open, 1);
    ended.prints(&[&format!("refuses 127.0.0.1:{port}"), "known-hosts-only"]);
}

/// A page that has bound its own name to 127.0.0.1 gets nothing, wherever it asks.
fn rebound() {
    let (open, said) = opened(&World::usual());
    let path = IMDS.trim_start_matches("http://169.254.169.254");
    let request =
        |host: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\n\r\n");
    let beside = open.stderr();
    let places = [
        (&said, "HTTP_PROXY="),
        (&beside, "AZURE_POD_IDENTITY_AUTHORITY_HOST="),
    ];
    for (text, mark) in places {
        let answer = ask(&mut connect(text, mark), &request("rebound.example:1234"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{mark} {answer}");
        assert!(!answer.contains("access_token"), "{answer}");
    }
    let mut tunnel = connect(&said, "HTTP_PROXY=");
    let answer = ask(
        &mut tunnel,
        "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = ask(&mut tunnel, &request("rebound.example"));
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let ended = closed(open, 1);
    ended.prints(&["refuses rebound.example", "3 requests were refused"]);
}

/// A page of another origin is refused where programs of the machine are served; Entra has no
/// registered origins here, so that no answer allows one.
fn foreign_page() {
    let (open, said) = opened(&World::usual());
    let page = "Origin: http://localhost:3000\r\nMetadata: true\r\n\r\n";
    let path = IMDS.trim_start_matches("http://169.254.169.254");
    let beside = open.stderr();
    for (text, mark, request) in [
        (
            &said,
            "HTTP_PROXY=",
            format!("GET {IMDS} HTTP/1.1\r\nHost: x\r\n{page}"),
        ),
        (
            &beside,
            "AZURE_POD_IDENTITY_AUTHORITY_HOST=",
            format!("OPTIONS {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{page}"),
        ),
    ] {
        let answer = ask(&mut connect(text, mark), &request);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{mark} {answer}");
        let head = answer.to_lowercase();
        assert!(!head.contains("access-control-"), "{answer}");
        assert!(!head.contains("access_token"), "{answer}");
    }
    closed(open, 0).prints(&["a page of another origin asks"]);
}

/// Hundreds of connections at once all succeed while none is accepted yet, so that nothing but the
/// services decides how long an answer takes.
fn crowd() {
    let (open, said) = opened(&World::usual());
    let (_, address) = said.split_once("HTTP_PROXY=http://").unwrap();
    let address = address.lines().next().unwrap().parse().unwrap();
    kill_process(open.id(), Signal::STOP).unwrap();
    let limit = Duration::from_secs(5);
    let crowd: Vec<TcpStream> = (0..400)
        .map_while(|_| TcpStream::connect_timeout(&address, limit).ok())
        .collect();
    kill_process(open.id(), Signal::CONT).unwrap();
    assert_eq!(crowd.len(), 400);
    drop(crowd);
    closed(open, 4);
}
