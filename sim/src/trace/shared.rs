//! Strings of events. A run repeats few of them very often: endpoint names, scopes, object ids,
//! sentences.

use std::{borrow::Borrow, cell::RefCell, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many strings a thread remembers in order to share them. A power of two.
const REMEMBERED: usize = 1024;

/// An immutable string. Equal ones that are made on one thread usually share their memory, so an
/// event costs a pointer for each string and not a copy.
#[derive(Clone)]
pub struct SharedStr(Arc<Owned>);

/// A thin target for the pointer: the event holds 8 bytes for each string instead of 16.
struct Owned(Box<str>);

thread_local! {
    /// The strings made last on this thread, each in the slot that its hash names. A world plays on
    /// a thread of its own, so the table ends with it.
    static TABLE: RefCell<Vec<Option<SharedStr>>> = const { RefCell::new(Vec::new()) };
}

impl SharedStr {
    /// The string.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }

    /// The string that the thread remembers, or a new one.
    fn interned(text: &str, owned: impl FnOnce() -> Box<str>) -> Self {
        let slot = hash(text) as usize % REMEMBERED;
        TABLE.with_borrow_mut(|table| {
            if table.is_empty() {
                table.resize(REMEMBERED, None);
            }
            match &mut table[slot] {
                Some(known) if known.as_str() == text => known.clone(),
                other => {
                    let new = Self(Arc::new(Owned(owned())));
                    *other = Some(new.clone());
                    new
                }
            }
        })
    }
}

/// A fast hash of short strings. Collisions cost memory, nothing else.
fn hash(text: &str) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, part: u64| (hash.rotate_left(23) ^ part).wrapping_mul(FACTOR);
    let chunks = text.as_bytes().chunks_exact(8);
    let rest = chunks.remainder().iter();
    let rest = rest.fold(text.len() as u64, |rest, byte| rest << 8 | u64::from(*byte));
    let hash = chunks.fold(mix(0, rest), |hash, chunk| {
        let mut part = [0; 8];
        part.copy_from_slice(chunk);
        mix(hash, u64::from_le_bytes(part))
    });
    hash ^ hash >> 32
}

impl From<&str> for SharedStr {
    fn from(text: &str) -> Self {
        Self::interned(text, || text.into())
    }
}

impl From<&String> for SharedStr {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for SharedStr {
    fn from(text: String) -> Self {
        // The closure gets its own copy only when the string is new: short ones rarely are.
        Self::interned(&text, || text.as_str().into())
    }
}

impl From<SharedStr> for String {
    fn from(text: SharedStr) -> Self {
        text.as_str().to_owned()
    }
}

impl Default for SharedStr {
    fn default() -> Self {
        "".into()
    }
}

impl Deref for SharedStr {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for SharedStr {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for SharedStr {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Display for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for SharedStr {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}
impl Eq for SharedStr {}

impl PartialOrd for SharedStr {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for SharedStr {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::hash::Hash for SharedStr {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq<str> for SharedStr {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for SharedStr {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for SharedStr {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<SharedStr> for str {
    fn eq(&self, other: &SharedStr) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<SharedStr> for &str {
    fn eq(&self, other: &SharedStr) -> bool {
        *self == other.as_str()
    }
}

impl PartialEq<SharedStr> for String {
    fn eq(&self, other: &SharedStr) -> bool {
        self == other.as_str()
    }
}

impl Serialize for SharedStr {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for SharedStr {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_share_their_memory() {
        let one = SharedStr::from("https://vault.azure.net/.default");
        let other = SharedStr::from("https://vault.azure.net/.default".to_owned());
        assert!(Arc::ptr_eq(&one.0, &other.0));
        assert_eq!(size_of::<Option<SharedStr>>(), 8);
    }

    #[test]
    fn more_strings_than_are_remembered_stay_what_they_are() {
        let text = |number: usize| format!("request {number}");
        let all: Vec<SharedStr> = (0..4 * REMEMBERED).map(|it| text(it).into()).collect();
        let is_right = |(number, kept): (usize, &SharedStr)| *kept == text(number);
        assert!(all.iter().enumerate().all(is_right));
    }

    proptest::proptest! {
        #[test]
        fn any_string_reads_as_it_was_written(text: String) {
            proptest::prop_assert_eq!(SharedStr::from(text.as_str()), text.clone());
            proptest::prop_assert_eq!(String::from(SharedStr::from(text.clone())), text);
        }
    }
}
