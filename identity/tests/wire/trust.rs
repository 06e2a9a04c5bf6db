//! TLS by the `trust` and the `server_name` of a request.

use std::sync::{Arc, Mutex};

use credsim_identity::{
    adapters::reqwest::ReqwestClient,
    platform::{
        Authorities, HttpClient as _, HttpRequest, Method, TransportError, TransportErrorKind,
        Trust,
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use ring::digest;
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::ring::{default_provider, sign::any_supported_type},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use crate::{
    host::assert_no_secret,
    peer::{Peer, answer, closed},
};

const SECRET: &str = "the identity header";

/// A certificate and its key.
pub(super) struct Leaf {
    der: CertificateDer<'static>,
    key: KeyPair,
}

impl Leaf {
    /// Self-signed and long expired, for another name: as far from what the system
    /// trusts as the certificate of Service Fabric is.
    pub(super) fn self_signed() -> Self {
        let mut params = CertificateParams::new(["fabric.invalid".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2020, 1, 1);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { der, key }
    }

    fn signed_by(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Self {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let der = params.signed_by(&key, authority).unwrap().der().clone();
        Self { der, key }
    }

    fn pin(&self) -> Trust {
        Trust::Thumbprint(self.thumbprint())
    }

    pub(super) fn thumbprint(&self) -> [u8; 20] {
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        sha1.as_ref().try_into().unwrap()
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    let name = &mut params.distinguished_name;
    name.push(rcgen::DnType::CommonName, "The authority of a test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn trusting(authority: &CertifiedIssuer<'static, KeyPair>) -> Trust {
    Trust::Authority(Authorities::from_pem(&authority.pem()).unwrap())
}

/// Shows one certificate with whatever key it is given, and keeps the names that it is asked for.
#[derive(Debug)]
struct Shown {
    certified: Arc<CertifiedKey>,
    names: Arc<Mutex<Vec<Option<String>>>>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_owned);
        self.names.lock().unwrap().push(name);
        Some(Arc::clone(&self.certified))
    }
}

pub(super) struct Server {
    pub(super) peer: Peer,
    names: Arc<Mutex<Vec<Option<String>>>>,
}

impl Server {
    /// Presents `der` and signs with `key`.
    async fn of(
        der: &CertificateDer<'static>,
        key: &KeyPair,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        Self::answering(der, key, versions, answer("200 OK", "", "whole")).await
    }

    /// Presents `leaf` and answers this to each request.
    pub(super) async fn saying(leaf: &Leaf, said: Vec<u8>) -> Self {
        Self::answering(&leaf.der, &leaf.key, rustls::ALL_VERSIONS, said).await
    }

    async fn answering(
        der: &CertificateDer<'static>,
        key: &KeyPair,
        versions: &[&'static SupportedProtocolVersion],
        said: Vec<u8>,
    ) -> Self {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let certified = CertifiedKey::new(vec![der.clone()], any_supported_type(&key).unwrap());
        let names = Arc::default();
        let shown = Shown {
            certified: Arc::new(certified),
            names: Arc::clone(&names),
        };
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let peer = Peer::new(move |_, stream, requests| {
            let (acceptor, said) = (acceptor.clone(), said.clone());
            async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    requests.read(&mut stream).await;
                    let _ = stream.write_all(&said).await;
                    let _ = stream.shutdown().await;
                    closed(&mut stream).await;
                }
            }
        });
        Self {
            peer: peer.await,
            names,
        }
    }

    async fn showing(leaf: &Leaf) -> Self {
        Self::of(&leaf.der, &leaf.key, rustls::ALL_VERSIONS).await
    }

    fn request(&self, trust: Trust) -> HttpRequest {
        let url = format!("{}/token?a=b", self.peer.https());
        let mut request = HttpRequest::new(Method::Get, url.parse().unwrap());
        request.trust = trust;
        request.header("Secret", SECRET)
    }

    fn named(&self, trust: Trust, name: &str) -> HttpRequest {
        let mut request = self.request(trust);
        request.server_name = Some(name.to_owned());
        request
    }

    /// The request arrived and was answered.
    async fn answers(&self, client: &ReqwestClient, request: HttpRequest) {
        let before = self.peer.requests().len();
        let mut response = client.send(request).await.unwrap();
        assert_eq!(response.bytes(100).await.unwrap(), b"whole");
        assert_eq!(self.peer.requests().len(), before + 1);
    }

    /// The peer was refused, and nothing was sent to it.
    async fn refused(&self, client: &ReqwestClient, request: HttpRequest) -> TransportError {
        let before = self.peer.requests().len();
        let error = client.send(request).await.unwrap_err();
        assert_no_secret(&error);
        assert!(!error.message.contains(SECRET), "{error}");
        assert_eq!(self.peer.requests().len(), before, "{error}");
        error
    }
}

#[tokio::test]
async fn the_pinned_certificate_is_accepted_and_no_other() {
    let (right, wrong) = (Leaf::self_signed(), Leaf::self_signed());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = Server::of(&right.der, &right.key, &[version]).await;
        let client = ReqwestClient::new();
        server.answers(&client, server.request(right.pin())).await;
        let error = server.refused(&client, server.request(wrong.pin())).await;
        assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
        let words = "invalid peer certificate: its thumbprint is ";
        assert!(error.message.starts_with(words), "{error}");
        let error = server.refused(&client, server.request(Trust::System)).await;
        assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
    }
}

/// The certificate is public: a peer without its key is not the one.
#[tokio::test]
async fn the_peer_must_have_the_key_of_the_pinned_certificate() {
    let leaf = Leaf::self_signed();
    let other = KeyPair::generate().unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = Server::of(&leaf.der, &other, &[version]).await;
        let request = server.request(leaf.pin());
        let error = server.refused(&ReqwestClient::new(), request).await;
        assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
        assert!(error.message.contains("BadSignature"), "{error}");
    }
}

#[tokio::test]
async fn the_authority_of_the_request_is_trusted_and_no_other() {
    let (right, wrong) = (authority(), authority());
    let server = Server::showing(&Leaf::signed_by(&right, "127.0.0.1")).await;
    let client = ReqwestClient::new();
    server
        .answers(&client, server.request(trusting(&right)))
        .await;
    let error = server
        .refused(&client, server.request(trusting(&wrong)))
        .await;
    assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
    assert!(
        error.message.contains("UnknownIssuer") || error.message.contains("BadSignature"),
        "{error}"
    );

    let elsewhere = Server::showing(&Leaf::signed_by(&right, "proxy.example")).await;
    let request = elsewhere.request(trusting(&right));
    let error = elsewhere.refused(&client, request).await;
    assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
    assert!(error.message.contains("not valid for name"), "{error}");
}

/// WI-01: the proxy is reached at its URL, under its own server name.
#[tokio::test]
async fn the_server_name_is_sent_and_checked_and_the_host_stays() {
    let authority = authority();
    let server = Server::showing(&Leaf::signed_by(&authority, "Proxy.example")).await;
    let client = ReqwestClient::new();
    let trust = trusting(&authority);
    server
        .answers(&client, server.named(trust.clone(), "proxy.Example"))
        .await;
    let sent = server.names.lock().unwrap().clone();
    assert_eq!(sent, [Some("proxy.example".to_owned())]);
    let request = server.peer.requests()[0].to_ascii_lowercase();
    assert!(
        request.starts_with("get /token?a=b http/1.1\r\n"),
        "{request}"
    );
    let host = format!("\r\nhost: {}\r\n", server.peer.address);
    assert!(request.contains(&host), "{request}");
    assert_eq!(request.matches("host:").count(), 1, "{request}");

    let error = server
        .refused(&client, server.named(trust.clone(), "other.example"))
        .await;
    assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
    assert!(error.message.contains("not valid for name"), "{error}");

    // The host is resolved, and not the server name.
    let mut request = server.named(trust, "proxy.example");
    request.url.set_host(Some("localhost")).unwrap();
    server.answers(&client, request).await;

    // A pin does not look at names.
    let leaf = Leaf::self_signed();
    let pinned = Server::showing(&leaf).await;
    pinned
        .answers(&client, pinned.named(leaf.pin(), "proxy.example"))
        .await;
    assert_eq!(
        *pinned.names.lock().unwrap(),
        [Some("proxy.example".to_owned())]
    );
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused_and_nothing_is_sent() {
    let leaf = Leaf::self_signed();
    let server = Server::showing(&leaf).await;
    let client = ReqwestClient::new();
    let mut plain = server.request(leaf.pin());
    plain.url = server.peer.http().parse().unwrap();
    let mut named = server.named(Trust::System, "proxy.example");
    named.url = server.peer.http().parse().unwrap();
    let no_certificate = Authorities::from_der([vec![0x30, 0]]).unwrap();
    for (request, words) in [
        (plain, "must be https and not http"),
        (named, "must be https and not http"),
        (
            server.request(Trust::Authority(no_certificate)),
            "certificate of an authority",
        ),
        (server.named(leaf.pin(), ""), "not a DNS name"),
        (server.named(leaf.pin(), "127.0.0.1"), "not a DNS name"),
        (server.named(leaf.pin(), "[::1]"), "not a DNS name"),
        (server.named(leaf.pin(), "1.2"), "not a DNS name"),
        (server.named(leaf.pin(), "a.example/b"), "not a DNS name"),
        (server.named(leaf.pin(), "a.example:443"), "not a DNS name"),
        (server.named(leaf.pin(), "a@b.example"), "not a DNS name"),
        (server.named(leaf.pin(), "bücher.example"), "not a DNS name"),
    ] {
        let error = server.refused(&client, request).await;
        assert_eq!(error.kind, TransportErrorKind::Unsupported, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    assert_eq!(server.peer.connections(), 0);
}

/// A customised client uses the trust of the request, and not its own.
#[tokio::test]
async fn a_client_with_its_own_tls_honours_the_request_all_the_same() {
    let (leaf, other) = (Leaf::self_signed(), Leaf::self_signed());
    let config = crate::tls::trusting(&[]);
    let client =
        ReqwestClient::customized(move |builder| builder.tls_backend_preconfigured(config.clone()));
    let server = Server::showing(&leaf).await;
    server.answers(&client, server.request(leaf.pin())).await;
    let error = server.refused(&client, server.request(other.pin())).await;
    assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
}

/// More authorities than clients are kept, as when they are rotated: each request is still judged
/// by its own.
#[tokio::test]
async fn many_trusts_in_turn_are_each_honoured() {
    let leaves: Vec<_> = (0..11).map(|_| Leaf::self_signed()).collect();
    let server = Server::showing(&leaves[0]).await;
    let client = ReqwestClient::new();
    for _ in 0..2 {
        server
            .answers(&client, server.request(leaves[0].pin()))
            .await;
        for leaf in &leaves[1..] {
            let error = server.refused(&client, server.request(leaf.pin())).await;
            assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
        }
    }
}
