//! Values that are neither tables nor lists.

use serde_json::Value;
use toml::de::{DeInteger, DeValue};

use super::{Here, sentence::lower_first};
use crate::scenario::{
    Moment, SignedSpan, Span,
    diagnostics::{Problem, one_of},
};

/// What a value without inner values must be.
#[derive(Clone, Copy)]
pub(crate) enum Scalar {
    Duration,
    SignedDuration,
    Moment,
    /// One of some words.
    Word(&'static Value),
    Text,
    Integer(&'static Value),
    Number,
    Boolean,
}

impl Scalar {
    pub(crate) fn of(definition: &str, schema: &'static Value) -> Self {
        match (definition, schema["type"].as_str()) {
            ("Duration", _) => Self::Duration,
            ("SignedDuration", _) => Self::SignedDuration,
            ("Moment", _) => Self::Moment,
            (_, Some("integer")) => Self::Integer(schema),
            (_, Some("number")) => Self::Number,
            (_, Some("boolean")) => Self::Boolean,
            _ if schema["oneOf"].is_array() => Self::Word(&schema["oneOf"]),
            _ => Self::Text,
        }
    }

    fn words(words: &'static Value) -> Vec<&'static str> {
        let words = words.as_array().into_iter().flatten();
        words.filter_map(|word| word["const"].as_str()).collect()
    }

    pub(crate) fn wanted(self) -> String {
        match self {
            Self::Duration => {
                "a duration in quotes, such as \"90d\", \"1h 30m\" or \"800ms\"".to_owned()
            }
            Self::SignedDuration => "a duration in quotes, such as \"7m\" or \"-1h\"".to_owned(),
            Self::Moment => "a moment in quotes, such as \"2026-01-01T00:00:00Z\"".to_owned(),
            Self::Word(words) => format!("a string: {}", one_of(Self::words(words))),
            Self::Text => "a string".to_owned(),
            Self::Integer(_) => "an integer".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
        }
    }

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Duration | Self::SignedDuration => "durations",
            Self::Moment => "moments",
            Self::Word(_) | Self::Text => "strings",
            Self::Integer(_) | Self::Number => "numbers",
            Self::Boolean => "booleans",
        }
    }

    pub(crate) fn sample(self) -> String {
        let sample = match self {
            Self::Duration => "\"1h\"",
            Self::SignedDuration => "\"-1h\"",
            Self::Moment => "\"2026-01-01T00:00:00Z\"",
            Self::Word(words) => {
                return format!(
                    "{:?}",
                    Self::words(words).first().copied().unwrap_or_default()
                );
            }
            Self::Text => "\"...\"",
            Self::Integer(_) => "1",
            Self::Number => "0.5",
            Self::Boolean => "true",
        };
        sample.to_owned()
    }

    pub(crate) fn has_type_of(self, value: &DeValue<'_>) -> bool {
        match self {
            Self::Integer(_) => matches!(value, DeValue::Integer(_)),
            Self::Number => matches!(value, DeValue::Integer(_) | DeValue::Float(_)),
            Self::Boolean => matches!(value, DeValue::Boolean(_)),
            _ => matches!(value, DeValue::String(_)),
        }
    }

    /// What is wrong with a value of the right type.
    pub(crate) fn problem(self, value: &DeValue<'_>, here: &Here<'_>) -> Option<Problem> {
        match (self, value) {
            (Self::Duration, DeValue::String(text)) => unreadable(text.parse::<Span>().err(), here),
            (Self::SignedDuration, DeValue::String(text)) => {
                unreadable(text.parse::<SignedSpan>().err(), here)
            }
            (Self::Moment, DeValue::String(text)) => unreadable(text.parse::<Moment>().err(), here),
            (Self::Word(words), DeValue::String(text)) => {
                let words = Self::words(words);
                if words.contains(&text.as_ref()) {
                    return None;
                }
                let message = format!("`{}` cannot be \"{text}\"", here.name);
                let mut problem = Problem::new(here.span.clone(), message);
                problem
                    .label("no such value")
                    .expected(one_of(words.iter().copied()))
                    .did_you_mean(text, words);
                Some(problem)
            }
            (Self::Integer(schema), DeValue::Integer(number)) => out_of_range(schema, number, here),
            _ => None,
        }
    }

    /// What to write instead of a value of the wrong type.
    pub(crate) fn correction(self, value: &DeValue<'_>, text: &str) -> Option<String> {
        Some(match (self, value) {
            (Self::Duration | Self::SignedDuration, DeValue::Integer(_) | DeValue::Float(_)) => {
                format!("write it with its unit: \"{text}s\", \"{text}m\" or \"{text}h\"")
            }
            (
                Self::Moment | Self::Text,
                DeValue::Datetime(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_),
            ) => {
                format!("write \"{text}\", in quotes")
            }
            (Self::Duration, DeValue::Table(_)) => {
                "this one is fixed; only `takes` and `by` are drawn from a range".to_owned()
            }
            (Self::Integer(_) | Self::Number, DeValue::String(number))
                if number.parse::<f64>().is_ok() =>
            {
                format!("write {number}, without quotes")
            }
            (Self::Integer(_), DeValue::Float(_)) => "write it without a fraction".to_owned(),
            (Self::Boolean, DeValue::String(word)) if matches!(word.as_ref(), "true" | "false") => {
                format!("write {word}, without quotes")
            }
            (Self::Text | Self::Word(_), DeValue::Array(array)) if array.len() == 1 => {
                format!(
                    "write {}, without brackets",
                    text.trim_matches(['[', ']', ' '])
                )
            }
            _ => return None,
        })
    }
}

/// A text that its own parser refused, in the parser's words.
fn unreadable(error: Option<String>, here: &Here<'_>) -> Option<Problem> {
    let error = error?;
    let (message, expected) = match error.split_once("; expected ") {
        Some((message, expected)) => (message, Some(expected)),
        None => (error.as_str(), None),
    };
    let mut problem = Problem::new(here.span.clone(), message);
    problem.label("cannot be read");
    if let Some(says) = here.says {
        problem.label(format!("`{}`: {}", here.key(), lower_first(says)));
    }
    if let Some(expected) = expected {
        problem.expected(expected);
    }
    Some(problem)
}

fn out_of_range(schema: &Value, number: &DeInteger<'_>, here: &Here<'_>) -> Option<Problem> {
    let bits: (i128, i128) = match schema["format"].as_str() {
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("uint" | "uint64") => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    };
    let value = i128::from_str_radix(number.as_str(), number.radix());
    if value.is_ok_and(|value| (bits.0..=bits.1).contains(&value)) {
        return None;
    }
    let mut problem = Problem::new(
        here.span.clone(),
        format!("`{}` must lie between {} and {}", here.name, bits.0, bits.1),
    );
    problem.label("out of range");
    if let Some(says) = here.says {
        problem.expected(lower_first(says));
    }
    Some(problem)
}
