//! Signed tokens: RS256 with the public test key of `fixtures/keys`.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::Serialize;
use serde_json::{Value, json};

use super::multi_prime::MultiPrime;

const CERTIFICATE: &[u8] = include_bytes!("../../../fixtures/keys/entra-signing-cert.der");

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::new);

struct Signer {
    key: MultiPrime,
    /// The encoded header: the same in every token.
    header: String,
    /// The key's id, which is its certificate's thumbprint.
    id: String,
}

/// Why a token is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotVerified {
    /// It is no JWT.
    Malformed,
    /// It names another key or algorithm.
    UnknownKey,
    /// The signature is wrong.
    Signature,
}

/// The token that says `claims`. The same claims give the same token.
pub fn sign(claims: &impl Serialize) -> String {
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let mut token = format!("{}.{}", SIGNER.header, url_safe(claims));
    let signature = url_safe(SIGNER.key.sign(token.as_bytes()));
    token.push('.');
    token.push_str(&signature);
    token
}

/// The claims of a token that this module signed.
///
/// # Errors
/// It is not such a token.
pub fn verify(token: &str) -> Result<Value, NotVerified> {
    let (signed, signature) = token.rsplit_once('.').ok_or(NotVerified::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(NotVerified::Malformed)?;
    if !names_the_key(header)? {
        return Err(NotVerified::UnknownKey);
    }
    let signature = general_purpose::URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| NotVerified::Malformed)?;
    // PKCS#1 v1.5 has one signature for each input, and making it takes less time than verifying
    // it.
    if SIGNER.key.sign(signed.as_bytes()) != signature {
        return Err(NotVerified::Signature);
    }
    decode(claims).ok_or(NotVerified::Malformed)
}

/// Whether a token's header asks for the key and its algorithm.
fn names_the_key(header: &str) -> Result<bool, NotVerified> {
    // Tokens of this module have one header, byte for byte.
    if header == SIGNER.header {
        return Ok(true);
    }
    let decoded: Value = decode(header).ok_or(NotVerified::Malformed)?;
    Ok(decoded["alg"] == "RS256" && decoded["kid"] == SIGNER.id.as_str())
}

/// The claims of a token, whatever its signature; none if it is not a token.
pub fn claims_unverified(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    decode(claims)
}

/// The published key, as Entra's JWKS lists it.
pub fn key_set(issuer: &str) -> Value {
    json!({ "keys": [{
        "kty": "RSA",
        "use": "sig",
        "kid": SIGNER.id,
        "x5t": SIGNER.id,
        "n": url_safe(SIGNER.key.modulus()),
        "e": url_safe(MultiPrime::exponent()),
        "x5c": [general_purpose::STANDARD.encode(CERTIFICATE)],
        "issuer": issuer,
    }] })
}

/// base64url without padding, as JWTs are written.
pub fn url_safe(bytes: impl AsRef<[u8]>) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn new() -> Self {
        let id = url_safe(digest(&SHA1_FOR_LEGACY_USE_ONLY, CERTIFICATE).as_ref());
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": id, "kid": id });
        Self {
            key: MultiPrime::default(),
            header: url_safe(header.to_string()),
            id,
        }
    }
}

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&general_purpose::URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
