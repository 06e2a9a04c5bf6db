//! Names of channels and patterns.

use std::collections::BTreeSet;

use redis::Cmd;

use super::verb::Verb;

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

    /// Adds a name of the kind that `verb` takes. Tells whether it is new.
    pub fn insert(&mut self, verb: Verb, name: &[u8]) -> bool {
        self.of(verb).insert(name.to_vec())
    }

    /// Removes a name of the kind that `verb` takes. Tells whether it was there.
    pub fn remove(&mut self, verb: Verb, name: &[u8]) -> bool {
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
            (Verb::Unsubscribe, &self.channels),
            (Verb::PUnsubscribe, &self.patterns),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(verb, names)| verb.command(names))
        .collect()
    }

    /// The verbs that subscribe to them, each with its names; none without names.
    pub fn by_verb(&self) -> Vec<(Verb, Vec<Vec<u8>>)> {
        [
            (Verb::Subscribe, &self.channels),
            (Verb::PSubscribe, &self.patterns),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(verb, names)| (verb, names.iter().cloned().collect()))
        .collect()
    }

    /// Each name with the verb that subscribes to it.
    pub fn each(&self) -> impl Iterator<Item = (Verb, &Vec<u8>)> {
        let channels = self.channels.iter().map(|name| (Verb::Subscribe, name));
        channels.chain(self.patterns.iter().map(|name| (Verb::PSubscribe, name)))
    }

    /// The channels, and the patterns.
    pub fn into_lists(self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let list = |names: BTreeSet<_>| names.into_iter().collect();
        (list(self.channels), list(self.patterns))
    }

    fn of(&mut self, verb: Verb) -> &mut BTreeSet<Vec<u8>> {
        match verb {
            Verb::Subscribe | Verb::Unsubscribe => &mut self.channels,
            Verb::PSubscribe | Verb::PUnsubscribe => &mut self.patterns,
        }
    }
}
