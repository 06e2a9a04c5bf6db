//! Compares a file with the schema and reports every key, value and alternative that the model
//! would refuse, in words of ours: serde stops at the first and speaks to programmers.

mod describe;
mod scalar;
mod sentence;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde_json::{Map, Value};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::schema;
use crate::scenario::{
    diagnostics::{Problem, Problems, closest, one_of},
    document::Document,
};
use crate::wording::counted;
use describe::{Form, description, sample, type_of, wanted};
use sentence::lower_first;

/// Everything in the file that does not fit the schema.
pub(crate) fn check(document: &Document<'_>) -> Problems {
    let mut walk = Walk {
        document,
        problems: Problems::default(),
        above: Vec::new(),
    };
    let here = Here {
        name: "",
        span: &document.first_key(),
        says: None,
    };
    walk.table(schema::document(), document.root(), &here);
    walk.problems
}

/// The value under examination.
#[derive(Clone, Copy)]
struct Here<'a> {
    /// Its keys from the root, joined by dots.
    name: &'a str,
    /// Where it stands.
    span: &'a Range<usize>,
    /// What its key means.
    says: Option<&'a str>,
}

impl Here<'_> {
    /// The last of its keys.
    fn key(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    /// The name of `key` inside of this.
    fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }
}

struct Walk<'a> {
    document: &'a Document<'a>,
    problems: Problems,
    /// The tables around the current one: their names, and the schemas of their keys; none around
    /// what a choice has chosen.
    above: Vec<(String, Option<&'static Map<String, Value>>)>,
}

