//! The certificates that the hosts of a world present in TLS.
//!
//! The engines carry no TLS, so a certificate is what it says: names, issuer, validity. Its DER
//! encoding is made only where somebody asks for it (a thumbprint, a file with an authority), with
//! keys that follow from its names: the same certificate is the same bytes in every run.
//!
//! A host whose service states nothing presents a certificate of the public authority for its own
//! name, which every host trusts. A service states another one when it is installed, and the
//! timeline may change it: [`Backend::present`].

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use credsim_identity::platform::{Authorities, TrustError};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
    SerialNumber, date_time_ymd,
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::pki_types::PrivatePkcs8KeyDer;

use super::{Backend, handle::State};

/// 2016-01-01: certificates that say nothing of their dates are valid for so long that no clock of
/// a scenario matters.
const FROM: i64 = 1_451_606_400;
/// 2056-01-01.
const UNTIL: i64 = 2_713_910_400;

/// What a certificate authority is called, and the number of its key: another generation has
/// another key and certificate under the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its common name.
    pub name: String,
    /// The number of its key.
    pub generation: u32,
}

/// Who signed a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// An authority that every host trusts.
    PublicAuthority,
    /// An authority that a client trusts only if it is told to.
    Authority(Authority),
    /// Its own key.
    Itself,
}

/// The certificate of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The DNS names and addresses for which it is valid.
    pub names: Vec<String>,
    /// Who signed it.
    pub signed_by: SignedBy,
    /// The first second in which it is valid.
    pub not_before: Timestamp,
    /// The last second in which it is valid.
    pub not_after: Timestamp,
    /// Its serial number. Certificates that differ in nothing else are two certificates with two
    /// keys.
    pub serial: u64,
}

impl Certificate {
    /// For one name, valid from 2016 until 2056.
    pub fn new(name: impl Into<String>, signed_by: SignedBy) -> Self {
        let second = |at| Timestamp::from_second(at).unwrap_or_default();
        Self {
            names: vec![name.into()],
            signed_by,
            not_before: second(FROM),
            not_after: second(UNTIL),
            serial: 1,
        }
    }

    /// Its DER encoding: a real certificate, whose key nobody needs.
    pub fn der(&self) -> Vec<u8> {
        self.make().unwrap_or_else(|error| {
            // What a scenario can say passes its checks before.
            unreachable!("the certificate for {:?}: {error}", self.names)
        })
    }

    /// SHA-1 of its DER encoding.
    pub fn thumbprint(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der()).as_ref());
        bytes
    }

    /// Its thumbprint in hexadecimal digits, as platforms write it.
    pub fn thumbprint_text(&self) -> String {
        let bytes = self.thumbprint();
        bytes.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn make(&self) -> Result<Vec<u8>, rcgen::Error> {
        let mut params = CertificateParams::default();
        for name in &self.names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into()?),
            });
        }
        let subject = self.names.first().map_or("", String::as_str);
        params.distinguished_name.push(DnType::CommonName, subject);
        params.not_before = date_time_ymd(1970, 1, 1) + seconds(self.not_before);
        params.not_after = date_time_ymd(1970, 1, 1) + seconds(self.not_after);
        params.serial_number = Some(SerialNumber::from(self.serial));
        let key = key(&format!("leaf {:?} {}", self.names, self.serial))?;
        let signed = match &self.signed_by {
            SignedBy::Itself => params.self_signed(&key)?,
            SignedBy::PublicAuthority => params.signed_by(&key, &Authority::public().issuer()?)?,
            SignedBy::Authority(authority) => params.signed_by(&key, &authority.issuer()?)?,
        };
        Ok(signed.der().to_vec())
    }
}

impl Authority {
    /// The first generation of an authority.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            generation: 1,
        }
    }

    /// The authority that every host trusts.
    pub(crate) fn public() -> Self {
        Self::new("The public authority of a simulated world")
    }

    /// Its certificate in PEM, as a file that a client is told to trust.
    pub fn pem(&self) -> String {
        self.made()
            .map_or_else(|error| self.cannot(&error), |it| it.0)
    }

    /// Its certificate in DER.
    pub fn der(&self) -> Vec<u8> {
        self.made()
            .map_or_else(|error| self.cannot(&error), |it| it.1)
    }

    /// What a client trusts that trusts this authority alone.
    ///
    /// # Errors
    /// None: its certificate is one.
    pub fn trusted(&self) -> Result<Authorities, TrustError> {
        Authorities::from_der([self.der()])
    }

    fn made(&self) -> Result<(String, Vec<u8>), rcgen::Error> {
        let certificate = self.params().self_signed(&self.key()?)?;
        Ok((certificate.pem(), certificate.der().to_vec()))
    }

    fn cannot(&self, error: &rcgen::Error) -> ! {
        unreachable!("the certificate of {:?}: {error}", self.name)
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, rcgen::Error> {
        Ok(Issuer::new(self.params(), self.key()?))
    }

    fn key(&self) -> Result<KeyPair, rcgen::Error> {
        key(&format!("authority {:?} {}", self.name, self.generation))
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, self.name.as_str());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2016, 1, 1);
        params.not_after = date_time_ymd(2056, 1, 1);
        params.serial_number = Some(SerialNumber::from(u64::from(self.generation)));
        params
    }
}

/// An Ed25519 key that follows from `label`: it signs without randomness.
fn key(label: &str) -> Result<KeyPair, rcgen::Error> {
    // PKCS#8 version 1 with the OID of Ed25519 (RFC 8410), before the 32 bytes of the key.
    const HEAD: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let seed = digest(
        &SHA256,
        format!("a key of a simulated world: {label}").as_bytes(),
    );
    let der = [&HEAD, seed.as_ref()].concat();
    let der = PrivatePkcs8KeyDer::from(der);
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519)
}

/// Since 1970; nothing is before.
fn seconds(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0))
}

/// The certificates that differ from the one that a host has by default.
#[derive(Default)]
struct Presented(BTreeMap<String, Certificate>);

impl State {
    /// From now on `host` presents this certificate.
    pub fn present(&mut self, host: &str, certificate: Certificate) {
        let presented = self.parts.get_or_default::<Presented>();
        presented.0.insert(host.to_owned(), certificate);
    }
}

impl Backend {
    /// From now on `host` presents this certificate.
    pub fn present(&self, host: &str, certificate: Certificate) {
        self.state().present(host, certificate);
    }

    /// The certificate that `host` presents now.
    pub fn certificate_of(&self, host: &str) -> Certificate {
        let state = self.state();
        let presented = state.parts.get::<Presented>();
        presented
            .and_then(|presented| presented.0.get(host).cloned())
            .unwrap_or_else(|| Certificate::new(host, SignedBy::PublicAuthority))
    }
}
