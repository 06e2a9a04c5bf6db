//! Tokens with the shape and the size of real ones. Their signatures are not valid.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// Bytes of an RS256 signature with a key of 2,048 bits.
const SIGNATURE: usize = 256;

/// Padding, which brings a token to about 1.7 kB, as directory claims do in real ones.
const FILLER: usize = 880;

/// The `number`-th token: three parts, about 1.7 kB, and no two alike.
pub(super) fn token(number: u64) -> String {
    let header = r#"{"typ":"JWT","alg":"RS256","kid":"benches"}"#;
    let payload = format!(
        r#"{{"aud":"https://vault.azure.net","iss":"https://sts.windows.net/benches/","uti":"{number}","filler":"{}"}}"#,
        "0123456789abcdef".repeat(FILLER / 16)
    );
    let signature: Vec<u8> = (number..)
        .take(SIGNATURE)
        .map(|byte| (byte % 251) as u8)
        .collect();
    let [header, payload, signature] = [header.as_bytes(), payload.as_bytes(), &signature]
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{payload}.{signature}")
}
