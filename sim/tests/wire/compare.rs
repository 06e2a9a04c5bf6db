//! Differences between the requests of two clients.

use std::{cmp::max, collections::BTreeSet};

use super::captured::{Part, Sent};

/// A part in which they differ; `None` for a client that does not send it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The endpoint or the program.
    pub to: String,
    /// The kind of part; `request` for a whole request that only one of them sends.
    pub kind: String,
    /// The part's name.
    pub name: String,
    /// What the SDK sends.
    pub javascript: Option<String>,
    /// What ours sends.
    pub ours: Option<String>,
}

/// Returns every difference between the requests of the SDK and of our client.
pub fn differences(theirs: &[Sent], ours: &[Sent]) -> BTreeSet<Difference> {
    let mut found = BTreeSet::new();
    for pair in pairs(theirs, ours) {
        match pair {
            (Some(their), Some(our)) => found.extend(between(their, our)),
            (their, our) => {
                let one = their.or(our);
                let line = |one: &Sent| one.line.clone();
                found.extend(one.map(|one| Difference {
                    to: one.to.clone(),
                    kind: "request".to_owned(),
                    name: String::new(),
                    javascript: their.map(line),
                    ours: our.map(line),
                }));
            }
        }
    }
    found
}

fn between(theirs: &Sent, ours: &Sent) -> Vec<Difference> {
    let names: BTreeSet<&Part> = theirs.parts.keys().chain(ours.parts.keys()).collect();
    let differing = names.into_iter().filter_map(|part| {
        let (their, our) = (theirs.parts.get(part), ours.parts.get(part));
        // The number of a placeholder matters only where both clients send the part.
        let alone = their.is_none() || our.is_none();
        let shown = |value: &String| match value.starts_with("<guid ") && alone {
            true => "<guid>".to_owned(),
            false => value.clone(),
        };
        (their != our).then(|| Difference {
            to: theirs.to.clone(),
            kind: part.0.to_owned(),
            name: part.1.clone(),
            javascript: their.map(shown),
            ours: our.map(shown),
        })
    });
    differing.collect()
}

/// Pairs the requests of both clients in their order, as many as possible: a longest common
/// subsequence.
fn pairs<'a>(theirs: &'a [Sent], ours: &'a [Sent]) -> Vec<(Option<&'a Sent>, Option<&'a Sent>)> {
    // The most pairs from these positions on.
    let mut most = vec![vec![0; ours.len() + 1]; theirs.len() + 1];
    for i in (0..theirs.len()).rev() {
        for j in (0..ours.len()).rev() {
            most[i][j] = if theirs[i].line == ours[j].line {
                most[i + 1][j + 1] + 1
            } else {
                max(most[i + 1][j], most[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    loop {
        match (theirs.get(i), ours.get(j)) {
            (None, None) => return pairs,
            (Some(their), Some(our)) if their.line == our.line => {
                pairs.push((Some(their), Some(our)));
                (i, j) = (i + 1, j + 1);
            }
            (Some(their), our) if our.is_none() || most[i + 1][j] >= most[i][j + 1] => {
                pairs.push((Some(their), None));
                i += 1;
            }
            (_, our) => {
                pairs.push((None, our));
                j += 1;
            }
        }
    }
}
