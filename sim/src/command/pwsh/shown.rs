//! The arguments of `pwsh` as they may be shown: most hold a script, and a script can hold secrets.

use super::{
    super::{Call, shown::Shown},
    argv::{self, Asked},
    script::{self, Script},
};
use crate::{
    backend::Backend,
    http::real_secret,
    redact::{self, Dialect, MASK},
};

/// A call of it without its secrets.
pub(in super::super) fn shown(backend: &Backend, call: &Call<'_>) -> Shown {
    let text = text(call.args);
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let sets = |three: &[String]| match three {
        [name, equals, value] => {
            redact::is_secret_name(name) && equals == "=" && value.starts_with(['\'', '"'])
        }
        _ => false,
    };
    let harmless =
        redact::arguments(&words, Dialect::PowerShell) == words && !words.windows(3).any(sets);
    let line = match backend.secret_in(&text) {
        Some(secret) => format!("*** holds a {secret} ***"),
        None if text.to_ascii_lowercase().contains("convertto-securestring") => {
            "*** holds a password ***".to_owned()
        }
        None => {
            let line = line(call.args);
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            script::shortened(&redact::arguments(&words, Dialect::PowerShell).join(" "))
        }
    };
    let is_whole = harmless && !line.starts_with(MASK) && is_simulated(call.args);
    Shown {
        args: if is_whole {
            argv::readable(call.args)
        } else {
            vec![line.clone()]
        },
        real: real_secret::in_text(backend, &text),
        covered: Vec::new(),
        line,
    }
}

/// The arguments for the trace: instead of a script, what it asks for; of a script that is not
/// understood no quoted text, because that may be a secret.
fn line(args: &[String]) -> String {
    match argv::read(args) {
        Asked::Usage => args.join(" "),
        Asked::Misuse(_) => {
            let words = args.iter().map(|arg| match arg.strip_prefix('-') {
                Some(_) => arg.as_str(),
                None => "...",
            });
            words.collect::<Vec<_>>().join(" ")
        }
        Asked::Script { before, text } => {
            let text = Script::read(&text).map_or_else(
                || script::without_quoted(&text),
                |script| script.to_string(),
            );
            format!("{before} {{{text}}}")
        }
    }
}

/// All that the arguments say, a script as it is written.
fn text(args: &[String]) -> String {
    match argv::read(args) {
        Asked::Usage | Asked::Misuse(_) => args.join(" "),
        Asked::Script { text, .. } => text,
    }
}

/// Whether the arguments ask for something that is simulated.
fn is_simulated(args: &[String]) -> bool {
    match argv::read(args) {
        Asked::Usage => true,
        Asked::Misuse(_) => false,
        Asked::Script { text, .. } => Script::read(&text).is_some(),
    }
}
