//! The certificate authority of one run. Its key exists in memory only, and its certificate is
//! good for nothing but the names of the world.

use std::{collections::BTreeMap, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{DnsName, PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// Certificates are valid for so long that no faked clock breaks them.
const FROM_YEAR: i32 = 2016;
const UNTIL_YEAR: i32 = 2056;

/// The authority, and a TLS configuration for each host.
pub(crate) struct Certificates {
    /// The authority's certificate, in PEM.
    pub authority: String,
    configs: BTreeMap<String, Arc<ServerConfig>>,
}

impl Certificates {
    /// A new authority, and a certificate for each of `hosts`.
    ///
    /// # Errors
    /// What keeps a certificate from being made, in words: a host that is no DNS name.
    pub fn new(hosts: &[String]) -> Result<Self, String> {
        if let Some(host) = hosts
            .iter()
            .find(|host| DnsName::try_from(host.as_str()).is_err())
        {
            return Err(format!(
                "no certificate can be made for {host}: it is not a DNS name"
            ));
        }
        let explain = |error: rcgen::Error| format!("no certificate can be made: {error}");
        let key = KeyPair::generate().map_err(explain)?;
        let params = authority(hosts).map_err(explain)?;
        let certificate = params.self_signed(&key).map_err(explain)?;
        let authority = certificate.pem();
        let issuer = Issuer::new(params, key);
        let mut configs = BTreeMap::new();
        for host in hosts {
            let config = config(host, &issuer)
                .map_err(|error| format!("no certificate for {host}: {error}"))?;
            configs.insert(host.clone(), Arc::new(config));
        }
        Ok(Self { authority, configs })
    }

    /// How to speak TLS as `host`.
    pub fn of(&self, host: &str) -> Option<Arc<ServerConfig>> {
        self.configs.get(host).cloned()
    }
}

fn authority(hosts: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "credsim, for one run");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(FROM_YEAR, 1, 1);
    params.not_after = date_time_ymd(UNTIL_YEAR, 1, 1);
    let mut permitted: Vec<_> = hosts.iter().cloned().map(GeneralSubtree::DnsName).collect();
    if permitted.is_empty() {
        // No permitted name at all would mean any name.
        permitted.push(GeneralSubtree::DnsName("credsim.invalid".to_owned()));
    }
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted,
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    });
    Ok(params)
}

fn config(host: &str, issuer: &Issuer<'_, KeyPair>) -> Result<ServerConfig, String> {
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
    let mut params = CertificateParams::new(Vec::new()).map_err(|error| error.to_string())?;
    let name = host
        .to_owned()
        .try_into()
        .map_err(|error: rcgen::Error| error.to_string())?;
    params.subject_alt_names = vec![SanType::DnsName(name)];
    params.distinguished_name.push(DnType::CommonName, host);
    params.not_before = date_time_ymd(FROM_YEAR, 1, 1);
    params.not_after = date_time_ymd(UNTIL_YEAR, 1, 1);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params
        .signed_by(&key, issuer)
        .map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
        })
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_a_configuration_and_no_other_name_has_one() {
        let hosts = [
            "login.microsoftonline.com".to_owned(),
            "a.example".to_owned(),
        ];
        let certificates = Certificates::new(&hosts).expect("certificates");
        assert!(
            certificates
                .authority
                .starts_with("-----BEGIN CERTIFICATE-----")
        );
        assert!(!certificates.authority.contains("PRIVATE"));
        assert!(certificates.of("a.example").is_some());
        assert!(certificates.of("b.example").is_none());
    }

    /// The constraints are critical: a client that does not know them must reject the certificate.
    #[test]
    fn the_authority_is_bound_to_its_names() {
        let hosts = ["a.example".to_owned()];
        let key = KeyPair::generate().expect("a key");
        let certificate = authority(&hosts).and_then(|params| params.self_signed(&key));
        let certificate = certificate.expect("a certificate");
        // The id of name constraints (2.5.29.30), then `critical = TRUE`.
        let critical = [0x06, 0x03, 0x55, 0x1d, 0x1e, 0x01, 0x01, 0xff];
        let der = certificate.der();
        assert!(der.windows(critical.len()).any(|bytes| bytes == critical));
        let issuer = Issuer::new(authority(&hosts).expect("parameters"), key);
        let mut roots = rustls::RootCertStore::empty();
        roots.add(der.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trusting = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let trusting = Arc::new(trusting);
        let good = handshake(&trusting, "a.example", &issuer);
        assert_eq!(good, Ok(()));
        for other in ["b.example", "login.microsoftonline.com", "a.example.org"] {
            let error = handshake(&trusting, other, &issuer).expect_err("another name");
            let error = format!("{error:?}");
            assert!(
                error.contains("NameConstraintViolation"),
                "{other}: {error}"
            );
        }
    }

    /// What a client says to a leaf of `issuer` for `host`.
    fn handshake(
        trusting: &Arc<rustls::ClientConfig>,
        host: &str,
        issuer: &Issuer<'_, KeyPair>,
    ) -> Result<(), rustls::Error> {
        let name = host.to_owned().try_into().expect("a name");
        let mut client = rustls::ClientConnection::new(trusting.clone(), name)?;
        let serving = config(host, issuer).expect("a configuration");
        let mut server = rustls::ServerConnection::new(Arc::new(serving))?;
        while client.is_handshaking() {
            let mut flight = Vec::new();
            client.write_tls(&mut flight).expect("in memory");
            server.read_tls(&mut &flight[..]).expect("in memory");
            server.process_new_packets()?;
            flight.clear();
            server.write_tls(&mut flight).expect("in memory");
            client.read_tls(&mut &flight[..]).expect("in memory");
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn what_is_no_name_is_said_to_be_none() {
        let error = Certificates::new(&["bücher.example".to_owned()]).err();
        assert!(error.is_some_and(|error| error.contains("bücher.example")));
    }
}
