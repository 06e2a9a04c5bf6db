//! How a request judges the certificate of its peer.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The check of the certificate of an https peer. Default: [`System`](Self::System).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Checks issuer, dates and names, with the authorities that the operating system trusts.
    #[default]
    System,
    /// Checks issuer, dates and names, with these authorities only. The token proxy of AKS needs it
    /// (WI-01).
    Authority(Authorities),
    /// Checks that the SHA-1 of the leaf certificate's DER encoding is this one, and that the peer
    /// has the certificate's key. Issuer, dates and names are not checked. Service Fabric publishes
    /// the thumbprint of its self-signed certificate in `IDENTITY_SERVER_THUMBPRINT` (MI-20).
    Thumbprint([u8; 20]),
}

impl Trust {
    /// Parses a thumbprint: 40 hexadecimal digits, with or without spaces and colons.
    ///
    /// # Errors
    /// `text` has another form. The error does not repeat it.
    pub fn thumbprint(text: &str) -> Result<Self, TrustError> {
        let digits: Option<Vec<u8>> = (text.chars())
            .filter(|char| !matches!(char, ' ' | ':'))
            .map(|char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let bytes: Option<Vec<u8>> = digits.and_then(|digits| {
            let (pairs, odd) = digits.as_chunks::<2>();
            let bytes = pairs.iter().map(|[high, low]| high << 4 | low).collect();
            odd.is_empty().then_some(bytes)
        });
        bytes
            .and_then(|bytes| <[u8; 20]>::try_from(bytes).ok())
            .map(Self::Thumbprint)
            .ok_or(TrustError(
                "a certificate thumbprint has 40 hexadecimal digits",
            ))
    }
}

/// Certificate authorities, each by the DER encoding of its certificate. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authorities(Arc<[Vec<u8>]>);

impl Authorities {
    /// Reads the `CERTIFICATE` blocks of a PEM text, in their order. Other blocks and text between
    /// blocks are ignored.
    ///
    /// # Errors
    /// The text has no certificate, a block has no end, or a block is not a certificate in base64.
    pub fn from_pem(pem: &str) -> Result<Self, TrustError> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let mut certificates = Vec::new();
        let mut rest = pem;
        while let Some((_, block)) = rest.split_once(BEGIN) {
            let (block, after) = block
                .split_once(END)
                .ok_or(TrustError("a certificate in the PEM text has no end"))?;
            let base64: String = block
                .chars()
                .filter(|it| !it.is_ascii_whitespace())
                .collect();
            let der = STANDARD.decode(base64).map_err(|_| {
                TrustError("a certificate in the PEM text is not encoded in base64")
            })?;
            certificates.push(der);
            rest = after;
        }
        Self::from_der(certificates)
    }

    /// Takes these certificates, each encoded in DER.
    ///
    /// # Errors
    /// There is no certificate, or one is not encoded in DER. Other faults of a certificate are
    /// found only when a client uses it.
    pub fn from_der(certificates: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, TrustError> {
        let certificates: Arc<[Vec<u8>]> = certificates.into_iter().collect();
        if certificates.is_empty() {
            return Err(TrustError("there is no certificate of an authority"));
        }
        if certificates.iter().any(|der| !is_sequence(der)) {
            return Err(TrustError("the certificate of an authority is not in DER"));
        }
        Ok(Self(certificates))
    }

    /// Returns the certificates, encoded in DER.
    pub fn certificates(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({} certificates)", self.0.len())
    }
}

/// Returns whether `der` is a single SEQUENCE, as a certificate is.
fn is_sequence(der: &[u8]) -> bool {
    let [0x30, first, rest @ ..] = der else {
        return false;
    };
    let (length, content) = match *first {
        short @ ..=0x7f => (usize::from(short), rest),
        // Lengths of 16 MiB or more are refused: no certificate is that large.
        long @ 0x81..=0x83 => {
            let Some((length, content)) = rest.split_at_checked(usize::from(long & 0x7f)) else {
                return false;
            };
            let length = (length.iter()).fold(0, |all, byte| all << 8 | usize::from(*byte));
            (length, content)
        }
        _ => return false,
    };
    content.len() == length
}

/// A thumbprint or certificate that cannot be read. Holds no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustError(&'static str);

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for TrustError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_thumbprint_is_read_as_people_write_it() {
        let expected: Vec<u8> = (0..20).map(|n| n * 13).collect();
        let expected = Trust::Thumbprint(expected.try_into().expect("20 bytes"));
        let plain = "000d1a2734414e5b6875828f9ca9b6c3d0ddeaf7";
        for text in [
            plain.to_owned(),
            plain.to_uppercase(),
            "00:0d:1A:27:34:41:4e:5b:68:75:82:8f:9c:a9:b6:c3:d0:dd:ea:f7".to_owned(),
            " 000d1a27 34414e5b 6875828f 9ca9b6c3 d0ddeaf7 ".to_owned(),
        ] {
            assert_eq!(Trust::thumbprint(&text), Ok(expected.clone()), "{text}");
        }
        let long = format!("{plain}00");
        for text in [
            "",
            "zz",
            &plain[1..],
            &plain[2..],
            &long,
            "+00d1a2734414e5b6875828f9ca9b6c3d0ddeaf7",
        ] {
            let error = Trust::thumbprint(text).expect_err("no thumbprint");
            assert!(
                error.to_string().contains("40 hexadecimal digits"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let block = |content: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n")
        };
        let two = format!("note\n{}text\r\n{}", block("MAA="), block("MAMC\nAQE="));
        let both = Authorities::from_pem(&two).expect("certificates");
        let all: Vec<_> = both.certificates().collect();
        assert_eq!(all, [&[0x30, 0][..], &[0x30, 3, 2, 1, 1]]);
        assert_eq!(format!("{both:?}"), "Authorities(2 certificates)");
        let key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        for (pem, words) in [
            ("", "no certificate"),
            (key, "no certificate"),
            ("-----BEGIN CERTIFICATE-----\nMAA=", "no end"),
            (&block("M!A="), "base64"),
            (&block(""), "not in DER"),
            (&block("MAE="), "not in DER"),
            (&block("MAAA"), "not in DER"),
        ] {
            let error = Authorities::from_pem(pem).expect_err(pem);
            assert!(error.to_string().contains(words), "{pem}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in ".*", der in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = Trust::thumbprint(&text);
            let _ = Authorities::from_pem(&text);
            let _ = Authorities::from_der([der]);
        }
    }
}