impl Walk<'_> {
    fn report(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Problem {
        self.problems.push(Problem::new(span.clone(), message))
    }

    fn value(&mut self, schema: &'static Value, value: &Spanned<DeValue<'_>>, here: &Here<'_>) {
        match (Form::of(schema), value.get_ref()) {
            (Form::Table(schema), DeValue::Table(table)) => self.table(schema, table, here),
            (Form::Choice(choice), DeValue::Table(table)) => self.choice(choice, table, here),
            (Form::Array(schema), DeValue::Array(array)) => self.array(schema, array, here),
            (Form::Scalar(scalar), value) if scalar.has_type_of(value) => {
                if let Some(problem) = scalar.problem(value, here) {
                    self.problems.push(problem);
                }
            }
            (form, value) => self.wrong_type(schema, &form, value, here),
        }
    }

    fn wrong_type(
        &mut self,
        schema: &'static Value,
        form: &Form,
        value: &DeValue<'_>,
        here: &Here<'_>,
    ) {
        let text = self.document.text(here.span);
        let help = describe::correction(form, value, text, here.key());
        let problem = self.report(
            here.span,
            format!("`{}` must be {}", here.name, wanted(schema)),
        );
        problem.label(format!("this is {}", type_of(value)));
        if let Some(says) = here.says {
            problem.expected(lower_first(says));
        }
        if let Some(help) = help {
            problem.help(help);
        }
    }

    fn array(&mut self, schema: &'static Value, array: &DeArray<'_>, here: &Here<'_>) {
        let exact = schema["minItems"]
            .as_u64()
            .filter(|least| *least == schema["maxItems"]);
        if let Some(exact) = exact
            && exact != array.len() as u64
        {
            let message = format!("`{}` must have {}", here.name, counted(exact, "element"));
            self.report(here.span, message)
                .label(format!("this has {}", array.len()))
                .expected(here.says.map(lower_first).unwrap_or_default());
            return;
        }
        for element in array {
            let here = Here {
                span: &element.span(),
                ..*here
            };
            self.value(&schema["items"], element, &here);
        }
    }

    fn table(&mut self, schema: &'static Value, table: &DeTable<'_>, here: &Here<'_>) {
        let known = schema["properties"].as_object();
        let others = &schema["additionalProperties"];
        self.above.push((here.name.to_owned(), known));
        let mut misspelt = Vec::new();
        for (key, value) in in_order(table) {
            let name = here.name_of(key.get_ref());
            let property = known.and_then(|known| known.get(key.get_ref().as_ref()));
            match property.or(others.is_object().then_some(others)) {
                Some(schema) => {
                    let inner = Here {
                        name: &name,
                        span: &value.span(),
                        says: description(schema),
                    };
                    self.value(schema, value, &inner);
                }
                None => misspelt.extend(self.unknown_key(key, known, here)),
            }
        }
        self.above.pop();
        for key in describe::required(schema) {
            if !table.contains_key(key) && !misspelt.contains(&key) {
                self.missing(&schema["properties"][key], key, here);
            }
        }
    }

    /// Reports the key and says which of the allowed ones is probably meant.
    fn unknown_key(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        known: Option<&'static Map<String, Value>>,
        here: &Here<'_>,
    ) -> Option<&'static str> {
        let allowed = known.into_iter().flatten().map(|(key, _)| key.as_str());
        let allowed: Vec<&str> = allowed.collect();
        let above = self.belongs_above(key.get_ref());
        let message = match here.name {
            "" => format!("unknown key `{}`", key.get_ref()),
            name => format!("unknown key `{}` in `{name}`", key.get_ref()),
        };
        let problem = self.report(&key.span(), message);
        if problem.is_unshown() {
            return None;
        }
        let meant = closest(key.get_ref(), allowed.iter().copied());
        let help = match meant {
            Some(meant) => Some(format!("did you mean `{meant}`?")),
            None => above,
        };
        problem
            .label("no such key here")
            .expected(match allowed.as_slice() {
                [] => "no keys: `{}`".to_owned(),
                allowed => one_of(allowed.iter().copied()),
            });
        if let Some(help) = help {
            problem.help(help);
        }
        meant
    }

    /// The table further out that has such a key: in TOML it is easily written one table too late.
    fn belongs_above(&self, key: &str) -> Option<String> {
        let (name, _) = self
            .above
            .iter()
            .rev()
            .skip(1)
            .find(|(_, keys)| keys.is_some_and(|keys| keys.contains_key(key)))?;
        Some(match name.as_str() {
            "" => {
                format!("`{key}` belongs to the whole scenario: write it above the first `[table]`")
            }
            name => format!("`{key}` belongs to `{name}`: write it there, before its inner tables"),
        })
    }

    fn missing(&mut self, schema: &'static Value, key: &'static str, here: &Here<'_>) {
        let message = match here.name {
            "" => format!("`{key}` is missing"),
            name => format!("`{key}` is missing in `{name}`"),
        };
        let help = match (Form::of(schema), here.name) {
            (Form::Table(inner), "") => {
                let keys = describe::required(inner).map(|key| format!("`{key}`"));
                format!(
                    "add a table `[{key}]` with {}",
                    keys.collect::<Vec<_>>().join(" and ")
                )
            }
            (Form::Choice(choice), _) => {
                let (first, inner) = choice.first();
                format!("add `{key}.{first} = {}`, for example", sample(inner))
            }
            _ => format!("add `{key} = {}`", sample(schema)),
        };
        let problem = self.report(here.span, message);
        problem.label(if here.name.is_empty() {
            format!("this file has no `{key}`")
        } else {
            format!("this has no `{key}`")
        });
        let says = description(schema).map(lower_first).unwrap_or_default();
        problem.expected(format!("`{key}`: {says}")).help(help);
    }

    fn choice(&mut self, choice: describe::Choice, table: &DeTable<'_>, here: &Here<'_>) {
        let mut chosen = Vec::new();
        for (key, value) in in_order(table) {
            match choice.get(key.get_ref()) {
                Some((schema, says)) => chosen.push((key, value, schema, says)),
                None => self.unknown_choice(key, &choice.names(), here),
            }
        }
        match chosen.as_slice() {
            [] if table.is_empty() => {
                let (first, inner) = choice.first();
                let key = here.key();
                self.report(here.span, format!("`{}` chooses nothing", here.name))
                    .label("this is empty")
                    .expected(format!("exactly one of {}", one_of(choice.names())))
                    .help(format!(
                        "write `{key}.{first} = {}`, for example",
                        sample(inner)
                    ));
            }
            [] => {}
            [(key, value, schema, says)] => {
                self.above.push((here.name.to_owned(), None));
                let name = here.name_of(key.get_ref());
                self.value(
                    schema,
                    value,
                    &Here {
                        name: &name,
                        span: &value.span(),
                        says: *says,
                    },
                );
                self.above.pop();
            }
            [(first, ..), (second, ..), ..] => {
                let message = format!("`{}` gives more than one answer", here.name);
                let help = match here.name.split('.').next() {
                    Some(outer @ ("at" | "call" | "expect"))
                        if here.name.matches('.').count() == 1 =>
                    {
                        format!("keep one here, and write another `[[{outer}]]` for the other")
                    }
                    _ => "keep one of them".to_owned(),
                };
                self.report(&second.span(), message)
                    .label(format!("`{}` was chosen already", first.get_ref()))
                    .expected(format!("exactly one of {}", one_of(choice.names())))
                    .help(help);
            }
        }
    }

    fn unknown_choice(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        names: &[&'static str],
        here: &Here<'_>,
    ) {
        let key_name = key.get_ref().as_ref();
        let above = self
            .above
            .iter()
            .rev()
            .find(|(_, keys)| keys.is_some_and(|keys| keys.contains_key(key_name)));
        let above =
            above.map(|(name, _)| format!("`{key_name}` belongs to `{name}`: write it there"));
        let message = format!("`{}` cannot be `{key_name}`", here.name);
        let problem = self.report(&key.span(), message);
        if problem.is_unshown() {
            return;
        }
        let help = match closest(key_name, names.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None => above,
        };
        problem
            .label("no such choice")
            .expected(one_of(names.iter().copied()));
        if let Some(help) = help {
            problem.help(help);
        }
    }
}

/// The entries of a table in the order of the file.
fn in_order<'t, 'a>(
    table: &'t DeTable<'a>,
) -> Vec<(
    &'t Spanned<std::borrow::Cow<'a, str>>,
    &'t Spanned<DeValue<'a>>,
)> {
    let mut entries = table.iter().collect::<Vec<_>>();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}
