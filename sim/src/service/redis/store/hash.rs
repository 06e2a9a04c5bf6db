//! A hash that remembers in which order its fields came, as small ones do in Redis.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Fields and their values.
#[derive(Clone, Debug, Default)]
pub struct Hash {
    places: BTreeMap<Bytes, u64>,
    fields: BTreeMap<u64, (Bytes, Bytes)>,
    next: u64,
}

impl Hash {
    /// A field's value.
    pub fn get(&self, field: &[u8]) -> Option<&Bytes> {
        let (_, value) = self.fields.get(self.places.get(field)?)?;
        Some(value)
    }

    /// Sets a field; whether it is new.
    pub fn set(&mut self, field: &Bytes, value: Bytes) -> bool {
        let known = self.places.get(field).copied();
        let place = known.unwrap_or(self.next);
        if known.is_none() {
            self.next += 1;
            self.places.insert(field.clone(), place);
        }
        self.fields.insert(place, (field.clone(), value));
        known.is_none()
    }

    /// Takes a field out; whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let place = self.places.remove(field);
        place.is_some_and(|place| self.fields.remove(&place).is_some())
    }

    /// Fields and values, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &(Bytes, Bytes)> {
        self.fields.values()
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}
