//! What a simulated host thinks of the certificate of a peer: by the rules, in the order and in the
//! words of rustls, without its signatures.

use std::time::Duration;

use credsim_identity::platform::{TransportError, TransportErrorKind, Trust};
use jiff::Timestamp;
use rustls::{
    CertificateError,
    pki_types::{ServerName, UnixTime},
};

use crate::backend::{Authority, Certificate, SignedBy};

/// Checks the certificate of a peer that is called `name`, on a host whose clock shows `now`.
///
/// # Errors
/// It is not what `trust` accepts, or not valid for the name or at the time.
pub(super) fn check(
    certificate: &Certificate,
    trust: &Trust,
    name: &str,
    now: Timestamp,
) -> Result<(), TransportError> {
    let refused = |why: &dyn std::fmt::Display| {
        let message = format!("invalid peer certificate: {why}");
        TransportError::new(TransportErrorKind::Certificate, message)
    };
    if let Trust::Thumbprint(expected) = trust {
        let found = certificate.thumbprint();
        return if found == *expected {
            Ok(())
        } else {
            let (expected, found) = (hex(expected), hex(&found));
            let why = format!("its thumbprint is {found}, and {expected} is expected");
            Err(refused(&why))
        };
    }
    dates(certificate, now)
        .and_then(|()| issuer(certificate, trust))
        .and_then(|()| names(certificate, name))
        .map_err(|why| refused(&in_words(&why)))
}

fn dates(certificate: &Certificate, now: Timestamp) -> Result<(), CertificateError> {
    let (time, not_before) = (unix(now), unix(certificate.not_before));
    let not_after = unix(certificate.not_after);
    if time < not_before {
        return Err(CertificateError::NotValidYetContext { time, not_before });
    }
    if time > not_after {
        return Err(CertificateError::ExpiredContext { time, not_after });
    }
    Ok(())
}

fn issuer(certificate: &Certificate, trust: &Trust) -> Result<(), CertificateError> {
    let is_known = match (trust, &certificate.signed_by) {
        (Trust::System, SignedBy::PublicAuthority) => true,
        (Trust::System, SignedBy::Authority(_) | SignedBy::Itself) => false,
        (Trust::Authority(known), signed_by) => {
            let root = match signed_by {
                SignedBy::PublicAuthority => Authority::public().der(),
                SignedBy::Authority(authority) => authority.der(),
                SignedBy::Itself => certificate.der(),
            };
            known.certificates().any(|der| der == root)
        }
        // Without an issuer; see `check`.
        (Trust::Thumbprint(_), _) => true,
    };
    if is_known {
        Ok(())
    } else {
        Err(CertificateError::UnknownIssuer)
    }
}

fn names(certificate: &Certificate, name: &str) -> Result<(), CertificateError> {
    let is_it = |known: &String| known.eq_ignore_ascii_case(name);
    if certificate.names.iter().any(is_it) {
        return Ok(());
    }
    let expected =
        ServerName::try_from(name.to_owned()).map_err(|_| CertificateError::BadEncoding)?;
    let presented = certificate
        .names
        .iter()
        .map(|known| match known.parse::<std::net::IpAddr>() {
            Ok(address) => format!("IpAddress({address})"),
            Err(_) => format!("DnsName({known:?})"),
        });
    Err(CertificateError::NotValidForNameContext {
        expected,
        presented: presented.collect(),
    })
}

/// What rustls says of it.
fn in_words(why: &CertificateError) -> String {
    let whole = rustls::Error::InvalidCertificate(why.clone()).to_string();
    let words = whole.strip_prefix("invalid peer certificate: ");
    words.unwrap_or(&whole).to_owned()
}

