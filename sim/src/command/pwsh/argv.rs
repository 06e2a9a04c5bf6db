//! The arguments of `pwsh`, which may be cut short and written in any case.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// How it is used.
    Usage,
    /// To run a script.
    Script {
        /// The arguments before its text.
        before: String,
        /// Its text.
        text: String,
    },
    /// Nothing that is understood, and why.
    Misuse(String),
}

/// Options by their full names and their shortest forms.
const SWITCHES: &[(&str, &str)] = &[
    ("noprofile", "nop"),
    ("noninteractive", "noni"),
    ("nologo", "nol"),
];
const WITH_VALUE: &[(&str, &str)] = &[
    ("outputformat", "o"),
    ("inputformat", "inp"),
    ("executionpolicy", "ex"),
];

/// Reads the arguments as PowerShell does: from the left, until it meets a script.
pub fn read(args: &[String]) -> Asked {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        let lower = arg.to_ascii_lowercase();
        let name = lower
            .strip_prefix("--")
            .or_else(|| lower.strip_prefix(['-', '/']));
        let is = |(full, shortest): &(&str, &str)| {
            name.is_some_and(|name| full.starts_with(name) && name.starts_with(shortest))
        };
        at += 1;
        let rest = args.get(at..).unwrap_or_default();
        let before = || args.get(..at).unwrap_or_default().join(" ");
        if matches!(name, Some("?" | "h" | "help")) {
            return Asked::Usage;
        } else if SWITCHES.iter().any(is) {
            continue;
        } else if WITH_VALUE.iter().any(is) {
            at += 1;
        } else if is(&("command", "c")) {
            return match rest {
                [] => Asked::Misuse(format!("{arg} needs a script")),
                words => Asked::Script {
                    before: before(),
                    text: words.join(" "),
                },
            };
        } else if is(&("encodedcommand", "e")) || name == Some("ec") {
            return match rest.first().and_then(|code| decoded(code)) {
                None => Asked::Misuse(format!("{arg} needs a script: Base64 of UTF-16")),
                Some(text) => Asked::Script {
                    before: before(),
                    text,
                },
            };
        } else if name.is_some() {
            return Asked::Misuse(format!("{arg} is not simulated"));
        } else {
            let why = "is taken as the name of a script file, and these are not simulated";
            return Asked::Misuse(format!("'{arg}' {why}"));
        }
    }
    Asked::Misuse("nothing to run: only -Command and -EncodedCommand are simulated".to_owned())
}

/// The arguments, an encoded script replaced by its text.
pub fn readable(args: &[String]) -> Vec<String> {
    let script = match read(args) {
        Asked::Script { text, .. } => Some(text),
        Asked::Usage | Asked::Misuse(_) => None,
    };
    let readable = args.iter().map(|arg| match &script {
        Some(text) if decoded(arg).as_ref() == Some(text) => text.clone(),
        _ => arg.clone(),
    });
    readable.collect()
}

fn decoded(code: &str) -> Option<String> {
    let bytes = STANDARD.decode(code).ok()?;
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(args: &str) -> Asked {
        read(&args.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    fn script(before: &str, text: &str) -> Asked {
        Asked::Script {
            before: before.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn options_come_short_and_in_any_case() {
        assert_eq!(ask("/?"), Asked::Usage);
        assert_eq!(ask("-NoLogo -Help"), Asked::Usage);
        let before = "-noprofile -NonI -Command";
        assert_eq!(ask(&format!("{before} a b")), script(before, "a b"));
        // The code is that of `hé`.
        let before = "-nop -OutputFormat Text -enc";
        assert_eq!(ask(&format!("{before} aADpAA==")), script(before, "hé"));
        assert_eq!(ask("-ec aADpAA=="), script("-ec", "hé"));
    }

    #[test]
    fn what_is_no_script_is_told() {
        for wrong in [
            "",
            "-NoProfile",
            "-Command",
            "-EncodedCommand",
            "-e !!",
            "-e aGg=x",
            "-e aA==",
            "-e ANg=",
            "-Frobnicate",
            "-n",
            "OutputFormat Text -EncodedCommand aADpAA==",
        ] {
            assert!(matches!(ask(wrong), Asked::Misuse(_)), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_arguments_are_survived(args: Vec<String>) {
            let _ = read(&args);
        }
    }
}
