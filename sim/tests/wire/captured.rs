//! Captured requests and commands, split into parts that can be compared.

use std::collections::BTreeMap;

use serde_json::Value;

/// A part of a request: `header`, and its name.
pub type Part = (&'static str, String);

/// One request or command.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The endpoint or the program.
    pub to: String,
    /// Equal for requests of two clients that are compared with each other.
    pub line: String,
    /// Its parts. Values of one name are joined.
    pub parts: BTreeMap<Part, String>,
}

/// Reads a capture, or the requests of our own client. Ids that are not `known` are replaced by
/// placeholders.
pub fn read(text: &str, known: &str) -> Vec<Sent> {
    let mut all: Vec<Sent> = text.lines().map(sent).collect();
    let mut seen: BTreeMap<Part, Vec<String>> = BTreeMap::new();
    for (part, value) in all.iter_mut().flat_map(|one| &mut one.parts) {
        let is_id = value.starts_with("<guid ") || is_guid(value) && !known.contains(&*value);
        if is_id {
            // Numbered for each part, because one client sends more such parts than the other.
            let seen = seen.entry(part.clone()).or_default();
            let place = seen.iter().position(|id| id == value);
            let place = place.unwrap_or_else(|| {
                seen.push(value.clone());
                seen.len() - 1
            });
            *value = format!("<guid {}>", place + 1);
        }
    }
    all
}

fn sent(line: &str) -> Sent {
    let value: Value = serde_json::from_str(line).unwrap();
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten();
        texts
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let mut parts = BTreeMap::new();
    let mut add = |kind, name: &str, value: &str| {
        let value = marked(name, value);
        parts
            .entry((kind, name.to_owned()))
            .and_modify(|all: &mut String| *all = format!("{all}, {value}"))
            .or_insert(value);
    };
    if let Some(command) = value.get("command") {
        let to = command["program"].as_str().unwrap().to_owned();
        let args = texts(&command["args"]);
        let line = format!("{to} {}", args.first().map_or("", String::as_str));
        let args: Vec<_> = args.iter().map(|arg| without_script(arg)).collect();
        add("arguments", "", &args.join(" "));
        return Sent { to, line, parts };
    }
    let request = &value["request"];
    let word = |name: &str| request[name].as_str().unwrap();
    for (kind, list) in [("query", "query"), ("header", "headers"), ("form", "form")] {
        for pair in request[list].as_array().into_iter().flatten() {
            let pair = texts(pair);
            add(kind, &pair[0], &pair[1]);
        }
    }
    Sent {
        to: word("endpoint").to_owned(),
        line: format!("{} {}", word("method"), word("path")),
        parts,
    }
}

/// Replaces values by the placeholders of `capture.mjs`. A capture has them already and is not
/// changed.
fn marked(name: &str, value: &str) -> String {
    match name {
        // Derived from the other parts.
        "content-length" => "<length>".to_owned(),
        "user-agent" => value.replace(
            concat!("credsim-identity/", env!("CARGO_PKG_VERSION")),
            "credsim-identity/<version>",
        ),
        _ => value.to_owned(),
    }
}

/// A PowerShell script of `identity`, reduced to the URLs and ids in it.
fn without_script(argument: &str) -> String {
    if !argument.contains('\n') {
        return argument.to_owned();
    }
    let words = argument.split(['\'', '"', ' ', '\n']);
    let about: Vec<_> = words
        .filter(|word| word.starts_with("https://") || is_guid(word))
        .collect();
    format!("<script about {}>", about.join(", "))
}

/// Whether this is an id such as `c11e07a0-0000-0000-0000-000000000001`.
fn is_guid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    let hexadecimal = |part: &&str| part.chars().all(|c| c.is_ascii_hexdigit());
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(hexadecimal)
}
