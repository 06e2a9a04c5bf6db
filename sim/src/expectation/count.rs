//! How many of something are wanted, in words and as a check.

use std::fmt;

use crate::check::Check;
use crate::scenario::document::Place;
use crate::wording::{Number, times};

/// How many of something are wanted: `exactly`, or `at-least` and `at-most`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    least: u32,
    most: u32,
}

impl Count {
    pub fn new(exactly: Option<u32>, at_least: Option<u32>, at_most: Option<u32>) -> Self {
        Self {
            least: exactly.or(at_least).unwrap_or(0),
            most: exactly.or(at_most).unwrap_or(u32::MAX),
        }
    }

    /// Whether `count` is as wanted.
    pub fn holds(self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        (self.least..=self.most).contains(&count)
    }

    /// Whether more of them could change what [`holds`](Self::holds) says of `count`: too many stay
    /// too many, and without a bound above, enough stay enough.
    pub fn may_change(self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        count <= self.most && (count < self.least || self.most < u32::MAX)
    }

    /// The count with its noun: `exactly 1 warning`, `2 to 4 warnings`.
    pub fn of(self, one: &str, many: &str) -> String {
        format!("{self} {}", self.number().pick(one, many))
    }

    /// How often something is wanted: `exactly once`, `2 to 4 times`.
    pub fn times(self) -> String {
        match (self.least, self.most) {
            (least, most) if least == most => format!("exactly {}", times(least)),
            (0, u32::MAX) => "any number of times".to_owned(),
            (0, most) => format!("at most {}", times(most)),
            (least, u32::MAX) => format!("at least {}", times(least)),
            (least, most) => format!("{least} to {most} times"),
        }
    }

    /// The grammatical number of a noun behind the count: that of the figure next to it.
    pub fn number(self) -> Number {
        if self.most == u32::MAX {
            Number::of(self.least)
        } else {
            Number::of(self.most)
        }
    }

    /// Checks the three keys at `place`: `exactly` stands alone, and one of them must be given.
    pub fn check(
        exactly: Option<u32>,
        least: Option<u32>,
        most: Option<u32>,
        place: &Place,
        check: &mut Check<'_>,
    ) {
        let other = match (least, most) {
            (Some(_), _) => Some("at-least"),
            (None, Some(_)) => Some("at-most"),
            (None, None) => None,
        };
        match (exactly, other) {
            (Some(_), Some(other)) => {
                check
                    .at_key(&place.key(other), "two answers to one question: how many")
                    .label("`exactly` says it already")
                    .expected("either `exactly`, or `at-least` and `at-most`")
                    .help("keep one of them");
            }
            (None, None) => {
                check
                    .at_key(place, "this can never fail")
                    .label("no number")
                    .expected("`exactly`, `at-least` or `at-most`")
                    .help("add `exactly = 1`, for example");
            }
            (Some(_), None) => {}
            (None, Some(_)) => check.bounds(least, most, place, ["at-least", "at-most"]),
        }
        if (exactly, least, most) == (None, Some(0), None) {
            check.always_holds(&place.key("at-least"), "0 or more is any number");
        }
    }
}

impl fmt::Display for Count {
    /// `exactly 2`, `2 to 4`, `at least 2`, `at most 4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(f, "exactly {least}"),
            (0, u32::MAX) => f.write_str("any number of"),
            (0, most) => write!(f, "at most {most}"),
            (least, u32::MAX) => write!(f, "at least {least}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_can_change_what_is_bounded_and_what_is_too_few() {
        let exactly = Count::new(Some(2), None, None);
        let least = Count::new(None, Some(2), None);
        let most = Count::new(None, None, Some(2));
        let may_change = |count: Count| [1, 2, 3].map(|so_far| count.may_change(so_far));
        assert_eq!(may_change(exactly), [true, true, false]);
        assert_eq!(may_change(least), [true, false, false]);
        assert_eq!(may_change(most), [true, true, false]);
    }

    #[test]
    fn a_count_says_what_it_wants() {
        let said = |exactly, least, most| Count::new(exactly, least, most).to_string();
        assert_eq!(said(Some(2), None, None), "exactly 2");
        assert_eq!(said(None, Some(2), Some(4)), "2 to 4");
        assert_eq!(said(None, Some(2), None), "at least 2");
        assert_eq!(said(None, None, Some(4)), "at most 4");
        assert_eq!(said(None, None, None), "any number of");
    }

    #[test]
    fn a_noun_follows_the_figure_next_to_it() {
        let said =
            |exactly, least, most| Count::new(exactly, least, most).of("request", "requests");
        assert_eq!(said(Some(1), None, None), "exactly 1 request");
        assert_eq!(said(None, Some(1), Some(2)), "1 to 2 requests");
        assert_eq!(said(None, Some(1), None), "at least 1 request");
        assert_eq!(said(None, None, Some(1)), "at most 1 request");
        assert_eq!(said(None, None, None), "any number of requests");
    }

    #[test]
    fn a_count_says_how_often() {
        let said = |exactly, least, most| Count::new(exactly, least, most).times();
        assert_eq!(said(Some(1), None, None), "exactly once");
        assert_eq!(said(Some(3), None, None), "exactly 3 times");
        assert_eq!(said(None, Some(1), Some(2)), "1 to 2 times");
        assert_eq!(said(None, Some(2), None), "at least twice");
        assert_eq!(said(None, None, Some(1)), "at most once");
        assert_eq!(said(None, None, None), "any number of times");
    }
}
