//! Schemas in words: what a value must be, an example of it, and what to write instead of a wrong
//! one.

use serde_json::Value;
use toml::de::DeValue;

use super::{super::schema, scalar::Scalar};
use crate::scenario::diagnostics::one_of;

/// The forms that a value can have.
pub(crate) enum Form {
    /// A table with given keys, or with free ones.
    Table(&'static Value),
    /// A table with exactly one key out of several.
    Choice(Choice),
    /// A list.
    Array(&'static Value),
    /// Anything else.
    Scalar(Scalar),
}

/// The alternatives of a choice.
#[derive(Clone, Copy)]
pub(crate) struct Choice(&'static Value);

impl Choice {
    fn entries(self) -> impl Iterator<Item = (&'static str, &'static Value, Option<&'static str>)> {
        self.0.as_array().into_iter().flatten().filter_map(|entry| {
            let (name, schema) = entry["properties"].as_object()?.iter().next()?;
            Some((name.as_str(), schema, description(entry)))
        })
    }

    /// The names of all alternatives.
    pub(crate) fn names(self) -> Vec<&'static str> {
        self.entries().map(|(name, ..)| name).collect()
    }

    /// The alternative `name`, and what it means.
    pub(crate) fn get(self, name: &str) -> Option<(&'static Value, Option<&'static str>)> {
        self.entries()
            .find(|entry| entry.0 == name)
            .map(|(_, schema, says)| (schema, says))
    }

    /// The first alternative, as an example.
    pub(crate) fn first(self) -> (&'static str, &'static Value) {
        self.entries()
            .next()
            .map_or(("", &Value::Null), |(name, schema, _)| (name, schema))
    }
}

impl Form {
    /// The form that `schema` asks for.
    pub(crate) fn of(schema: &'static Value) -> Self {
        let (definition, schema) = resolve(schema);
        let alternatives = &schema["oneOf"];
        if alternatives[0]["properties"].is_object() {
            return Self::Choice(Choice(alternatives));
        }
        match schema["type"].as_str() {
            Some("object") => Self::Table(schema),
            Some("array") => Self::Array(schema),
            _ => Self::Scalar(Scalar::of(definition, schema)),
        }
    }
}

/// The schema that a reference names, with that name.
fn resolve(schema: &'static Value) -> (&'static str, &'static Value) {
    let name = schema["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix("#/$defs/"));
    match name {
        Some(name) => (name, &schema::document()["$defs"][name]),
        None => ("", schema),
    }
}

/// What the schema says about its value.
pub(crate) fn description(schema: &'static Value) -> Option<&'static str> {
    schema["description"].as_str()
}

/// The keys without which a table is not complete.
pub(crate) fn required(schema: &'static Value) -> impl Iterator<Item = &'static str> {
    schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// What a value of this schema must be, as the end of "... must be".
pub(crate) fn wanted(schema: &'static Value) -> String {
    match Form::of(schema) {
        Form::Table(schema) => match required(schema).collect::<Vec<_>>().as_slice() {
            [] => "a table".to_owned(),
            [key] => format!("a table with the key `{key}`"),
            keys => format!(
                "a table with the keys {}",
                one_of(keys.iter().copied()).replace(" or ", " and ")
            ),
        },
        Form::Choice(choice) => {
            format!("a table with one of the keys {}", one_of(choice.names()))
        }
        Form::Array(schema) => match Form::of(&schema["items"]) {
            Form::Scalar(scalar) => format!("an array of {}", scalar.plural()),
            _ => "an array of tables".to_owned(),
        },
        Form::Scalar(scalar) => scalar.wanted(),
    }
}

/// An example of a value of this schema.
pub(crate) fn sample(schema: &'static Value) -> String {
    match Form::of(schema) {
        Form::Table(schema) => {
            let keys = required(schema)
                .map(|key| format!("{key} = {}", sample(&schema["properties"][key])))
                .collect::<Vec<_>>();
            if keys.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", keys.join(", "))
            }
        }
        Form::Choice(choice) => {
            let (name, schema) = choice.first();
            format!("{{ {name} = {} }}", sample(schema))
        }
        Form::Array(schema) => format!("[{}]", sample(&schema["items"])),
        Form::Scalar(scalar) => scalar.sample(),
    }
}

/// What a value is, with its article.
pub(crate) fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date without quotes",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// What to write instead of a value of the wrong type that stands in the file as `text`.
pub(crate) fn correction(
    form: &Form,
    value: &DeValue<'_>,
    text: &str,
    key: &str,
) -> Option<String> {
    Some(match (form, value) {
        (Form::Scalar(scalar), value) => return scalar.correction(value, text),
        (Form::Array(_), DeValue::Table(_)) if text.starts_with('[') => {
            format!("write `[{text}]`: there can be several, and each begins with two brackets")
        }
        (Form::Array(_), DeValue::Table(_)) => format!("write `{key} = [{text}]`"),
        (Form::Array(schema), DeValue::String(_))
            if matches!(Form::of(&schema["items"]), Form::Scalar(_)) =>
        {
            format!("write `{key} = [{text}]`")
        }
        (Form::Array(schema), _) => format!("write `{key} = [{}]`", sample(&schema["items"])),
        (Form::Table(_) | Form::Choice(_), DeValue::Array(_)) if text.starts_with("[[") => {
            format!(
                "write `[{}]`: there is only one",
                text.trim_matches(['[', ']'])
            )
        }
        (Form::Table(schema), DeValue::String(_))
            if required(schema).eq(["at-least", "at-most"]) =>
        {
            format!("write `{key} = {{ at-least = {text}, at-most = {text} }}`")
        }
        (Form::Table(schema), _) => format!("write `{key} = {}`", sample(schema)),
        (Form::Choice(choice), DeValue::String(name)) if choice.get(name).is_some() => {
            let inner = choice
                .get(name)
                .map(|(schema, _)| sample(schema))
                .unwrap_or_default();
            format!("write `{key}.{name} = {inner}`")
        }
        (Form::Choice(choice), _) => {
            let (name, inner) = choice.first();
            format!("write `{key}.{name} = {}`, for example", sample(inner))
        }
    })
}
