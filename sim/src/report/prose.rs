//! Text for people: wrapped lines and times.

use std::time::Duration;

use crate::redact::{escaped_lines, masked};

/// The width to which prose is wrapped.
const WIDTH: usize = 100;

/// `text` in lines of readable width: the first one after `first`, the others after as many spaces
/// as `first` is wide. Line ends of the text stay, and so do lines that are indented, whole. Ends
/// with a line end. Secrets in `text` are covered, and what a terminal would obey is spelled out.
pub fn paragraph(first: &str, text: &str) -> String {
    wrapped(first, &escaped_lines(&masked(text)))
}

/// As [`paragraph`], for a text of this program, whose examples name secrets.
pub fn wrapped(first: &str, text: &str) -> String {
    let indent = " ".repeat(first.chars().count());
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for (number, part) in text.trim_end().lines().enumerate() {
        if number > 0 {
            finish(&mut out, &mut line, &indent);
            empty = true;
        }
        if part.starts_with(char::is_whitespace) {
            line.push_str(part);
            continue;
        }
        for word in part.split_whitespace() {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                finish(&mut out, &mut line, &indent);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
    }
    finish(&mut out, &mut line, &indent);
    out
}

/// `text`, which is wrapped as it stands in its file, with one line for each paragraph and each
/// item of a list. Indented lines stay.
pub fn unwrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut flows = false;
    for line in text.trim_end().lines() {
        let is_prose = !line.is_empty() && !line.starts_with(char::is_whitespace);
        let goes_on = flows && is_prose && !begins_item(line);
        if !out.is_empty() {
            out.push(if goes_on { ' ' } else { '\n' });
        }
        out.push_str(line.trim_end());
        flows = is_prose;
    }
    out
}

/// Whether an item of a list begins here.
fn begins_item(line: &str) -> bool {
    let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
    let number = mark.strip_suffix(['.', ')']).unwrap_or_default();
    let is_numbered = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    !rest.is_empty() && (matches!(mark, "-" | "*") || is_numbered)
}

fn finish(out: &mut String, line: &mut String, indent: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
    *line = indent.to_owned();
}

/// A real duration: `0.4 ms`, `12.0 ms`, `1.24 s`.
pub fn real(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

/// A long virtual duration in its largest fitting unit: `214 days`, `3.5 hours`, `42 seconds`.
pub fn long(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (amount, unit) = if seconds >= 2.0 * 86_400.0 {
        (seconds / 86_400.0, "days")
    } else if seconds >= 2.0 * 3_600.0 {
        (seconds / 3_600.0, "hours")
    } else if seconds >= 120.0 {
        (seconds / 60.0, "minutes")
    } else {
        (seconds, "seconds")
    };
    let text = if amount < 10.0 {
        format!("{amount:.1}")
    } else {
        format!("{amount:.0}")
    };
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_under_its_label() {
        let text = "word ".repeat(30);
        let lines = paragraph("  why  ", &text);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  why  word"));
        assert!(lines[1].starts_with("       word"));
        assert!(
            lines
                .iter()
                .all(|line| line.len() <= WIDTH && !line.ends_with(' '))
        );
    }

    #[test]
    fn lines_of_the_text_stay_lines() {
        assert_eq!(paragraph("- ", "one\ntwo\n"), "- one\n  two\n");
        assert_eq!(paragraph("- ", ""), "-\n");
    }

    #[test]
    fn indented_lines_stay_as_they_are() {
        let long = format!("  \"a\":   \"{}\"", "word ".repeat(30));
        let text = paragraph("- ", &format!("{{\n{long}\n}}"));
        assert_eq!(text, format!("- {{\n  {}\n  }}\n", long.trim_end()));
    }

    #[test]
    fn what_a_file_has_wrapped_flows_again() {
        let text = "One sentence that\ngoes on.\n\nAnother:\n- an item\n  - below it\n1. first\n12) last\nand more\n";
        assert_eq!(
            unwrapped(text),
            "One sentence that goes on.\n\nAnother:\n- an item\n  - below it\n1. first\n12) last and more"
        );
        assert_eq!(unwrapped("at 5.\n3 times, - so"), "at 5. 3 times, - so");
        assert_eq!(unwrapped(""), "");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(real(Duration::from_micros(3_140)), "3.1 ms");
        assert_eq!(real(Duration::from_millis(1_240)), "1.24 s");
        assert_eq!(long(Duration::from_secs(214 * 86_400)), "214 days");
        assert_eq!(long(Duration::from_secs(12_600)), "3.5 hours");
        assert_eq!(long(Duration::from_secs(42)), "42 seconds");
        assert_eq!(long(Duration::from_secs(600)), "10 minutes");
    }
}
