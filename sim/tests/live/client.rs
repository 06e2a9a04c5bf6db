//! An application in a served world. Its arguments are steps; it takes one after the other and
//! prints the result of each on a line of its own.
//!
//! - `get URL`, `post URL BODY`: the status and the body, or `error: KIND: TEXT`;
//! - `patience MILLISECONDS`: the time limit of later requests, 20 s by default; prints nothing;
//! - `sleep MILLISECONDS`, which prints nothing;
//! - `unused HOST`: a connection to port 443 of the host that shakes hands and sends nothing;
//! - `trusting-nobody`: later requests trust no certificate authority.

use std::{
    env,
    error::Error as StdError,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use reqwest::{Client, RequestBuilder};
use rustls::RootCertStore;

use super::trust;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn run(mut words: impl Iterator<Item = String>) -> ExitCode {
    let mut client = with(trust::of_the_environment());
    let mut patience = PATIENCE;
    let mut word = || words.next();
    let milliseconds = |text: Option<String>| Duration::from_millis(text.unwrap().parse().unwrap());
    while let Some(what) = word() {
        let request = match what.as_str() {
            "get" => client.get(word().unwrap()),
            "post" => client
                .post(word().unwrap())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(word().unwrap()),
            "unused" => {
                println!("{}", unused(&word().unwrap()));
                continue;
            }
            "sleep" => {
                thread::sleep(milliseconds(word()));
                continue;
            }
            "patience" => {
                patience = milliseconds(word());
                continue;
            }
            "trusting-nobody" => {
                client = with(trust::trusting(RootCertStore::empty()));
                continue;
            }
            other => panic!("what is {other}?"),
        };
        println!("{}", send(request.timeout(patience)));
    }
    ExitCode::from(env::var("EXIT").map_or(0, |code| code.parse().unwrap()))
}

fn with(tls: rustls::ClientConfig) -> Client {
    let builder = Client::builder()
        .no_proxy()
        .http1_only()
        .tls_backend_preconfigured(tls);
    trust::with_proxies(builder).build().unwrap()
}

/// Opens a connection through the proxy, as a pool does that holds one in reserve, and closes it.
fn unused(host: &str) -> String {
    let proxy = env::var("HTTPS_PROXY").unwrap();
    let mut tcp = TcpStream::connect(proxy.trim_start_matches("http://")).unwrap();
    let connect = format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n");
    tcp.write_all(connect.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        tcp.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let tls = Arc::new(trust::of_the_environment());
    let name = host.to_owned().try_into().unwrap();
    let mut tls = rustls::ClientConnection::new(tls, name).unwrap();
    while tls.is_handshaking() || tls.wants_write() {
        tls.complete_io(&mut tcp).unwrap();
    }
    "unused".to_owned()
}

fn send(request: RequestBuilder) -> String {
    // IMDS requires it; all others ignore it.
    let request = request.header("metadata", "true");
    let sent = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            Ok((status, answer.text().await?))
        });
    match sent {
        Ok((status, body)) => format!("{status} {}", body.trim().replace(['\r', '\n'], " ")),
        Err(error) => described(&error),
    }
}

/// The kind of the innermost error of the operating system, and all texts.
fn described(error: &reqwest::Error) -> String {
    let mut kind = None;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        kind = error
            .downcast_ref::<io::Error>()
            .map(io::Error::kind)
            .or(kind);
        cause = error.source();
    }
    let kind = kind.map_or("none".to_owned(), |kind| format!("{kind:?}"));
    format!("error: {kind}: {text}")
}
