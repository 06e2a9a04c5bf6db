//! Whatever the schema allows, the model reads; whatever the model refuses, the walk reports.

use proptest::{prelude::*, test_runner::TestRng};
use serde::Deserialize as _;
use serde_json::Value;
use toml::{Table, Value as Toml};

use super::{
    super::{Scenario, parse, schema},
    check,
    describe::{Form, required},
    scalar::Scalar,
};
use crate::scenario::{Span, document::Document};

/// A random value of a schema. `depth` bounds chains of chains.
fn value(schema: &'static Value, draw: &mut dyn FnMut(usize) -> usize, depth: usize) -> Toml {
    match Form::of(schema) {
        Form::Table(schema) => Toml::Table(table(schema, draw, depth)),
        Form::Choice(choice) => {
            let names = choice.names();
            let name = if depth == 0 {
                choice.first().0
            } else {
                names[draw(names.len())]
            };
            let (schema, _) = choice.get(name).unwrap();
            Toml::Table(
                [(
                    name.to_owned(),
                    value(schema, draw, depth.saturating_sub(1)),
                )]
                .into_iter()
                .collect(),
            )
        }
        Form::Array(schema) => {
            let count = schema["minItems"]
                .as_u64()
                .map_or_else(|| draw(3), |count| count as usize);
            let items = (0..count).map(|_| value(&schema["items"], draw, depth.saturating_sub(1)));
            Toml::Array(items.collect())
        }
        Form::Scalar(scalar) => match scalar {
            Scalar::Duration => Toml::String(duration(draw)),
            Scalar::SignedDuration => {
                Toml::String(["-", "", "+"][draw(3)].to_owned() + &duration(draw))
            }
            Scalar::Moment => Toml::String(format!("20{:02}-01-01T00:00:00Z", draw(100))),
            Scalar::Word(words) => {
                let words = words.as_array().unwrap();
                Toml::String(
                    words[draw(words.len())]["const"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                )
            }
            Scalar::Text => {
                Toml::String(["", "a", "\u{e4}\n\"'\\", "https://x/.default"][draw(4)].to_owned())
            }
            Scalar::Integer(_) => Toml::Integer(draw(60_000) as i64),
            Scalar::Number if draw(2) == 0 => Toml::Integer(draw(3) as i64),
            Scalar::Number => Toml::Float(draw(100) as f64 / 100.0),
            Scalar::Boolean => Toml::Boolean(draw(2) == 0),
        },
    }
}

fn duration(draw: &mut dyn FnMut(usize) -> usize) -> String {
    let unit = [1, 1_000, 1_000_000, 60_000_000_000][draw(4)];
    Span(std::time::Duration::from_nanos(unit * draw(100_000) as u64)).to_string()
}

fn table(schema: &'static Value, draw: &mut dyn FnMut(usize) -> usize, depth: usize) -> Table {
    let mut table = Table::new();
    let must = required(schema).collect::<Vec<_>>();
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        if must.contains(&key.as_str()) || (depth > 0 && draw(2) == 0) {
            table.insert(key.clone(), value(inner, draw, depth.saturating_sub(1)));
        }
    }
    if schema["additionalProperties"].is_object() {
        for number in 0..draw(3) {
            let key = ["A_VARIABLE", "alice@contoso.example"][number].to_owned();
            table.insert(
                key,
                value(
                    &schema["additionalProperties"],
                    draw,
                    depth.saturating_sub(1),
                ),
            );
        }
    }
    table
}

fn scenario(rng: &mut TestRng) -> Table {
    let mut draw = |bound: usize| (rng.next_u64() % bound as u64) as usize;
    table(schema::document(), &mut draw, 8)
}

/// Changes one thing somewhere below: removes a key, adds one, or replaces a value.
fn damage(value: &mut Toml, rng: &mut TestRng) {
    let mut draw = |bound: usize| (rng.next_u64() % bound as u64) as usize;
    let odd = [
        Toml::Integer(-1),
        Toml::String("odd".to_owned()),
        Toml::Boolean(true),
        Toml::Array(Vec::new()),
        Toml::Table(Table::new()),
        Toml::Float(f64::NAN),
    ];
    match value {
        Toml::Table(table) if draw(4) == 0 => {
            drop(table.insert("odd".to_owned(), odd[draw(6)].clone()))
        }
        Toml::Table(table) if !table.is_empty() => {
            let key = table.keys().nth(draw(table.len())).unwrap().clone();
            if draw(4) == 0 {
                table.remove(&key);
            } else {
                damage(&mut table[&key], rng);
            }
        }
        Toml::Array(items) if !items.is_empty() && draw(4) > 0 => {
            let index = draw(items.len());
            damage(&mut items[index], rng);
        }
        value => *value = odd[draw(6)].clone(),
    }
}

fn files() -> impl Strategy<Value = Table> {
    Just(()).prop_perturb(|(), mut rng| scenario(&mut rng))
}

fn damaged_files() -> impl Strategy<Value = Table> {
    Just(()).prop_perturb(|(), mut rng| {
        let mut file = Toml::Table(scenario(&mut rng));
        damage(&mut file, &mut rng);
        match file {
            Toml::Table(table) => table,
            _ => Table::new(),
        }
    })
}

/// Every form of every diagnostic of a text, if there are any.
fn diagnostics(text: &str) -> Option<String> {
    let invalid = parse("x", "x.toml", text).err()?;
    assert!(!invalid.diagnostics().is_empty());
    let json = serde_json::to_string(invalid.diagnostics()).unwrap();
    Some(invalid.render(true) + &invalid.github() + &json + &invalid.render(false))
}

/// Serde's wording, which must not reach a person.
const RAW: [&str; 5] = [
    "unknown field",
    "unknown variant",
    "missing field",
    "invalid type",
    "not a scenario",
];

/// The first place at or before `index` where a character begins.
fn boundary(text: &str, index: usize) -> usize {
    (0..=index)
        .rev()
        .find(|cut| text.is_char_boundary(*cut))
        .unwrap_or(0)
}

proptest! {
    #[test]
    fn what_the_schema_allows_the_model_reads(file in files()) {
        let text = toml::to_string(&file).unwrap();
        let document = Document::parse(&text).unwrap();
        let problems = check(&document);
        prop_assert!(problems.is_empty(), "{problems:?}");
        let read = document.read::<Scenario>();
        prop_assert!(read.is_ok(), "{:?} in\n{}", read.err(), text);
        let _ = diagnostics(&text);
    }

    #[test]
    fn what_the_model_refuses_is_reported_in_our_words(file in damaged_files()) {
        let text = toml::to_string(&file).unwrap();
        if Scenario::deserialize(file).is_err() {
            let said = diagnostics(&text).unwrap_or_default();
            prop_assert!(!said.is_empty(), "nothing is said about\n{}", text);
            prop_assert!(RAW.iter().all(|raw| !said.contains(raw)), "{}", said);
        }
    }

    #[test]
    fn no_text_is_too_odd_for_a_diagnostic(
        file in files(),
        cut: prop::sample::Index,
        odd in "\\PC{0,3}|[\\x00-\\x7f]{0,3}",
    ) {
        let mut text = toml::to_string(&file).unwrap();
        let cut = boundary(&text, cut.index(text.len() + 1));
        text.insert_str(cut, &odd);
        let _ = diagnostics(&text);
        text.truncate(cut);
        let _ = diagnostics(&text);
    }
}
