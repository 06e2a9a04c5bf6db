//! Numbers and times in the JSON of the services, which vary in form.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::redact;

/// Reads a number of seconds, written as a number or as a string of digits; `None` for any other
/// form (MI-50, EN-42).
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    match value {
        // A fraction is cut off, so that a token is never taken to live longer than it does.
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|s| s as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Reads a point in time, written in ISO 8601 or as seconds since 1970 in a number or a string;
/// `None` for any other form (MI-51).
pub(crate) fn moment(value: &Value) -> Option<Timestamp> {
    match seconds(value) {
        Some(at) => Timestamp::from_second(at).ok(),
        None => value.as_str()?.trim().parse().ok(),
    }
}

/// The longest text that is quoted as an expiry time: longer than every form of a date, and shorter
/// than a token.
const LONGEST_DATE: usize = 40;

/// Returns what is wrong with an expiry time that is missing or cannot be read, which is quoted.
/// `fields` are the names under which it may stand, with their values. What cannot be a date, such
/// as a nested object, is not quoted, because it could hold a token.
pub(crate) fn unreadable_expiry(fields: &[(&str, Option<&Value>)]) -> String {
    let given = fields
        .iter()
        .find_map(|(name, value)| Some((name, value.filter(|value| !value.is_null())?)));
    match given {
        Some((name, Value::Array(_) | Value::Object(_))) => {
            format!("its {name} is neither a number nor a text")
        }
        Some((name, Value::String(text))) if text.chars().count() > LONGEST_DATE => {
            format!("its {name} has {} characters", text.chars().count())
        }
        Some((name, value)) => format!("its {name} is {}", redact::excerpt(&value.to_string())),
        None => {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            format!("it has no {}", names.join(" and no "))
        }
    }
}

/// Returns the time `seconds` after `start`; `None` for negative seconds and beyond the calendar.
pub(crate) fn after(start: Timestamp, seconds: i64) -> Option<Timestamp> {
    let seconds = u64::try_from(seconds).ok()?;
    let life = SignedDuration::try_from(Duration::from_secs(seconds)).ok()?;
    start.checked_add(life).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expiry_time_that_cannot_be_read_is_quoted_without_tokens() {
        let says = |on: Option<Value>| unreadable_expiry(&[("on", on.as_ref()), ("in", None)]);
        assert_eq!(says(None), "it has no on and no in");
        assert_eq!(says(Some(Value::Null)), "it has no on and no in");
        assert_eq!(says(Some(json!("soon"))), r#"its on is "soon""#);
        assert_eq!(says(Some(json!("eyJ0.eyJ1.c2ln"))), r#"its on is "***""#);
        assert_eq!(
            says(Some(json!("0".repeat(41)))),
            "its on has 41 characters"
        );
        let nested = says(Some(json!({ "access_token": "hidden" })));
        assert_eq!(nested, "its on is neither a number nor a text");
    }

    #[test]
    fn seconds_come_as_numbers_and_as_strings() {
        assert_eq!(seconds(&Value::from(3599)), Some(3599));
        assert_eq!(seconds(&Value::from("3599")), Some(3599));
        assert_eq!(seconds(&Value::from(3599.9)), Some(3599));
        assert_eq!(seconds(&Value::from("soon")), None);
        assert_eq!(seconds(&Value::Null), None);
    }

    #[test]
    fn moments_come_in_three_forms() {
        let at = Timestamp::from_second(1_893_456_000).unwrap();
        for form in [
            Value::from(1_893_456_000),
            Value::from("1893456000"),
            Value::from("2030-01-01T00:00:00Z"),
            Value::from("2030-01-01T00:00:00.000Z"),
            Value::from("2030-01-01T01:00:00+01:00"),
        ] {
            assert_eq!(moment(&form), Some(at), "{form}");
        }
        assert_eq!(moment(&Value::from("06/20/2030 02:57:58 +00:00")), None);
        assert_eq!(moment(&Value::from(i64::MAX)), None);
    }

    #[test]
    fn a_life_beyond_the_calendar_is_none() {
        assert_eq!(after(Timestamp::UNIX_EPOCH, i64::MAX), None);
        assert_eq!(after(Timestamp::UNIX_EPOCH, -1), None);
        assert_eq!(
            after(Timestamp::UNIX_EPOCH, 60),
            Timestamp::from_second(60).ok()
        );
    }

    proptest::proptest! {
        #[test]
        fn any_value_is_survived(text in ".*", number: i64, start in 0i64..4_102_444_800) {
            let at = Timestamp::from_second(start).unwrap();
            for value in [Value::from(text.as_str()), Value::from(number)] {
                let _ = moment(&value);
                if let Some(end) = seconds(&value).and_then(|life| after(at, life)) {
                    assert!(end >= at);
                }
            }
        }
    }
}
