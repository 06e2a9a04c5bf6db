//! Digests of secrets, by which they are told apart unseen.

use std::{fmt, num::NonZeroU64};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// The first eight bytes of a SHA-256, in hexadecimal. Enough to tell two tokens apart, useless
/// to an attacker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(
    /// One more than the number, so that `Option<Fingerprint>` needs no room of its own. The
    /// largest number therefore reads as the one below it.
    NonZeroU64,
);

/// The fingerprint of `secret`.
pub fn fingerprint(secret: impl AsRef<[u8]>) -> Fingerprint {
    let mut context = Context::new(&SHA256);
    context.update(secret.as_ref());
    Fingerprint::finish(context)
}

impl Fingerprint {
    /// The smallest, which stands for any where tokens do not matter.
    pub(crate) const MIN: Self = Self::of(0);

    const fn of(number: u64) -> Self {
        match NonZeroU64::new(number.saturating_add(1)) {
            Some(kept) => Self(kept),
            None => Self(NonZeroU64::MIN),
        }
    }

    pub(super) fn finish(context: Context) -> Self {
        let digest = context.finish();
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_ref()[..8]);
        Self::of(u64::from_be_bytes(first))
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::MIN
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0.get() - 1)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let expected =
            |_| serde::de::Error::custom("expected a fingerprint: 16 hexadecimal digits");
        u64::from_str_radix(&text, 16)
            .map(Self::of)
            .map_err(expected)
    }
}
