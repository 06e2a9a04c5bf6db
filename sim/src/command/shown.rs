//! A call of a command as it may be shown: its arguments can hold secrets.

use super::Call;
use crate::{
    backend::Backend,
    http::real_secret,
    redact::{self, Dialect, MASK},
};

/// A call without its secrets.
pub struct Shown {
    /// The arguments in one line, for the trace.
    pub line: String,
    /// The arguments, secrets replaced, and an encoded script by its text; of a script that is not
    /// simulated, the line.
    pub args: Vec<String>,
    /// What the arguments hold that looks like a secret of the real world, in words.
    pub real: Option<&'static str>,
    /// What is replaced in the arguments, and by what.
    pub covered: Vec<(String, String)>,
}

impl Shown {
    /// A call of a command with options.
    pub fn of_options(backend: &Backend, call: &Call<'_>) -> Self {
        let mut args = redact::arguments(call.args, Dialect::Az);
        for arg in &mut args {
            if backend.secret_in(arg).is_some() {
                MASK.clone_into(arg);
            }
        }
        let (given, line) = (call.args.join(" "), args.join(" "));
        let pairs = call.args.iter().cloned().zip(args.iter().cloned());
        // A shorter text is part of too many words, and no secret.
        let pairs = pairs.filter(|(given, shown)| given != shown && given.len() > 3);
        let covered = [(given.clone(), line.clone())].into_iter().chain(pairs);
        Self {
            real: real_secret::in_text(backend, &given).or_else(|| password(backend, call.args)),
            covered: covered.collect(),
            line,
            args,
        }
    }

    /// Why the command ended, without what is replaced in its arguments.
    pub fn without_secrets(&self, why: String) -> String {
        let covered = self.covered.iter();
        covered.fold(why, |why, (given, shown)| why.replace(given, shown))
    }
}

/// Names a password of a login if it is none of this world.
fn password(backend: &Backend, args: &[String]) -> Option<&'static str> {
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
    all.any(|value| real_secret::is_foreign_password(backend, &value))
        .then_some(real_secret::PASSWORD)
}
