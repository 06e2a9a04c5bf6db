//! Azure speaks TLS only (RS-40).

use std::{net::TcpListener, sync::Arc};

use credsim_identity::redis::connection::{EntraConnection, RedisEndpoint};
use redis::{ProtocolVersion, RedisResult, cmd};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::server::{OID, Server, options};

#[tokio::test]
async fn a_certificate_decides() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert"), folder.path().join("key"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let args = [
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        cert,
        "--tls-key-file",
        key,
        "--tls-auth-clients",
        "no",
    ];
    let Some(server) = Server::start_with(&args).await else {
        return;
    };
    let entra = server.entra(std::time::Duration::from_secs(60));
    let (provider, _) = entra.provider();
    let endpoint = RedisEndpoint::parse(&format!("rediss://localhost:{port}")).unwrap();

    let strict = options(ProtocolVersion::RESP3);
    let refused = EntraConnection::connect(endpoint.clone(), &provider, strict).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut trusting = options(ProtocolVersion::RESP3);
    trusting.tls_config = Some(Arc::new(config));
    let connected = EntraConnection::connect(endpoint, &provider, trusting).await;
    let user: RedisResult<String> = cmd("ACL")
        .arg("WHOAMI")
        .query_async(&mut connected.unwrap())
        .await;
    assert_eq!(user.unwrap(), OID);
}
