//! Signed tokens: RS256 with the public test keys of `fixtures/keys`.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose};
use ring::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::multi_prime::MultiPrime;
use super::settings::SigningKey;

const KEY: &[u8] = include_bytes!("../../../fixtures/keys/entra-signing-key.pk8");
const CERTIFICATE: &[u8] = include_bytes!("../../../fixtures/keys/entra-signing-cert.der");
const FAST_CERTIFICATE: &[u8] = include_bytes!("../../../fixtures/keys/fast-signing-cert.der");

/// How many signatures are remembered: a few megabytes.
const REMEMBERED: usize = 16_384;

struct Signer {
    key: Key,
    certificate: &'static [u8],
    /// The encoded header: the same in every token.
    header: String,
    /// The key's id, which is its certificate's thumbprint.
    id: String,
}

enum Key {
    Common {
        key: Box<KeyPair>,
        /// Signatures by the digest of what they sign. PKCS#1 v1.5 is deterministic, so worlds that
        /// issue the same token (another seed, another engine, a second run) need not sign it again.
        known: Mutex<BTreeMap<[u8; 32], String>>,
    },
    Fast(Box<MultiPrime>),
}

/// None only if the key in `fixtures` can't be read; then no token verifies.
static COMMON: LazyLock<Option<Signer>> = LazyLock::new(|| {
    let key = Box::new(KeyPair::from_pkcs8(KEY).ok()?);
    let known = Mutex::default();
    Some(Signer::new(Key::Common { key, known }, CERTIFICATE))
});

static FAST: LazyLock<Signer> =
    LazyLock::new(|| Signer::new(Key::Fast(Box::default()), FAST_CERTIFICATE));

fn signer(key: SigningKey) -> Option<&'static Signer> {
    match key {
        SigningKey::Common => COMMON.as_ref(),
        SigningKey::Fast => Some(&FAST),
    }
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

/// The token that says `claims`, signed with the common key.
#[cfg(test)]
pub fn sign(claims: &impl Serialize) -> String {
    sign_with(SigningKey::Common, claims)
}

/// The token that says `claims`.
pub fn sign_with(key: SigningKey, claims: &impl Serialize) -> String {
    let Some(signer) = signer(key) else {
        return String::new();
    };
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let mut token = format!("{}.{}", signer.header, url_safe(claims));
    let signature = signer.signature(token.as_bytes());
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
    let signer = signer_of(header)?;
    if signer.knows(signed.as_bytes(), signature) {
        return decode(claims).ok_or(NotVerified::Malformed);
    }
    let signature = general_purpose::URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| NotVerified::Malformed)?;
    signer
        .public()
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .map_err(|_| NotVerified::Signature)?;
    decode(claims).ok_or(NotVerified::Malformed)
}

/// The key that a token's header names.
fn signer_of(header: &str) -> Result<&'static Signer, NotVerified> {
    let keys = [SigningKey::Common, SigningKey::Fast].into_iter();
    let mut signers = keys.filter_map(signer);
    // Tokens of this module have the header of their key, word for word.
    if let Some(signer) = signers.clone().find(|signer| signer.header == header) {
        return Ok(signer);
    }
    let decoded: Value = decode(header).ok_or(NotVerified::Malformed)?;
    signers
        .find(|signer| decoded["alg"] == "RS256" && decoded["kid"] == signer.id.as_str())
        .ok_or(NotVerified::UnknownKey)
}

/// The claims of a token, whatever its signature; none if it is not a token.
pub fn claims_unverified(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    decode(claims)
}

/// The published keys of a world whose tokens are signed with `key`, as Entra's JWKS lists them.
pub fn key_set(key: SigningKey, issuer: &str) -> Value {
    let keys: Vec<Value> = signer(key)
        .into_iter()
        .map(|signer| {
            let public = signer.public();
            json!({
                "kty": "RSA",
                "use": "sig",
                "kid": signer.id,
                "x5t": signer.id,
                "n": url_safe(public.n),
                "e": url_safe(public.e),
                "x5c": [general_purpose::STANDARD.encode(signer.certificate)],
                "issuer": issuer,
            })
        })
        .collect();
    json!({ "keys": keys })
}

/// base64url without padding, as JWTs are written.
pub fn url_safe(bytes: impl AsRef<[u8]>) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn new(key: Key, certificate: &'static [u8]) -> Self {
        let id = url_safe(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref());
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": id, "kid": id });
        Self {
            key,
            certificate,
            header: url_safe(header.to_string()),
            id,
        }
    }

    fn public(&self) -> PublicKeyComponents<Vec<u8>> {
        match &self.key {
            Key::Common { key, .. } => PublicKeyComponents::from(key.public()),
            Key::Fast(key) => PublicKeyComponents {
                n: key.modulus(),
                e: MultiPrime::exponent(),
            },
        }
    }

    /// Whether it has made this signature itself, and remembers that. PKCS#1 v1.5 has one signature
    /// for each input, so an equal one needs no verification.
    fn knows(&self, input: &[u8], signature: &str) -> bool {
        match &self.key {
            Key::Common { known, .. } => {
                let known = known.lock().unwrap_or_else(PoisonError::into_inner);
                known
                    .get(&digest_of(input))
                    .is_some_and(|one| one == signature)
            }
            Key::Fast(_) => false,
        }
    }

    fn signature(&self, input: &[u8]) -> String {
        match &self.key {
            Key::Common { key, known } => common_signature(key, known, input),
            Key::Fast(key) => url_safe(key.sign(input)),
        }
    }
}

fn digest_of(input: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, input).as_ref());
    bytes
}

fn common_signature(
    key: &KeyPair,
    known: &Mutex<BTreeMap<[u8; 32], String>>,
    input: &[u8],
) -> String {
    let name = digest_of(input);
    let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(signature) = known().get(&name) {
        return signature.clone();
    }
    let mut bytes = vec![0; key.public().modulus_len()];
    // The padding draws nothing from the random source that the interface asks for.
    let signed = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut bytes);
    let signature = if signed.is_ok() {
        url_safe(bytes)
    } else {
        String::new()
    };
    let mut known = known();
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(name, signature.clone());
    signature
}

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&general_purpose::URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
