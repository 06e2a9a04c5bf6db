//! What each service and command of a world keeps, found by its type.

use std::{
    any::{Any, TypeId},
    collections::BTreeMap,
};

/// The parts of a running world, at most one of each type. The backend knows none of these types:
/// a service installs its part when the world begins, and its server and the timeline's actions
/// reach it by its type.
#[derive(Default)]
pub(crate) struct Parts(BTreeMap<TypeId, Box<dyn Any + Send>>);

impl Parts {
    /// Returns the part of type `T`, if one was installed.
    pub(crate) fn get<T: Any + Send>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Returns the part of type `T` to change it, if one was installed.
    pub(crate) fn get_mut<T: Any + Send>(&mut self) -> Option<&mut T> {
        self.0.get_mut(&TypeId::of::<T>())?.downcast_mut()
    }

    /// Installs a part; it replaces an earlier one of its type.
    pub(crate) fn insert<T: Any + Send>(&mut self, part: T) {
        self.0.insert(TypeId::of::<T>(), Box::new(part));
    }

    /// Returns the part of type `T`; installs the default one if there is none.
    pub(crate) fn get_or_default<T: Any + Send + Default>(&mut self) -> &mut T {
        let part = self
            .0
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::new(T::default()));
        match part.downcast_mut() {
            Some(part) => part,
            None => unreachable!("a part is stored under its own type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_its_type() {
        let mut parts = Parts::default();
        assert_eq!(parts.get::<u8>(), None);
        parts.insert(1_u8);
        parts.insert(String::from("text"));
        *parts.get_mut::<u8>().expect("it was installed") += 1;
        assert_eq!(parts.get(), Some(&2_u8));
        assert_eq!(parts.get_or_default::<u16>(), &0);
        assert_eq!(parts.get_or_default::<String>(), "text");
    }
}
