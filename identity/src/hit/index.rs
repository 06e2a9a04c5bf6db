//! Which slot belongs to a request, found by the request as it was written.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use papaya::{Equivalent, HashMap};

use super::slot::{Owner, Slot};

/// A request, word for word: other spellings of the same one are other requests here.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a, S> {
    pub(crate) scopes: &'a [S],
    pub(crate) tenant: Option<&'a str>,
    pub(crate) claims: Option<&'a str>,
    pub(crate) cae: bool,
}

impl<'a, S: AsRef<str>> Asked<'a, S> {
    /// A request for these scopes and nothing else.
    pub(crate) fn plain(scopes: &'a [S]) -> Self {
        Self {
            scopes,
            tenant: None,
            claims: None,
            cae: false,
        }
    }

    fn kept(&self) -> Kept {
        Kept {
            scopes: self.scopes.iter().map(|s| s.as_ref().into()).collect(),
            tenant: self.tenant.map(Into::into),
            claims: self.claims.map(Into::into),
            cae: self.cae,
        }
    }
}

impl<S: AsRef<str>> Hash for Asked<'_, S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for scope in self.scopes {
            scope.as_ref().hash(state);
        }
        if self.tenant.is_some() || self.claims.is_some() {
            (self.tenant, self.claims).hash(state);
        }
        state.write_u8(u8::from(self.cae));
    }
}

impl<S: AsRef<str>> Equivalent<Kept> for Asked<'_, S> {
    fn equivalent(&self, kept: &Kept) -> bool {
        self.cae == kept.cae
            && self.tenant == kept.tenant.as_deref()
            && self.claims == kept.claims.as_deref()
            && self.scopes.len() == kept.scopes.len()
            && (self.scopes.iter().zip(&kept.scopes)).all(|(a, b)| a.as_ref() == &**b)
    }
}

#[derive(PartialEq, Eq)]
struct Kept {
    scopes: Box<[Box<str>]>,
    tenant: Option<Box<str>>,
    claims: Option<Box<str>>,
    cae: bool,
}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked {
            scopes: &self.scopes,
            tenant: self.tenant.as_deref(),
            claims: self.claims.as_deref(),
            cae: self.cae,
        }
        .hash(state);
    }
}

/// The slots of one owner by request. Reading takes no lock. It is a memory of what was found
/// elsewhere: losing it costs a longer way.
pub(crate) struct Index<T> {
    pub(crate) owner: Owner<T>,
    slots: HashMap<Kept, Arc<Slot<T>>, foldhash::fast::FixedState>,
}

impl<T: Send + Sync + 'static> Index<T> {
    /// An empty one. `seed` makes collisions unpredictable to whoever chooses scopes or tenants.
    pub(crate) fn new(nothing: T, seed: u64) -> Self {
        let hasher = foldhash::fast::FixedState::with_seed(seed);
        Self {
            owner: Owner::new(nothing),
            slots: HashMap::with_hasher(hasher),
        }
    }

    /// Uses the slot for `asked`; one that is closed is none.
    pub(crate) fn find<S: AsRef<str>, R>(
        &self,
        asked: &Asked<'_, S>,
        then: impl FnOnce(&Arc<Slot<T>>) -> Option<R>,
    ) -> Option<R> {
        let slots = self.slots.pin();
        then(slots.get(asked).filter(|slot| !slot.is_closed())?)
    }

    /// Remembers `slot` for `asked`, and forgets all others if they are `most` already.
    pub(crate) fn note<S: AsRef<str>>(
        &self,
        asked: &Asked<'_, S>,
        slot: Arc<Slot<T>>,
        most: usize,
    ) {
        let slots = self.slots.pin();
        if slots.len() >= most {
            // Not closed: whoever has prepared a request goes on with it.
            slots.clear();
        }
        slots.insert(asked.kept(), slot);
    }

    /// Shows `answer` to whoever asks `asked`.
    pub(crate) fn show<S: AsRef<str>>(&self, asked: &Asked<'_, S>, answer: T, most: usize) {
        let slot = self.find(asked, |slot| Some(Arc::clone(slot)));
        let slot = slot.unwrap_or_else(|| {
            let slot = Arc::new(Slot::new(&self.owner));
            self.note(asked, Arc::clone(&slot), most);
            slot
        });
        slot.show(answer);
    }

    pub(crate) fn clear(&self) {
        self.slots.pin().clear();
    }

    /// Closes all slots that are here, and forgets them.
    pub(crate) fn close_all(&self) {
        let slots = self.slots.pin();
        slots.values().for_each(|slot| slot.close());
        slots.clear();
    }
}

impl<T> fmt::Debug for Index<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index")
    }
}