fn unix(at: Timestamp) -> UnixTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use credsim_identity::platform::Authorities;
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        crypto::ring::default_provider,
        pki_types::CertificateDer,
    };

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a date")
    }

    /// What rustls itself says of the certificate, with real signatures.
    fn really(
        certificate: &Certificate,
        roots: &Authorities,
        name: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut store = RootCertStore::empty();
        for der in roots.certificates() {
            let added = store.add(CertificateDer::from(der.to_vec()));
            added.expect("a certificate of an authority");
        }
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
        let leaf = CertificateDer::from(certificate.der());
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let verified =
            verifier
                .expect("a verifier")
                .verify_server_cert(&leaf, &[], &name, &[], unix(now));
        verified.map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_certificate_is_judged_as_rustls_judges_the_real_one() {
        let now = at("2026-01-01T00:00:00Z");
        let authority = Authority::new("A cluster");
        let renewed = Authority {
            generation: 2,
            ..authority.clone()
        };
        let own = |name: &str| Certificate::new(name, SignedBy::Authority(authority.clone()));
        let expired = Certificate {
            not_after: at("2025-12-31T23:59:59Z"),
            ..own("a.example")
        };
        let early = Certificate {
            not_before: at("2026-01-01T00:00:01Z"),
            ..own("a.example")
        };
        let renamed = Certificate {
            names: vec!["b.example".to_owned(), "10.0.0.1".to_owned()],
            ..own("b.example")
        };
        let two = Authorities::from_der([renewed.der(), authority.der()]).expect("two");
        let public = Certificate::new("a.example", SignedBy::PublicAuthority);
        let itself = Certificate::new("a.example", SignedBy::Itself);
        let its_own = Authorities::from_der([itself.der()]).expect("one");
        let known = authority.trusted().expect("one");
        let other = Authority::new("Another").trusted().expect("one");
        let mut refused = 0;
        for (certificate, roots, name) in [
            (&own("a.example"), &known, "a.example"),
            (&own("A.example"), &known, "a.Example"),
            (&own("a.example"), &two, "a.example"),
            (&renamed, &known, "b.example"),
            (&renamed, &known, "10.0.0.1"),
            (&itself, &its_own, "a.example"),
            (
                &public,
                &Authority::public().trusted().expect("one"),
                "a.example",
            ),
            (&own("a.example"), &other, "a.example"),
            (&public, &known, "a.example"),
            (&itself, &known, "a.example"),
            (&expired, &known, "a.example"),
            (&expired, &other, "c.example"),
            (&early, &known, "a.example"),
            (&renamed, &known, "a.example"),
            (&renamed, &known, "10.0.0.2"),
            (&renamed, &other, "a.example"),
        ] {
            let trust = Trust::Authority(roots.clone());
            let simulated = check(certificate, &trust, name, now);
            if let Err(error) = &simulated {
                assert_eq!(error.kind, TransportErrorKind::Certificate);
                refused += 1;
            }
            let simulated = simulated.map_err(|error| error.message);
            let real = really(certificate, roots, name, now);
            assert_eq!(simulated, real, "{certificate:?} as {name}");
        }
        assert_eq!(refused, 9);
        // The same name with another key; rustls tells that from the signature.
        let trust = Trust::Authority(renewed.trusted().expect("one"));
        let error = check(&own("a.example"), &trust, "a.example", now).expect_err("another key");
        assert_eq!(error.kind, TransportErrorKind::Certificate);
    }

    #[test]
    fn the_system_trusts_the_public_authority_only() {
        let now = at("2026-01-01T00:00:00Z");
        let judged = |signed_by| {
            let certificate = Certificate::new("a.example", signed_by);
            check(&certificate, &Trust::System, "a.example", now)
        };
        assert_eq!(judged(SignedBy::PublicAuthority), Ok(()));
        for signed_by in [
            SignedBy::Itself,
            SignedBy::Authority(Authority::new("A cluster")),
        ] {
            let error = judged(signed_by).expect_err("unknown");
            assert_eq!(error.message, "invalid peer certificate: UnknownIssuer");
        }
    }

    #[test]
    fn a_pin_looks_at_the_bytes_alone_and_they_are_the_same_each_time() {
        let mut old = Certificate::new("fabric.example", SignedBy::Itself);
        old.not_after = at("2017-01-01T00:00:00Z");
        let now = at("2026-01-01T00:00:00Z");
        let pin = Trust::Thumbprint(old.thumbprint());
        assert_eq!(check(&old, &pin, "other.example", now), Ok(()));
        let swapped = Certificate {
            serial: 2,
            ..old.clone()
        };
        let error = check(&swapped, &pin, "fabric.example", now).expect_err("swapped");
        assert_eq!(error.kind, TransportErrorKind::Certificate);
        let start = "invalid peer certificate: its thumbprint is ";
        assert!(error.message.starts_with(start), "{error}");
        assert_eq!(
            hex(&old.thumbprint()),
            "044855add0ac30eff7ce95fc42aa0540855af443"
        );
    }
}
