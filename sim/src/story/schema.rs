//! The JSON Schema of scenario files. The model's doc comments are its descriptions.

use std::sync::LazyLock;

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Value, json};

use super::Scenario;
use crate::world;

/// The schema as it is checked in at `sim/scenario.schema.json`: draft 2020-12, indented.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema as data.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let mut document = SchemaSettings::draft2020_12()
            .with_transform(WithoutNull)
            .into_generator()
            .into_root_schema_for::<Scenario>()
            .to_value();
        list_presets(&mut document["$defs"]["Preset"]);
        document
    });
    &DOCUMENT
}

/// Lists the presets of the services, which the type of a preset does not know.
fn list_presets(definition: &mut Value) {
    let mut by_name: Vec<(&str, Vec<&str>)> = Vec::new();
    for known in world::presets() {
        match by_name.iter_mut().find(|(name, _)| *name == known.name) {
            Some((_, summaries)) => summaries.push(known.summary),
            None => by_name.push((known.name, vec![known.summary])),
        }
    }
    let choices = by_name.into_iter().map(|(name, summaries)| {
        json!({ "const": name, "description": summaries.join(" "), "type": "string" })
    });
    if let Some(definition) = definition.as_object_mut() {
        definition.remove("type");
        definition.insert("oneOf".to_owned(), choices.collect());
    }
}

/// TOML has no null: what is optional is left out, so no schema needs to allow it.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        let Some(Value::Array(mut options)) = object.remove("anyOf") else {
            return;
        };
        options.retain(|option| option.get("type").is_none_or(|name| name != "null"));
        match (options.len(), options.first()) {
            (1, Some(Value::Object(only))) => object.extend(only.clone()),
            _ => drop(object.insert("anyOf".to_owned(), Value::Array(options))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_schema_is_up_to_date() {
        assert!(
            include_str!("../../scenario.schema.json") == schema(),
            "sim/scenario.schema.json is out of date; update it with\n\
             cargo run -q -- schema > sim/scenario.schema.json"
        );
    }

    #[test]
    fn nothing_may_be_null_and_every_key_is_described() {
        assert!(!schema().contains("\"null\""));
        let definitions = document()["$defs"].as_object().unwrap();
        for (name, definition) in definitions
            .iter()
            .chain([(&"Scenario".to_owned(), document())])
        {
            assert!(
                definition["description"].is_string(),
                "{name} is not described"
            );
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                assert!(
                    property["description"].is_string(),
                    "{name}.{key} is not described"
                );
            }
        }
    }
}
