//! Parsing of `Retry-After` and the headers like it (PR-12).

use std::time::Duration;

use jiff::{Timestamp, civil::DateTime, fmt::rfc2822::DateTimeParser, tz::TimeZone};

/// Returns the wait that `headers` ask for, counted from `now`. The first usable value counts, in
/// the order `retry-after-ms`, `x-ms-retry-after-ms`, `Retry-After` in seconds, `Retry-After` as a
/// date. Not usable are 0, a date in the past, and a value in any other form (PR-12).
pub(super) fn asked_wait(headers: &[(String, String)], now: Timestamp) -> Option<Duration> {
    let values = |name: &'static str| {
        headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.trim())
    };
    let in_ms = values("retry-after-ms")
        .chain(values("x-ms-retry-after-ms"))
        .filter_map(|value| number(value, 1000.0));
    let in_seconds = values("retry-after").filter_map(|value| number(value, 1.0));
    let dates = values("retry-after").filter_map(|value| {
        let until = http_date(value)?.duration_since(now);
        Duration::try_from(until).ok()
    });
    in_ms
        .chain(in_seconds)
        .chain(dates)
        // A wait that ends beyond the calendar is not usable.
        .find(|wait| !wait.is_zero() && now.checked_add(*wait).is_ok())
}

/// Reads a decimal number in a unit of which `per_second` make a second; `None` for a sign, an
/// exponent or any other form.
fn number(text: &str, per_second: f64) -> Option<Duration> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = text.parse().ok().filter(|_| is_number)?;
    Duration::try_from_secs_f64(number / per_second).ok()
}

/// Reads an HTTP date in any of its three forms, all of which are UTC (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    static CURRENT: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    if let Ok(at) = CURRENT.parse_timestamp(text) {
        return Some(at);
    }
    let (_, rfc850) = text.split_once(", ").unwrap_or_default();
    let (_, asctime) = text.split_once(' ').unwrap_or_default();
    let civil = DateTime::strptime("%d-%b-%y %H:%M:%S GMT", rfc850)
        .or_else(|_| DateTime::strptime("%b %e %H:%M:%S %Y", asctime))
        .ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "1994-11-06T08:49:00Z".parse().unwrap()
    }

    fn asked(headers: &[(&str, &str)]) -> Option<Duration> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        asked_wait(&headers, now())
    }

    #[test]
    fn pr_12_every_form_is_read() {
        for (name, value, seconds) in [
            ("retry-after-ms", "1500", 1.5),
            ("x-ms-retry-after-ms", "20", 0.02),
            ("Retry-After", " 7 ", 7.0),
            ("RETRY-AFTER", "2.5", 2.5),
            ("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT", 37.0),
            ("Retry-After", "Mon, 06 Nov 1994 08:49:37 GMT", 37.0),
            ("Retry-After", "Sunday, 06-Nov-94 08:49:37 GMT", 37.0),
            ("Retry-After", "Sun Nov  6 08:49:37 1994", 37.0),
        ] {
            assert_eq!(
                asked(&[(name, value)]),
                Some(Duration::from_secs_f64(seconds)),
                "{value}"
            );
        }
    }

    #[test]
    fn pr_12_the_order_of_the_forms() {
        let [ms, x_ms, seconds] = [
            ("retry-after-ms", "10"),
            ("x-ms-retry-after-ms", "20"),
            ("Retry-After", "30"),
        ];
        assert_eq!(asked(&[seconds, x_ms, ms]), Some(Duration::from_millis(10)));
        assert_eq!(asked(&[seconds, x_ms]), Some(Duration::from_millis(20)));
        assert_eq!(
            asked(&[("retry-after-ms", "soon"), seconds]),
            Some(Duration::from_secs(30))
        );
    }

    #[test]
    fn pr_12_zero_past_and_garbage_are_no_wait() {
        for value in [
            "0",
            "0.0",
            "-1",
            "+5",
            "",
            "soon",
            "1e3",
            "NaN",
            "inf",
            ".5",
            "1.2.3",
            "٣",
            "Sun, 06 Nov 1994 08:48:59 GMT",
            "99999999999999999999999",
            "9999999999999999",
        ] {
            assert_eq!(asked(&[("Retry-After", value)]), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn pr_12_no_text_breaks_it(text in "\\PC*", name in "(?i)(x-ms-)?retry-after(-ms)?") {
            if let Some(wait) = asked(&[(&name, &text)]) {
                prop_assert!(!wait.is_zero());
            }
        }

        #[test]
        fn pr_12_whole_numbers_are_exact(n in 1_u64..1_000_000) {
            let text = n.to_string();
            prop_assert_eq!(asked(&[("retry-after", &text)]), Some(Duration::from_secs(n)));
            prop_assert_eq!(asked(&[("retry-after-ms", &text)]), Some(Duration::from_millis(n)));
        }

        #[test]
        fn pr_12_dates_are_exact(n in 1_i64..100_000_000) {
            let at = now() + jiff::SignedDuration::from_secs(n);
            let text = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            prop_assert_eq!(asked(&[("retry-after", &text)]), Duration::try_from_secs_f64(n as f64).ok());
        }
    }
}
