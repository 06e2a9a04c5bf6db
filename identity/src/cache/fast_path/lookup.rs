//! Finds the slot of a request by the request as it was written.

use std::{
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use papaya::{Equivalent, HashMap};

use super::{
    slot::{Owner, Slot},
    token_ref::Lent,
};
use crate::source::UserAssertion;

/// A request, word for word: another spelling of the same request is another one here.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a, S> {
    pub(crate) scopes: &'a [S],
    pub(crate) tenant: Option<&'a str>,
    pub(crate) claims: Option<&'a str>,
    pub(crate) cae: bool,
    /// The SHA-256 of the assertion of the user, where one credential serves many users.
    pub(crate) user: Option<&'a [u8; 32]>,
}

impl<'a, S: AsRef<str>> Asked<'a, S> {
    /// Creates a request for these scopes and nothing else.
    pub(crate) fn plain(scopes: &'a [S]) -> Self {
        Self {
            scopes,
            tenant: None,
            claims: None,
            cae: false,
            user: None,
        }
    }

    /// Returns the same request on behalf of `user`.
    #[inline]
    pub(crate) fn for_user(self, user: Option<&'a UserAssertion>) -> Self {
        Self {
            user: user.map(UserAssertion::hash),
            ..self
        }
    }

    fn kept(&self) -> Kept {
        Kept {
            scopes: self.scopes.iter().map(|s| s.as_ref().into()).collect(),
            tenant: self.tenant.map(Into::into),
            claims: self.claims.map(Into::into),
            cae: self.cae,
            user: self.user.copied(),
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
        if let Some(user) = self.user {
            user.hash(state);
        }
        state.write_u8(u8::from(self.cae));
    }
}

impl<S: AsRef<str>> Equivalent<Kept> for Asked<'_, S> {
    fn equivalent(&self, kept: &Kept) -> bool {
        self.cae == kept.cae
            && self.user == kept.user.as_ref()
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
    user: Option<[u8; 32]>,
}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked {
            scopes: &self.scopes,
            tenant: self.tenant.as_deref(),
            claims: self.claims.as_deref(),
            cae: self.cae,
            user: self.user.as_ref(),
        }
        .hash(state);
    }
}

/// How many spellings are kept outside the map. Most credentials get few, and an empty map takes
/// 17 kB.
const FIRST: usize = 4;

type Map = HashMap<Kept, Arc<Slot>, foldhash::fast::FixedState>;

/// The slots of one owner by request. Reading takes no lock; writing requires the lock of the
/// owner. It only remembers what was found elsewhere: after a loss the next call takes the longer
/// way.
pub(crate) struct Lookup {
    pub(crate) owner: Owner,
    seed: u64,
    first: [OnceLock<(Kept, Arc<Slot>)>; FIRST],
    more: OnceLock<Map>,
}

impl Lookup {
    /// Creates an empty lookup. `seed` makes collisions unpredictable for those who choose scopes
    /// or tenants.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            owner: Owner::new(),
            seed,
            first: Default::default(),
            more: OnceLock::new(),
        }
    }

    /// Calls `then` with the slot for `asked`, unless the slot is closed.
    pub(crate) fn find<S: AsRef<str>, R>(
        &self,
        asked: &Asked<'_, S>,
        then: impl FnOnce(&Arc<Slot>) -> Option<R>,
    ) -> Option<R> {
        let mut first = self.first.iter().filter_map(OnceLock::get);
        let is_asked =
            |(kept, slot): &&(Kept, Arc<Slot>)| asked.equivalent(kept) && !slot.is_closed();
        if let Some((_, slot)) = first.find(is_asked) {
            return then(slot);
        }
        let more = self.more.get()?.pin();
        then(more.get(asked).filter(|slot| !slot.is_closed())?)
    }

    /// Remembers `slot` for `asked`, and forgets the others if there are already `most`.
    pub(crate) fn note<S: AsRef<str>>(&self, asked: &Asked<'_, S>, slot: Arc<Slot>, most: usize) {
        let free = self.first.iter().find(|place| place.get().is_none());
        if let Some(place) = free {
            place.get_or_init(|| (asked.kept(), slot));
            return;
        }
        let hasher = || foldhash::fast::FixedState::with_seed(self.seed);
        let more = self.more.get_or_init(|| Map::with_hasher(hasher()));
        let more = more.pin();
        if more.len() >= most {
            more.clear();
        }
        more.insert(asked.kept(), slot);
    }

    /// Publishes `answer` for `asked`, for an owner whose slots are only here.
    pub(crate) fn show<S: AsRef<str>>(&self, asked: &Asked<'_, S>, answer: Lent, most: usize) {
        let slot = self.find(asked, |slot| Some(Arc::clone(slot)));
        let slot = slot.unwrap_or_else(|| {
            if self.more.get().is_some_and(|more| more.len() >= most) {
                // Prepared requests refer to slots that could not be hidden any more.
                self.close_all();
            }
            let slot = Arc::new(Slot::new(&self.owner));
            self.note(asked, Arc::clone(&slot), most);
            slot
        });
        slot.show(answer);
    }

    /// Empties the map, for an owner that has closed its slots.
    pub(crate) fn clear(&self) {
        if let Some(more) = self.more.get() {
            more.pin().clear();
        }
    }

    /// Hides all slots, until they are shown again.
    pub(crate) fn hide_all(&self) {
        self.each(Slot::hide);
    }

    /// Closes all slots, and forgets those in the map.
    fn close_all(&self) {
        self.each(Slot::close);
        self.clear();
    }

    fn each(&self, change: impl Fn(&Slot)) {
        let first = self.first.iter().filter_map(OnceLock::get);
        first.for_each(|(_, slot)| change(slot));
        if let Some(more) = self.more.get() {
            more.pin().values().for_each(|slot| change(slot));
        }
    }
}

