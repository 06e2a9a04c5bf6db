//! Times, durations and ranges as scenario files write them.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A duration, zero or longer: `"90d"`, `"1h 30m"`, `"800ms"`, `"0s"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A duration that may be negative: `"7m"`, `"-1h"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignedSpan {
    /// Whether it points into the past.
    pub negative: bool,
    /// How long.
    pub length: Duration,
}

/// A moment by date and time, RFC 3339: `"2026-01-01T00:00:00Z"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

/// A duration drawn uniformly from a range, anew each time; equal ends are a fixed duration.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Range {
    /// The shortest.
    pub at_least: Span,
    /// The longest.
    pub at_most: Span,
}

impl Range {
    /// The same duration each time.
    pub const fn fixed(span: Duration) -> Self {
        Self {
            at_least: Span(span),
            at_most: Span(span),
        }
    }
}

impl Range {
    /// The range in words: `1s`, `1s to 2s`.
    pub(crate) fn describe(&self) -> String {
        if self.at_least == self.at_most {
            self.at_least.to_string()
        } else {
            format!("{} to {}", self.at_least, self.at_most)
        }
    }
}

impl SignedSpan {
    /// `time` moved by this much; clamped to what a timestamp can hold.
    pub fn added_to(self, time: Timestamp) -> Timestamp {
        let moved = if self.negative {
            time.checked_sub(self.length)
        } else {
            time.checked_add(self.length)
        };
        moved.unwrap_or(if self.negative {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The longest duration a scenario may name: 100 years.
const LONGEST: u128 = 36_525 * 86_400_000_000_000;

const EXPECTED: &str = "a duration such as \"90d\", \"1h 30m\", \"2.5s\" or \"800ms\"";

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut total: u128 = 0;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(format!(
                "an empty string is not a duration; expected {EXPECTED}"
            ));
        }
        let mut smallest = u128::MAX;
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let letters = after
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(letters);
            let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(format!("\"{text}\" is not a duration; expected {EXPECTED}"));
            };
            if *scale >= smallest {
                return Err(format!(
                    "the units of \"{text}\" are out of order; \
                     expected each unit once, the large ones first: \"1h 30m\""
                ));
            }
            smallest = *scale;
            let nanoseconds = decimal(number, *scale)
                .ok_or_else(|| format!("\"{text}\" is not a duration; expected {EXPECTED}"))?;
            total = total.saturating_add(nanoseconds);
            rest = after.trim_start();
        }
        if total > LONGEST {
            return Err(format!(
                "\"{text}\" is too long; expected at most 100 years, \"36525d\""
            ));
        }
        let (seconds, nanoseconds) = (total / 1_000_000_000, total % 1_000_000_000);
        Ok(Self(Duration::new(seconds as u64, nanoseconds as u32)))
    }
}

/// `number` (digits with at most one point) times `scale`, exactly.
fn decimal(number: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || whole.len() > 18 || fraction.len() > 9 || number.ends_with('.') {
        return None;
    }
    let mut value = whole.parse::<u128>().ok()?.checked_mul(scale)?;
    if !fraction.is_empty() {
        value += fraction.parse::<u128>().ok()? * scale / 10u128.pow(fraction.len() as u32);
    }
    Some(value)
}

impl FromStr for SignedSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        let (negative, length) = match trimmed.strip_prefix('-') {
            Some(length) => (true, length),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let length = length.parse::<Span>()?.0;
        Ok(Self {
            negative: negative && !length.is_zero(),
            length,
        })
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!(
                "\"{text}\" is not a moment; expected RFC 3339, such as \"2026-01-01T00:00:00Z\""
            )
        })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return f.write_str("0s");
        }
        let mut first = true;
        for (name, scale) in UNITS {
            let count = rest / scale;
            rest %= scale;
            if count > 0 {
                write!(f, "{}{count}{name}", if first { "" } else { " " })?;
                first = false;
            }
        }
        Ok(())
    }
}

impl fmt::Display for SignedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}",
            if self.negative { "-" } else { "" },
            Span(self.length)
        )
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a text and parses it, so that the error carries the text's position.
fn from_text<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err = String>,
    D: Deserializer<'de>,
{
    let text = Cow::<'de, str>::deserialize(from)?;
    text.parse().map_err(de::Error::custom)
}

macro_rules! written_as_text {
    ($type:ty, $name:literal, $pattern:literal, $says:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from_text(from)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $says })
            }
        }
    };
}

written_as_text!(
    Span,
    "Duration",
    r"^\s*[0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|ns)(\s*[0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|ns))*\s*$",
    "A duration: \"90d\", \"1h 30m\", \"2.5s\", \"800ms\"."
);
written_as_text!(
    SignedSpan,
    "SignedDuration",
    r"^\s*[-+]?[0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|ns)(\s*[0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|ns))*\s*$",
    "A duration that may be negative: \"7m\", \"-1h\"."
);
written_as_text!(
    Moment,
    "Moment",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*$",
    "A moment, RFC 3339: \"2026-01-01T00:00:00Z\"."
);

/// No options.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn durations() -> impl Strategy<Value = Duration> {
        (0..=LONGEST).prop_map(|total| {
            Duration::new(
                (total / 1_000_000_000) as u64,
                (total % 1_000_000_000) as u32,
            )
        })
    }

    proptest! {
        #[test]
        fn a_duration_reads_as_it_is_written(length in durations()) {
            let span = Span(length);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }

        #[test]
        fn a_signed_duration_reads_as_it_is_written(length in durations(), back: bool) {
            let span = SignedSpan { negative: back && !length.is_zero(), length };
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }

        #[test]
        fn a_moment_reads_as_it_is_written(seconds in -2_000_000_000i64..=200_000_000_000, nanos in 0..1_000_000_000i32) {
            let moment = Moment(Timestamp::new(seconds, nanos).unwrap());
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text in ".{0,24}") {
            let _ = text.parse::<Span>();
            let _ = text.parse::<SignedSpan>();
            let _ = text.parse::<Moment>();
        }

        #[test]
        fn fractions_are_exact(whole in 0..100_000u64, thousandths in 0..1_000u64) {
            let span: Span = format!("{whole}.{thousandths:03}s").parse().unwrap();
            prop_assert_eq!(span.0, Duration::from_millis(whole * 1_000 + thousandths));
        }
    }

    #[test]
    fn units_go_down_and_appear_once() {
        assert!("1h 30m".parse::<Span>().is_ok());
        assert!("1h30m".parse::<Span>().is_ok());
        for wrong in [
            "", "5", "5 m", "30m 1h", "1h 1h", "1.5.5s", ".5s", "1.s", "36526d", "1 h",
        ] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong:?} was accepted");
        }
    }
}
