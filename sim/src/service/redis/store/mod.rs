//! What a Redis keeps: keys with values that may expire. No sockets, no clock of its own.

pub mod glob;
mod hash;
mod list;
pub mod number;
pub mod slot;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

pub use hash::Hash;
pub use list::{End, take};

/// Milliseconds since 1970.
pub type Millis = i64;

/// What a key holds. A list, hash or set is never empty: its key goes with its last element.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string, which may be a number.
    Text(Bytes),
    /// A list.
    List(VecDeque<Bytes>),
    /// A hash, in the order in which its fields came.
    Hash(Hash),
    /// A set.
    Set(BTreeSet<Bytes>),
}

impl Value {
    /// Its type, as TYPE names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Hash(_) => "hash",
            Self::Set(_) => "set",
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::List(list) => list.is_empty(),
            Self::Hash(hash) => hash.is_empty(),
            Self::Set(set) => set.is_empty(),
        }
    }
}

/// A value and when it ends.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// When it is gone.
    pub expires: Option<Millis>,
}

/// One database.
#[derive(Debug, Default)]
pub struct Database {
    entries: BTreeMap<Bytes, Entry>,
    /// The keys that expire, by when.
    ends: BTreeSet<(Millis, Bytes)>,
}

impl Database {
    /// A key's value.
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        Some(&self.entries.get(key)?.value)
    }

    /// A key's value, to change it. [`Database::tidy`] must follow.
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        Some(&mut self.entries.get_mut(key)?.value)
    }

    /// A key's value, to change it; `new` if there is none.
    pub fn get_or(&mut self, key: &Bytes, new: Value) -> &mut Value {
        let entry = self.entries.entry(key.clone()).or_insert(Entry {
            value: new,
            expires: None,
        });
        &mut entry.value
    }

    /// Whether there is such a key.
    pub fn has(&self, key: &[u8]) -> bool {
        self.entries.contains_key(key)
    }

    /// Sets a key's value and when it ends.
    pub fn set(&mut self, key: &Bytes, value: Value, expires: Option<Millis>) {
        self.remove(key);
        if let Some(end) = expires {
            self.ends.insert((end, key.clone()));
        }
        self.entries.insert(key.clone(), Entry { value, expires });
    }

    /// Sets a key's value, and leaves its end as it is.
    pub fn replace(&mut self, key: &Bytes, value: Value) {
        let expires = self.expires(key);
        self.set(key, value, expires);
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let (key, entry) = self.entries.remove_entry(key)?;
        if let Some(end) = entry.expires {
            self.ends.remove(&(end, key));
        }
        Some(entry)
    }

    /// Takes a key out if nothing is left in it; whether it did.
    pub fn tidy(&mut self, key: &[u8]) -> bool {
        let is_empty = self.get(key).is_some_and(Value::is_empty);
        if is_empty {
            self.remove(key);
        }
        is_empty
    }

    /// When a key ends.
    pub fn expires(&self, key: &[u8]) -> Option<Millis> {
        self.entries.get(key)?.expires
    }

    /// Sets when a key ends; false if there is no such key.
    pub fn expire(&mut self, key: &[u8], at: Option<Millis>) -> bool {
        let Some(entry) = self.remove(key) else {
            return false;
        };
        self.set(&Bytes::copy_from_slice(key), entry.value, at);
        true
    }

    /// Takes out what has ended by `now`: its keys.
    pub fn purge(&mut self, now: Millis) -> Vec<Bytes> {
        let mut gone = Vec::new();
        while let Some((end, _)) = self.ends.first()
            && *end <= now
            && let Some((_, key)) = self.ends.pop_first()
        {
            self.entries.remove(&key);
            gone.push(key);
        }
        gone
    }

    /// All keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &Bytes> {
        self.entries.keys()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many keys end some time.
    pub fn ending(&self) -> usize {
        self.ends.len()
    }
}
