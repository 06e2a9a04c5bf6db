//! The intended differences, with their reasons: `differences.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use libtest_mimic::Failed;
use serde::Deserialize;

use super::{cases, compare::Difference};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Differences {
    difference: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Names of cases; a `*` at the end matches any rest. Default: all.
    #[serde(default)]
    cases: Vec<String>,
    /// The exceptions among them.
    #[serde(default)]
    except: Vec<String>,
    to: String,
    kind: String,
    #[serde(default)]
    name: String,
    javascript: Option<String>,
    ours: Option<String>,
    reason: String,
}

fn means(patterns: &[String], case: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => case.starts_with(start),
            None => case == pattern,
        })
}

impl Listed {
    fn is_of(&self, case: &str) -> bool {
        (self.cases.is_empty() || means(&self.cases, case)) && !means(&self.except, case)
    }

    fn difference(&self) -> Difference {
        Difference {
            to: self.to.clone(),
            kind: self.kind.clone(),
            name: self.name.clone(),
            javascript: self.javascript.clone(),
            ours: self.ours.clone(),
        }
    }
}

impl Differences {
    pub fn read() -> Self {
        let path = cases::folder().join("differences.toml");
        let all: Self = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for listed in &all.difference {
            assert!(!listed.reason.trim().is_empty(), "{listed:?} has no reason");
        }
        all
    }

    /// Fails unless exactly what is listed for this case was found in it. `met` are the endpoints
    /// and programs of the case.
    pub fn explain(
        &self,
        case: &str,
        met: &BTreeSet<&str>,
        found: &BTreeSet<Difference>,
    ) -> Result<(), Failed> {
        let listed = self.difference.iter();
        let listed = listed.filter(|one| one.is_of(case) && met.contains(&*one.to));
        let listed: BTreeSet<_> = listed.map(Listed::difference).collect();
        let mut wrong = String::new();
        for one in found.difference(&listed) {
            let _ = write!(wrong, "\nnot listed:\n{}", entry(case, one));
        }
        for one in listed.difference(found) {
            let _ = write!(wrong, "\nlisted, but not so:\n{}", entry(case, one));
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("differences.toml is not right about {case}{wrong}").into())
    }

    /// Fails if a pattern matches none of these cases.
    pub fn all_met(&self, cases: &[String]) -> Result<(), Failed> {
        let patterns = self.difference.iter();
        let patterns = patterns.flat_map(|one| one.cases.iter().chain(&one.except));
        let lost: BTreeSet<_> = patterns
            .filter(|pattern| {
                let pattern = std::slice::from_ref(*pattern);
                !cases.iter().any(|case| means(pattern, case))
            })
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        Err(format!("differences.toml names cases that there are not: {lost:?}").into())
    }
}

/// The entry of `differences.toml` for a difference.
fn entry(case: &str, difference: &Difference) -> String {
    let Difference {
        to,
        kind,
        name,
        javascript,
        ours,
    } = difference;
    let mut texts = BTreeMap::from([("to", to.clone()), ("kind", kind.clone())]);
    let optional = [("javascript", javascript), ("ours", ours)];
    texts.extend((!name.is_empty()).then(|| ("name", name.clone())));
    texts.extend(
        optional
            .map(|(key, text)| text.clone().map(|text| (key, text)))
            .into_iter()
            .flatten(),
    );
    let texts = toml::to_string(&texts).unwrap();
    format!("[[difference]]\ncases = [\"{case}\"]\n{texts}")
}
