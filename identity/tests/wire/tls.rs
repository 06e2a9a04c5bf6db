//! TLS: which peers the client trusts, and its errors for the others (PR-01, PR-10, PR-14).

use std::sync::Arc;

use credsim_identity::{
    ClientSecretCredential, Error, ErrorKind, ManagedIdentityCredential, TokenCredential,
    adapters::reqwest::ReqwestClient,
    platform::{HttpClient as _, TransportError, TransportErrorKind},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    client::get,
    host::{
        ACCESS_TOKEN, SECRET, TOKEN, assert_no_secret, failure, platform, quick, request, with_imds,
    },
    peer::{Peer, Requests, answer, closed, finish, reset},
};

/// A client that believes these authorities and no others.
pub fn trusting(authorities: &[CertificateDer<'static>]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A certificate authority of one test.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    Expired,
    NotYetValid,
    OtherName,
    SelfSigned,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        // Another name than that of a leaf, which must not look like its own issuer.
        let name = &mut params.distinguished_name;
        name.push(rcgen::DnType::CommonName, "The authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn client(&self) -> ReqwestClient {
        let config = trusting(&[self.0.der().clone()]);
        ReqwestClient::customized(move |builder| builder.tls_backend_preconfigured(config.clone()))
    }

    fn acceptor(&self, flaw: Flaw, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
        let name = match flaw {
            Flaw::OtherName => "login.example",
            _ => "127.0.0.1",
        };
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        match flaw {
            Flaw::Expired => params.not_after = date_time_ymd(2020, 1, 1),
            Flaw::NotYetValid => params.not_before = date_time_ymd(4000, 1, 1),
            _ => {}
        }
        let key = KeyPair::generate().unwrap();
        let leaf = match flaw {
            Flaw::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &self.0),
        };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.unwrap().der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A server with such a certificate, which goes on with a client that trusts it.
    async fn peer<F: Future<Output = ()> + Send + 'static>(
        &self,
        flaw: Flaw,
        serve: impl Fn(usize, TlsStream<TcpStream>, Requests) -> F + Send + Sync + Clone + 'static,
    ) -> Peer {
        self.peer_of(flaw, rustls::ALL_VERSIONS, serve).await
    }

    async fn peer_of<F: Future<Output = ()> + Send + 'static>(
        &self,
        flaw: Flaw,
        versions: &[&'static SupportedProtocolVersion],
        serve: impl Fn(usize, TlsStream<TcpStream>, Requests) -> F + Send + Sync + Clone + 'static,
    ) -> Peer {
        let acceptor = self.acceptor(flaw, versions);
        Peer::new(move |n, stream, requests| {
            let (acceptor, serve) = (acceptor.clone(), serve.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(n, stream, requests).await;
                }
            }
        })
        .await
    }
}

/// Answers with a token, and ends as TLS wants it.
async fn token(_: usize, mut stream: TlsStream<TcpStream>, requests: Requests) {
    requests.read(&mut stream).await;
    let _ = stream.write_all(&answer("200 OK", "", TOKEN)).await;
    let _ = stream.shutdown().await;
    closed(&mut stream).await;
}

/// Both credentials at this server, with all that TLS asks of them.
fn both(client: &ReqwestClient, uri: &str) -> [Box<dyn TokenCredential>; 2] {
    let mut imds = with_imds(uri);
    imds.http = Arc::new(client.clone());
    let managed_identity = ManagedIdentityCredential::builder()
        .platform(imds)
        .retry(quick());
    let mut entra = platform(&[]);
    entra.http = Arc::new(client.clone());
    let client_secret = ClientSecretCredential::builder("contoso.example", "client", SECRET)
        .authority_host(uri)
        .platform(entra)
        .retry(quick());
    [
        Box::new(managed_identity.build().unwrap()),
        Box::new(client_secret.build().unwrap()),
    ]
}

async fn refusal(client: &ReqwestClient, uri: &str) -> TransportError {
    let error = match client.send(get(uri)).await {
        Err(error) => error,
        Ok(mut response) => response.bytes(1000).await.unwrap_err(),
    };
    assert_no_secret(&error);
    error
}

/// Both errors of a server that is asked so often by each.
async fn failures(client: &ReqwestClient, peer: &Peer, attempts: [usize; 2]) -> [Error; 2] {
    let [imds, entra] = both(client, &peer.https());
    let before = peer.connections();
    let first = failure(&*imds).await;
    let then = peer.connections();
    let second = failure(&*entra).await;
    let found = [then - before, peer.connections() - then];
    assert_eq!(found, attempts, "{first}");
    [first, second]
}

