//! A scenario file as TOML, with the position of everything in it.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{diagnostics::Problem, syntax};

/// A parsed file.
pub(crate) struct Document<'a> {
    text: &'a str,
    root: Spanned<DeTable<'a>>,
}

/// The way to a key or an element, from the root of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Place {
    /// The key `name` of the table at this place.
    pub(crate) fn key(&self, name: &str) -> Self {
        self.with(Step::Key(name.to_owned()))
    }

    /// An element of the array at this place, from 0.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// Where something stands: its key, if it has one, and its value.
struct Spot {
    key: Range<usize>,
    value: Range<usize>,
}

impl<'a> Document<'a> {
    /// Parses the file as TOML, whatever it says.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Problem> {
        match DeTable::parse(text) {
            Ok(root) => Ok(Self { text, root }),
            Err(error) => Err(syntax::problem(text, &error)),
        }
    }

    /// What the file says, or the first thing that does not fit the model.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, toml::de::Error> {
        T::deserialize(toml::de::Deserializer::from(self.root.clone()))
    }

    /// The file's outermost table.
    pub(crate) fn root(&self) -> &DeTable<'a> {
        self.root.get_ref()
    }

    /// The text at `span`.
    pub(crate) fn text(&self, span: &Range<usize>) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// Where a complaint about the file as a whole points: its first key.
    pub(crate) fn first_key(&self) -> Range<usize> {
        self.root()
            .keys()
            .map(Spanned::span)
            .min_by_key(|span| span.start)
            .unwrap_or_default()
    }

    /// The key at `place`, or the nearest one above it that is in the file.
    pub(crate) fn key(&self, place: &Place) -> Range<usize> {
        self.spot(place).key
    }

    /// The value at `place`, or the nearest one above it that is in the file.
    pub(crate) fn value(&self, place: &Place) -> Range<usize> {
        self.spot(place).value
    }

    fn spot(&self, place: &Place) -> Spot {
        let first = self.first_key();
        let mut spot = Spot {
            key: first.clone(),
            value: first,
        };
        let mut steps = place.0.iter();
        let Some(Step::Key(name)) = steps.next() else {
            return spot;
        };
        let Some((key, value)) = self.root().get_key_value(name.as_str()) else {
            return spot;
        };
        spot = Spot {
            key: key.span(),
            value: value.span(),
        };
        let mut here = value.get_ref();
        for step in steps {
            match (step, here) {
                (Step::Key(name), DeValue::Table(table)) => {
                    let Some((key, value)) = table.get_key_value(name.as_str()) else {
                        break;
                    };
                    spot = Spot {
                        key: key.span(),
                        value: value.span(),
                    };
                    here = value.get_ref();
                }
                (Step::Index(index), DeValue::Array(array)) => {
                    let Some(value) = array.get(*index) else {
                        break;
                    };
                    spot = Spot {
                        key: value.span(),
                        value: value.span(),
                    };
                    here = value.get_ref();
                }
                _ => break,
            }
        }
        spot
    }
}
