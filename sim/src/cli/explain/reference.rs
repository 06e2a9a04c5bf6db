//! The keys of a part of a scenario file, as the schema has them: what each is, what it means, and
//! its default.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::{HEADING, LOUD};
use crate::{
    report::prose::{unwrapped, wrapped},
    story::schema,
};

/// The parts that can be asked for: the word, what stands in a file, and the definition in the
/// schema.
const PARTS: [(&str, &str, &str); 4] = [
    ("fault", "do.fault", "Fault"),
    ("call", "[[call]]", "Call"),
    ("expect", "[[expect]]", "Expect"),
    ("action", "[[at]]", "At"),
];

/// How much deeper the keys of a value stand than the value.
const STEP: usize = 4;

/// The reference of the part that is called `word`, if it is one.
pub fn part(word: &str) -> Option<String> {
    let (word, written, definition) = PARTS.iter().find(|(known, _, _)| *known == word)?;
    let mut reference = Reference {
        text: String::new(),
        word,
        told: BTreeMap::new(),
        scalars: BTreeMap::new(),
    };
    let schema = defined(definition);
    let _ = writeln!(reference.text, "{LOUD}{word}{LOUD:#}  {written}");
    reference.describe(schema, 2, None);
    reference.text += "\n";
    reference.value(schema, 2, "");
    reference.close();
    Some(reference.text)
}

fn defined(name: &str) -> &'static Value {
    &schema::document()["$defs"][name]
}

/// The definition that a schema refers to: its name and what it is.
fn referred(schema: &'static Value) -> Option<(&'static str, &'static Value)> {
    let name = schema["$ref"].as_str()?.strip_prefix("#/$defs/")?;
    Some((name, defined(name)))
}

fn list(schema: &'static Value, key: &str) -> &'static [Value] {
    schema[key].as_array().map_or(&[], Vec::as_slice)
}

/// Whether a definition has keys or choices; otherwise it is one value, such as a duration.
fn has_parts(schema: &Value) -> bool {
    schema["properties"].is_object() || schema["oneOf"].is_array() || schema["anyOf"].is_array()
}

struct Reference<'a> {
    text: String,
    /// The part that is explained.
    word: &'a str,
    /// Where each definition is explained. It is explained once.
    told: BTreeMap<&'static str, String>,
    /// The definitions of single values that were named.
    scalars: BTreeMap<&'static str, &'static Value>,
}

impl Reference<'_> {
    /// What a schema means, and its default if the text does not name it.
    fn describe(&mut self, schema: &'static Value, indent: usize, default: Option<&Value>) {
        let mut says = schema["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let plain = default.filter(|default| !default.is_object() && !default.is_null());
        if let Some(default) = plain.filter(|_| !says.contains("Default")) {
            says = format!("{says} Default: {default}.").trim().to_owned();
        }
        if !says.is_empty() {
            self.text += &wrapped(&" ".repeat(indent), &unwrapped(&says));
        }
    }

    /// What a value is, in a word or two.
    fn kind(&mut self, schema: &'static Value) -> String {
        if let Some((name, definition)) = referred(schema) {
            if has_parts(definition) {
                return if definition["properties"].is_object() {
                    "table".to_owned()
                } else {
                    "one of these".to_owned()
                };
            }
            self.scalars.insert(name, definition);
            return name.to_lowercase();
        }
        match schema["type"].as_str() {
            Some("array") => format!("list of {}", self.kind(&schema["items"])),
            Some("string") => "text".to_owned(),
            Some("integer") => "whole number".to_owned(),
            Some("number") => "number".to_owned(),
            Some("boolean") => "true or false".to_owned(),
            Some("object") => "table".to_owned(),
            Some(_) | None => "value".to_owned(),
        }
    }

    /// The keys or choices of a value that stands at `path`.
    fn value(&mut self, schema: &'static Value, indent: usize, path: &str) {
        if schema["type"] == "array" {
            return self.value(&schema["items"], indent, path);
        }
        if let Some((name, definition)) = referred(schema) {
            if !has_parts(definition) {
                return;
            }
            let other = PARTS.iter().find(|(_, _, known)| *known == name);
            if let Some((word, _, _)) = other.filter(|(word, _, _)| *word != self.word) {
                let says = format!("see `credsim explain {word}`");
                self.text += &wrapped(&" ".repeat(indent), &says);
                return;
            }
            if let Some(first) = self.told.get(name) {
                let says = format!("as for `{first}` above");
                self.text += &wrapped(&" ".repeat(indent), &says);
                return;
            }
            self.told.insert(name, path.to_owned());
            return self.value(definition, indent, path);
        }
        let required: Vec<&str> = list(schema, "required")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            self.key(
                key,
                property,
                required.contains(&key.as_str()),
                indent,
                path,
            );
        }
        for choice in list(schema, "oneOf").iter().chain(list(schema, "anyOf")) {
            self.choice(choice, indent, path);
        }
    }

    fn key(
        &mut self,
        key: &str,
        property: &'static Value,
        required: bool,
        indent: usize,
        path: &str,
    ) {
        let kind = self.kind(property);
        let must = if required { ", required" } else { "" };
        let space = " ".repeat(indent);
        let _ = writeln!(self.text, "{space}{LOUD}{key}{LOUD:#}  {kind}{must}");
        self.describe(property, indent + STEP, property.get("default"));
        let path = match path {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        };
        self.value(property, indent + STEP, &path);
    }

    /// One of several: a word, a table with one key, or another form of the value.
    fn choice(&mut self, choice: &'static Value, indent: usize, path: &str) {
        let space = " ".repeat(indent);
        if let Some(word) = choice["const"].as_str() {
            let _ = writeln!(self.text, "{space}{LOUD}\"{word}\"{LOUD:#}");
            return self.describe(choice, indent + STEP, None);
        }
        let only = choice["properties"].as_object();
        let only = only.filter(|keys| keys.len() == 1 && list(choice, "required").len() == 1);
        match only.and_then(|keys| keys.iter().next()) {
            Some((key, property)) => {
                // A table is told by its keys; a single value says what it is.
                let kind = if referred(property).is_some_and(|(_, found)| has_parts(found)) {
                    String::new()
                } else {
                    format!("  {}", self.kind(property))
                };
                let _ = writeln!(self.text, "{space}{LOUD}{key}{LOUD:#}{kind}");
                self.describe(choice, indent + STEP, None);
                self.value(property, indent + STEP, &format!("{path}.{key}"));
            }
            None => {
                let kind = self.kind(choice);
                let _ = writeln!(self.text, "{space}{kind}");
                self.describe(choice, indent + STEP, None);
                self.value(choice, indent + STEP, path);
            }
        }
    }

    /// The values that have a form of their own.
    fn close(&mut self) {
        if self.scalars.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "\n{HEADING}Values{HEADING:#}");
        for (name, definition) in std::mem::take(&mut self.scalars) {
            let says = definition["description"].as_str().unwrap_or_default();
            let first = format!("  {}  ", name.to_lowercase());
            self.text += &wrapped(&first, &unwrapped(says));
        }
    }
}
