//! Counts in sentences: `1 request`, `2 requests`, `once`.

use std::fmt::Display;

/// The grammatical number of a noun or a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Exactly one.
    One,
    /// None, or more than one.
    Many,
}

impl Number {
    /// Returns the number of what is counted.
    pub fn of(count: impl TryInto<u64>) -> Self {
        match count.try_into() {
            Ok(1) => Self::One,
            Ok(_) | Err(_) => Self::Many,
        }
    }

    /// Returns the word of this number: `number.pick("gets", "get")`.
    pub fn pick<T>(self, one: T, many: T) -> T {
        match self {
            Self::One => one,
            Self::Many => many,
        }
    }
}

/// Returns a count with its noun, whose plural ends in `s`: `1 request`, `2 requests`.
pub fn counted(count: impl TryInto<u64> + Copy + Display, noun: &str) -> String {
    format!("{count} {noun}{}", Number::of(count).pick("", "s"))
}

/// Returns how often something happens: `once`, `twice`, `3 times`.
pub fn times(count: impl TryInto<u64> + Copy + Display) -> String {
    match count.try_into() {
        Ok(1) => "once".to_owned(),
        Ok(2) => "twice".to_owned(),
        Ok(_) | Err(_) => format!("{count} times"),
    }
}

/// Returns a number of bytes in the largest unit in which it is at least 1: `512 B`, `64 MiB`,
/// `1.5 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let most = UNITS.len() - 1;
    let unit = (0..most).find(|unit| count >> (10 * (unit + 1)) == 0);
    let unit = unit.unwrap_or(most);
    let tenths = (u128::from(count) * 10) >> (10 * unit);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {}", UNITS[unit]),
        (whole, tenth) => format!("{whole}.{tenth} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_follows_its_count() {
        assert_eq!(counted(0, "token request"), "0 token requests");
        assert_eq!(counted(1_usize, "token request"), "1 token request");
        assert_eq!(counted(2_u32, "token request"), "2 token requests");
        assert_eq!(
            counted(u128::MAX, "call").split_once(' ').unwrap().1,
            "calls"
        );
    }

    #[test]
    fn a_verb_follows_its_subject() {
        let gets = |count: u32| Number::of(count).pick("gets", "get");
        assert_eq!([0, 1, 2].map(gets), ["get", "gets", "get"]);
    }

    #[test]
    fn bytes_have_the_largest_unit_that_fits() {
        let said = [0, 1023, 1024, 1536, 64 << 20, u64::MAX].map(bytes);
        let right = [
            "0 B",
            "1023 B",
            "1 KiB",
            "1.5 KiB",
            "64 MiB",
            "16777215.9 TiB",
        ];
        assert_eq!(said, right);
    }

    #[test]
    fn one_and_two_have_their_own_words() {
        let said = [0, 1, 2, 3, 21].map(times);
        assert_eq!(said, ["0 times", "once", "twice", "3 times", "21 times"]);
    }
}
