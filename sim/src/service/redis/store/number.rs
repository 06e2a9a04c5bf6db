//! Numbers, as Redis reads and writes them.

/// Fractions are exact to this many places.
const PLACES: usize = 17;

/// A fraction as INCRBYFLOAT counts: in units of 10^-17. Redis counts in 80 bits, which shows in
/// the last places of numbers above a hundred; here they stay exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Decimal(i128);

impl Decimal {
    /// Reads `3`, `-0.5`, `5.0e3`.
    pub fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = (!whole.is_empty() || !part.is_empty())
            && whole
                .bytes()
                .chain(part.bytes())
                .all(|byte| byte.is_ascii_digit());
        if !is_number {
            return None;
        }
        let mut units: i128 = 0;
        for digit in whole.bytes().chain(part.bytes()) {
            units = units
                .checked_mul(10)?
                .checked_add(i128::from(digit - b'0'))?;
        }
        let places = i32::try_from(part.len()).ok()?;
        let shift = i32::try_from(PLACES)
            .ok()?
            .checked_add(exponent)?
            .checked_sub(places)?;
        let scale = 10_i128.checked_pow(shift.unsigned_abs());
        let units = match scale {
            Some(scale) if shift >= 0 => units.checked_mul(scale)?,
            Some(scale) => units / scale,
            None if units == 0 || shift < 0 => 0,
            None => return None,
        };
        Some(Self(if negative { -units } else { units }))
    }

    /// The sum, unless it is too large.
    pub fn add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// As Redis writes it: no zeros at its end.
    pub fn write(self) -> String {
        let digits = format!("{:0>width$}", self.0.unsigned_abs(), width = PLACES + 1);
        let (whole, part) = digits.split_at(digits.len() - PLACES);
        let part = part.trim_end_matches('0');
        let sign = if self.0 < 0 { "-" } else { "" };
        if part.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{part}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_add_without_error() {
        for (one, other, sum) in [
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0.1", "0.2", "0.3"),
            ("0.5", "-1", "-0.5"),
            ("3", "-3.0", "0"),
        ] {
            let read = |text: &str| Decimal::read(text.as_bytes()).expect("a number");
            let found = read(one).add(read(other)).map(Decimal::write);
            assert_eq!(found.as_deref(), Some(sum), "{one} + {other}");
        }
        for text in [
            "", ".", "-", "abc", " 1", "1 ", "1e", "1e999", "0x1", "--1", "nan",
        ] {
            assert_eq!(Decimal::read(text.as_bytes()), None, "{text}");
        }
    }
}