#[tokio::test]
async fn a_trusted_server_gets_the_secret_and_gives_the_token() {
    let authority = Authority::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let peer = authority.peer_of(Flaw::None, &[version], token).await;
        for credential in both(&authority.client(), &peer.https()) {
            let token = credential.get_token(&request()).await.unwrap();
            assert_eq!(token.secret(), ACCESS_TOKEN);
        }
        let requests = peer.requests();
        assert_eq!(requests.len(), 2);
        assert!(requests[1].starts_with("POST /contoso.example/oauth2/v2.0/token HTTP/1.1\r\n"));
        assert!(requests[1].contains("client_secret=s%26cret%3D%2B&"));
    }
}

/// A certificate stays what it is: it is looked at once, nothing is sent, and the error says what
/// is wrong with it and what to look at.
#[tokio::test]
async fn a_certificate_that_is_not_right_is_refused_once() {
    let authority = Authority::new();
    let unknown = ReqwestClient::new();
    for (client, flaw, words) in [
        (&unknown, Flaw::None, "UnknownIssuer"),
        (&authority.client(), Flaw::SelfSigned, "UnknownIssuer"),
        (&authority.client(), Flaw::Expired, "expired"),
        (&authority.client(), Flaw::NotYetValid, "not valid yet"),
        (&authority.client(), Flaw::OtherName, "not valid for name"),
    ] {
        let peer = authority.peer(flaw, token).await;
        let error = refusal(client, &peer.https()).await;
        assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
        assert!(error.message.contains(words), "{flaw:?}: {error}");

        for error in failures(client, &peer, [1, 1]).await {
            assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
            assert!(error.message().contains(words), "{error}");
            assert!(error.help().unwrap().contains("clock"), "{error}");
        }
        assert!(peer.requests().is_empty(), "{flaw:?}");
    }
}

/// Bytes that are no TLS, or an alert: the next attempt may meet another server.
#[tokio::test]
async fn a_server_that_agrees_on_no_tls_fails_after_its_attempts() {
    for (bytes, words) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "InvalidContentType",
        ),
        (b"\x15\x03\x03\x00\x02\x02\x28", "HandshakeFailure"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "ProtocolVersion"),
    ] {
        let peer = Peer::new(move |_, mut stream, _| async move {
            let _ = stream.write_all(bytes).await;
            finish(stream).await;
        })
        .await;
        let client = ReqwestClient::new();
        let error = refusal(&client, &peer.https()).await;
        assert_eq!(error.kind, TransportErrorKind::Tls, "{error}");
        assert!(error.message.contains(words), "{error}");
        for error in failures(&client, &peer, [6, 4]).await {
            assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
            assert!(error.message().contains(words), "{error}");
        }
    }
}

/// PR-01: a peer that closes in the handshake exists, so no chain goes on to another identity.
#[tokio::test]
async fn a_handshake_that_breaks_is_a_broken_connection() {
    for (ends_with_reset, words) in [(false, "eof"), (true, "reset")] {
        let peer = Peer::new(move |_, mut stream, _| async move {
            let mut hello = [0; 4096];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut hello).await;
            match ends_with_reset {
                false => finish(stream).await,
                true => reset(stream),
            }
        })
        .await;
        let client = ReqwestClient::new();
        let error = refusal(&client, &peer.https()).await;
        assert_eq!(error.kind, TransportErrorKind::Broken, "{error}");
        assert!(error.message.contains(words), "{error}");
        for error in failures(&client, &peer, [6, 4]).await {
            assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
            assert!(error.message().contains(words), "{error}");
        }
    }
}

/// Without the closing alert of TLS, an attacker could have cut the answer off.
#[tokio::test]
async fn an_answer_that_is_cut_off_under_tls_is_no_answer() {
    let authority = Authority::new();
    let half = |head: &'static str, garbage: bool| {
        move |n, mut stream: TlsStream<TcpStream>, requests: Requests| async move {
            if n % 2 == 1 {
                return token(n, stream, requests).await;
            }
            requests.read(&mut stream).await;
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.flush().await;
            let (mut tcp, _) = stream.into_inner();
            if garbage {
                let _ = tcp.write_all(b"\x17\x03\x03\x00\x04oops").await;
            }
            finish(tcp).await;
        }
    };
    for (head, garbage) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\n\r\n{\"access_", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", true),
    ] {
        let peer = authority.peer(Flaw::None, half(head, garbage)).await;
        let error = refusal(&authority.client(), &peer.https()).await;
        assert_eq!(error.kind, TransportErrorKind::Broken, "{head} {error}");
        for n in 0..2 {
            let peer = authority.peer(Flaw::None, half(head, garbage)).await;
            let credential = &both(&authority.client(), &peer.https())[n];
            let token = credential.get_token(&request()).await.unwrap();
            assert_eq!(token.secret(), ACCESS_TOKEN);
            assert_eq!(peer.connections(), 2, "{head}");
        }
    }
}
