//! A call of a command as it may be shown: its arguments can hold secrets.

use super::{Call, pwsh};
use crate::{
    backend::{Stage, real_secret},
    redact::{self, Dialect, MASK},
};

/// A call without its secrets.
pub struct Shown {
    /// The arguments in one line, as the trace tells them.
    pub line: String,
    /// The arguments, as far as they may be told; of a script that is not simulated, the line.
    pub args: Vec<String>,
    /// What the arguments hold that looks like a secret of the real world, in words.
    pub real: Option<&'static str>,
    /// What is covered, and how.
    covered: Vec<(String, String)>,
}

impl Shown {
    /// How `program` was called.
    pub fn new(stage: &Stage, program: &str, call: &Call<'_>) -> Self {
        if program == "pwsh" {
            return Self::script(stage, call);
        }
        let mut args = redact::arguments(call.args, Dialect::Az);
        for arg in &mut args {
            if stage.secret_in(arg).is_some() {
                MASK.clone_into(arg);
            }
        }
        let (given, line) = (call.args.join(" "), args.join(" "));
        let pairs = call.args.iter().cloned().zip(args.iter().cloned());
        // What is shorter is part of too many words, and no secret.
        let pairs = pairs.filter(|(given, shown)| given != shown && given.len() > 3);
        let covered = [(given.clone(), line.clone())].into_iter().chain(pairs);
        Self {
            real: real_secret::in_text(stage, &given).or_else(|| password(stage, call.args)),
            covered: covered.collect(),
            line,
            args,
        }
    }

    fn script(stage: &Stage, call: &Call<'_>) -> Self {
        let text = pwsh::text(call.args);
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let sets = |three: &[String]| match three {
            [name, equals, value] => {
                redact::is_secret_name(name) && equals == "=" && value.starts_with(['\'', '"'])
            }
            _ => false,
        };
        let harmless =
            redact::arguments(&words, Dialect::Any) == words && !words.windows(3).any(sets);
        let line = match stage.secret_in(&text) {
            Some(secret) => format!("*** holds a {secret} ***"),
            None if text.to_ascii_lowercase().contains("convertto-securestring") => {
                "*** holds a password ***".to_owned()
            }
            None => {
                let line = pwsh::line(call.args);
                let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
                pwsh::shortened(&redact::arguments(&words, Dialect::Any).join(" "))
            }
        };
        let is_whole = harmless && !line.starts_with(MASK) && pwsh::is_simulated(call.args);
        Self {
            args: if is_whole {
                call.args.to_vec()
            } else {
                vec![line.clone()]
            },
            real: real_secret::in_text(stage, &text),
            covered: Vec::new(),
            line,
        }
    }

    /// What the command says of its end, without what is covered in its arguments.
    pub fn without_secrets(&self, why: String) -> String {
        let covered = self.covered.iter();
        covered.fold(why, |why, (given, shown)| why.replace(given, shown))
    }
}

/// Tells of a password by which somebody logs in who is not of this world.
fn password(stage: &Stage, args: &[String]) -> Option<&'static str> {
    if !args.iter().any(|arg| arg == "login") {
        return None;
    }
    let attached = |arg: &String| {
        let value = arg.strip_prefix("--password=");
        let value = value.or_else(|| arg.strip_prefix("-p"));
        value.map(|value| value.trim_start_matches('=').to_owned())
    };
    let is_option = |arg: &String| arg == "-p" || arg == "--password";
    let next = args.windows(2).filter_map(|pair| match pair {
        [option, value] if is_option(option) => Some(value.clone()),
        _ => None,
    });
    let mut all = next.chain(args.iter().filter_map(attached));
    all.any(|value| real_secret::is_foreign_password(stage, &value))
        .then_some(real_secret::PASSWORD)
}
