//! How a trace writes times: in JSON, and for people.

use std::time::Duration;

/// `5d 03:20:00.1234`, as short as it stays exact.
pub(super) fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hours, minutes, seconds) = (rest / 3_600, rest / 60 % 60, rest % 60);
    let mut text = String::new();
    if days > 0 {
        text = format!("{days}d ");
    }
    // Microseconds are enough for people; the JSON form has nanoseconds.
    text += &format!(
        "{hours:02}:{minutes:02}:{seconds:02}.{:06}",
        at.subsec_micros()
    );
    text
}

/// A duration for people: `0s`, `4.21ms`, `12.8s`, `1m 10s`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if time.is_zero() {
        "0s".to_owned()
    } else if seconds < 1.0 {
        format!("{}ms", rounded(seconds * 1e3))
    } else if seconds < 120.0 {
        format!("{}s", rounded(seconds))
    } else {
        let whole = time.as_secs();
        let parts = [
            (whole / 86_400, "d"),
            (whole / 3_600 % 24, "h"),
            (whole / 60 % 60, "m"),
            (whole % 60, "s"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, unit)| format!("{n}{unit}"))
            .collect();
        parts.join(" ")
    }
}

fn rounded(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Durations in JSON.
pub(super) mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

/// A duration in JSON that may be missing.
pub(super) mod maybe_nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::nanoseconds::serialize(time, to),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_nanos))
    }
}
