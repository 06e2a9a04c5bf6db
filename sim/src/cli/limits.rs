//! The options that set what a scenario may take.

use crate::{
    limits::{EVENTS, Limits, MEMORY, REAL_TIME},
    scenario::Span,
    wording::bytes,
};

// No doc comment: clap would show it as that of the command.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct LimitArgs {
    /// Ends a scenario with 3 once its traces have so many events, with all its seeds
    #[arg(long, value_name = "N", default_value_t = EVENTS)]
    pub limit_events: u64,
    /// Ends a scenario with 3 once it holds so much memory, such as 512MiB or 4GiB
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "2GiB")]
    pub limit_memory: u64,
    /// Ends a scenario with 3 once it has taken so much real time, such as 30s or 2h
    #[arg(long, value_name = "TIME", default_value_t = Span(REAL_TIME))]
    pub limit_real_time: Span,
}

impl LimitArgs {
    /// The limits that are asked for.
    pub fn limits(&self) -> Limits {
        Limits {
            events: self.limit_events,
            memory: self.limit_memory,
            real_time: self.limit_real_time.0,
            ..Limits::default()
        }
    }
}

/// Reads a number of bytes: `1048576`, `512MiB`, `4GiB`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" | "B" => Some(0),
        "KiB" => Some(10),
        "MiB" => Some(20),
        "GiB" => Some(30),
        "TiB" => Some(40),
        _ => None,
    };
    let number = digits.parse::<u64>().ok();
    number
        .zip(shift)
        .and_then(|(number, shift)| number.checked_mul(1 << shift))
        .ok_or_else(|| {
            format!(
                "expected a number of bytes with its unit, such as {}",
                bytes(MEMORY).replace(' ', "")
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("2GiB"), Ok(MEMORY));
        for wrong in ["", "MiB", "1MB", "-1", "1.5GiB", "99999999TiB"] {
            let said = size(wrong).unwrap_err();
            assert!(said.ends_with("such as 2GiB"), "{said}");
        }
    }
}
