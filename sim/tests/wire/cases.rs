//! The cases of `cases.json`, which both clients read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value};

/// A credential, and the calls that are made on it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub case: String,
    /// The scenario file whose world is served.
    pub world: String,
    /// The class of the credential in the SDK.
    pub credential: String,
    /// The arguments of its constructor: strings, optionally followed by options.
    pub arguments: Vec<Value>,
    /// The arguments of each call: scopes, optionally followed by options.
    pub calls: Vec<Vec<Value>>,
}

/// Options of a constructor or a call. Every one must be consumed.
pub struct Options(Map<String, Value>);

impl Options {
    /// Takes the last of `given` if it is an object.
    pub fn last_of(given: &[Value]) -> Self {
        let last = given.last().and_then(Value::as_object);
        Self(last.cloned().unwrap_or_default())
    }

    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|value| text(&value))
    }

    /// Fails if an option was not consumed.
    pub fn end(self) {
        assert!(self.0.is_empty(), "what is {:?}?", self.0);
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

impl Case {
    pub fn called(name: &str) -> Self {
        let found = all().into_iter().find(|case| case.case == name);
        found.unwrap_or_else(|| panic!("cases.json has no case {name:?}"))
    }

    /// What the SDK sent.
    pub fn capture(&self) -> PathBuf {
        folder().join(format!("javascript-{}.jsonl", self.case))
    }

    /// The scenario whose world is served.
    pub fn scenario(&self) -> PathBuf {
        folder().join(format!("{}.toml", self.world))
    }

    /// All ids that are the same in every run.
    pub fn known(&self) -> String {
        let world = fs::read_to_string(self.scenario()).unwrap();
        world + &fs::read_to_string(folder().join("cases.json")).unwrap()
    }
}

pub fn all() -> Vec<Case> {
    let text = fs::read(folder().join("cases.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/wire")
}
