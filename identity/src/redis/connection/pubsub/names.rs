//! Names of channels and patterns.

use std::collections::BTreeSet;

use redis::Cmd;

use super::subscription_verb::SubscriptionVerb;

/// A set of channels and a set of patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    channels: BTreeSet<Vec<u8>>,
    patterns: BTreeSet<Vec<u8>>,
}

impl Names {
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty()
    }

    pub fn len(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Adds a name of the kind that `verb` takes. Returns whether it is new.
    pub fn insert(&mut self, verb: SubscriptionVerb, name: &[u8]) -> bool {
        self.of(verb).insert(name.to_vec())
    }

    /// Removes a name of the kind that `verb` takes. Returns whether it was there.
    pub fn remove(&mut self, verb: SubscriptionVerb, name: &[u8]) -> bool {
        self.of(verb).remove(name)
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: Self) {
        self.channels.extend(others.channels);
        self.patterns.extend(others.patterns);
    }

    /// Those that are not among `others`.
    pub fn without(&self, others: &Self) -> Self {
        let less = |all: &BTreeSet<_>, others| all.difference(others).cloned().collect();
        Self {
            channels: less(&self.channels, &others.channels),
            patterns: less(&self.patterns, &others.patterns),
        }
    }

    /// The command, or the two commands, that end the subscriptions to all of them.
    pub fn unsubscribe(&self) -> Vec<Cmd> {
        [
            (SubscriptionVerb::Unsubscribe, &self.channels),
            (SubscriptionVerb::PUnsubscribe, &self.patterns),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(verb, names)| verb.command(names))
        .collect()
    }

    /// The verbs that subscribe to them, each with its names; none without names.
    pub fn by_verb(&self) -> Vec<(SubscriptionVerb, Vec<Vec<u8>>)> {
        [
            (SubscriptionVerb::Subscribe, &self.channels),
            (SubscriptionVerb::PSubscribe, &self.patterns),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(verb, names)| (verb, names.iter().cloned().collect()))
        .collect()
    }

    /// Each name with the verb that subscribes to it.
    pub fn each(&self) -> impl Iterator<Item = (SubscriptionVerb, &Vec<u8>)> {
        let channels = self
            .channels
            .iter()
            .map(|name| (SubscriptionVerb::Subscribe, name));
        channels.chain(
            self.patterns
                .iter()
                .map(|name| (SubscriptionVerb::PSubscribe, name)),
        )
    }

    /// The channels, and the patterns.
    pub fn into_lists(self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let list = |names: BTreeSet<_>| names.into_iter().collect();
        (list(self.channels), list(self.patterns))
    }

    fn of(&mut self, verb: SubscriptionVerb) -> &mut BTreeSet<Vec<u8>> {
        match verb {
            SubscriptionVerb::Subscribe | SubscriptionVerb::Unsubscribe => &mut self.channels,
            SubscriptionVerb::PSubscribe | SubscriptionVerb::PUnsubscribe => &mut self.patterns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Names,
        SubscriptionVerb::{PSubscribe, PUnsubscribe, Subscribe, Unsubscribe},
    };

    #[test]
    fn channels_and_patterns_are_separate_sets() {
        let mut names = Names::default();
        assert!(names.is_empty());
        assert!(names.insert(Subscribe, b"a") && !names.insert(Subscribe, b"a"));
        assert!(names.insert(PSubscribe, b"a") && names.insert(PSubscribe, b"b"));
        assert_eq!((names.len(), names.is_empty()), (3, false));
        assert_eq!(names.unsubscribe().len(), 2);
        let verbs = names.by_verb();
        assert_eq!(verbs[0], (Subscribe, vec![b"a".to_vec()]));
        assert_eq!(verbs[1], (PSubscribe, vec![b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(names.each().count(), 3);

        let mut others = Names::default();
        others.insert(PSubscribe, b"a");
        let rest = names.without(&others);
        assert_eq!((rest.len(), names.len()), (2, 3));
        assert!(!others.remove(Unsubscribe, b"a") && others.remove(PUnsubscribe, b"a"));
        assert!(others.is_empty());
        others.extend(rest);
        assert_eq!(
            others.into_lists(),
            (vec![b"a".to_vec()], vec![b"b".to_vec()])
        );
    }
}