impl Drop for Lookup {
    /// Closes the slots: prepared requests still refer to them.
    fn drop(&mut self) {
        self.close_all();
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{AccessToken, cache::policy::Terms};

    fn lent(secret: &str) -> Lent {
        Lent {
            token: AccessToken::new(secret.to_owned(), Timestamp::UNIX_EPOCH, "Test"),
            terms: Terms::FOREVER,
            member: 0,
        }
    }

    fn secret(slot: &Slot) -> String {
        slot.load().token.secret().to_owned()
    }

    fn shown(lookup: &Lookup, scope: &str) -> Option<Arc<Slot>> {
        let asked = Asked::plain(std::slice::from_ref(&scope));
        lookup.find(&asked, |slot| Some(Arc::clone(slot)))
    }

    /// A prepared request may refer to it for a long time.
    #[test]
    fn what_is_forgotten_shows_nothing_any_more() {
        let lookup = Lookup::new(1);
        for n in 0..FIRST {
            let scope = n.to_string();
            lookup.show(&Asked::plain(&[scope]), lent("first"), 2);
        }
        let first = shown(&lookup, "0").unwrap();
        let show = |scope: &str| lookup.show(&Asked::plain(&[scope]), lent(scope), 2);
        show("a");
        let known = shown(&lookup, "a").unwrap();
        show("a");
        show("b");
        assert_eq!((known.is_closed(), secret(&known).as_str()), (false, "a"));
        show("c");
        for known in [&known, &first] {
            assert_eq!((known.is_closed(), secret(known).as_str()), (true, ""));
        }
        assert!(shown(&lookup, "a").is_none() && shown(&lookup, "0").is_none());
        let kept = lookup.more.get().unwrap().pin().len();
        assert_eq!(kept, 1, "closed slots take no room");
        lookup.clear();
        assert!(lookup.more.get().unwrap().pin().is_empty());
        show("c");
        let known = shown(&lookup, "c").unwrap();
        lookup.hide_all();
        assert_eq!((known.is_closed(), secret(&known).as_str()), (false, ""));
        show("c");
        assert_eq!(secret(&known), "c");
        drop(lookup);
        assert_eq!(
            (known.is_closed(), secret(&known).as_str()),
            (true, ""),
            "PR-29"
        );
    }

    #[test]
    fn only_what_was_seen_is_hidden() {
        let slot = Slot::new(&Owner::new());
        slot.show(lent("old"));
        let old = slot.load();
        slot.show(lent("new"));
        slot.hide_if(&old);
        assert_eq!(secret(&slot), "new");
        slot.hide_if(&slot.load());
        assert_eq!(secret(&slot), "");
    }

    #[test]
    fn spellings_have_separate_slots() {
        let lookup = Lookup::new(1);
        let all = [
            Asked::plain(&["a", "b"]),
            Asked::plain(&["b", "a"]),
            Asked::plain(&["ab"]),
            Asked {
                tenant: Some("a"),
                ..Asked::plain(&["ab"])
            },
            Asked {
                claims: Some("a"),
                ..Asked::plain(&["ab"])
            },
            Asked {
                cae: true,
                ..Asked::plain(&["ab"])
            },
            Asked {
                user: Some(&[0; 32]),
                ..Asked::plain(&["ab"])
            },
            Asked {
                user: Some(&[1; 32]),
                ..Asked::plain(&["ab"])
            },
        ];
        for asked in &all {
            assert!(lookup.find(asked, |_| Some(())).is_none());
            lookup.show(asked, lent("t"), 100);
        }
        let here = std::cell::Cell::new(0);
        lookup.each(|_| here.set(here.get() + 1));
        assert_eq!(here.get(), all.len());
        // A tenant that did not count would put all of them into one bucket.
        let hashes = all.map(|asked| {
            let mut hasher = std::hash::DefaultHasher::new();
            asked.hash(&mut hasher);
            hasher.finish()
        });
        assert_eq!(std::collections::BTreeSet::from(hashes).len(), all.len());
    }

    #[test]
    fn pr_29_no_more_spellings_are_noted_than_there_is_room_for() {
        let lookup = Lookup::new(1);
        let slot = Arc::new(Slot::new(&lookup.owner));
        let note = |n: usize| lookup.note(&Asked::plain(&[n.to_string()]), Arc::clone(&slot), 2);
        (0..FIRST + 2).for_each(note);
        assert!(shown(&lookup, &FIRST.to_string()).is_some());
        note(FIRST + 2);
        assert!(shown(&lookup, &FIRST.to_string()).is_none());
        for known in [0, FIRST + 2] {
            assert!(shown(&lookup, &known.to_string()).is_some());
        }
    }
}
