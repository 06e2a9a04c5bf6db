//! An authority for one run, and its certificate for 127.0.0.1. Both keys exist in memory only.

use std::{net::Ipv4Addr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
    date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// The years between which certificates are valid: the benches shift the clocks of clients.
const FROM_YEAR: i32 = 2016;
const UNTIL_YEAR: i32 = 2056;

pub(super) struct Certificates {
    /// The authority's certificate, in PEM.
    pub authority: String,
    pub acceptor: TlsAcceptor,
}

impl Certificates {
    pub fn new() -> Result<Self, String> {
        let explain = |error: rcgen::Error| format!("no certificate can be made: {error}");
        let key = KeyPair::generate().map_err(explain)?;
        let params = authority().map_err(explain)?;
        let certificate = params.self_signed(&key).map_err(explain)?;
        let authority = certificate.pem();
        let config = config(&Issuer::new(params, key))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self {
            authority,
            acceptor,
        })
    }
}

/// Constrains the authority to 127.0.0.1.
fn authority() -> Result<CertificateParams, rcgen::Error> {
    let mut params = named("credsim benches, for one run")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let loopback = CidrSubnet::V4(Ipv4Addr::LOCALHOST.octets(), [255; 4]);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::IpAddress(loopback),
            // Without any permitted DNS name, all of them would be permitted.
            GeneralSubtree::DnsName("credsim.invalid".to_owned()),
        ],
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

fn named(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(FROM_YEAR, 1, 1);
    params.not_after = date_time_ymd(UNTIL_YEAR, 1, 1);
    Ok(params)
}

fn config(issuer: &Issuer<'_, KeyPair>) -> Result<ServerConfig, String> {
    let explain = |error: rcgen::Error| format!("no certificate can be made: {error}");
    let key = KeyPair::generate().map_err(explain)?;
    // Contains a space: OpenSSL treats a common name that looks like a host name as one, and the
    // constraint would forbid it.
    let mut params = named("credsim benches").map_err(explain)?;
    params.subject_alt_names = vec![SanType::IpAddress(Ipv4Addr::LOCALHOST.into())];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, issuer).map_err(explain)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
        })
        .map_err(|error| format!("TLS can't be set up: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
