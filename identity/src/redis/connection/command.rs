//! The commands that affect transactions.

use redis::{Arg, Cmd, Pipeline};

/// The effect of a command on transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Multi,
    Exec,
    Discard,
    Watch,
    Unwatch,
    /// Drops transaction, watches, subscriptions and authentication (RS-11).
    Reset,
    Other,
}

impl Verb {
    /// Returns the effect of a command. Names of commands are case-insensitive (RS-01).
    pub fn of(cmd: &Cmd) -> Self {
        let Some(name) = name(cmd) else {
            return Self::Other;
        };
        // The length alone decides for nearly every command.
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        match name.len() {
            4 if is("EXEC") => Self::Exec,
            5 if is("MULTI") => Self::Multi,
            5 if is("WATCH") => Self::Watch,
            5 if is("RESET") => Self::Reset,
            7 if is("DISCARD") => Self::Discard,
            7 if is("UNWATCH") => Self::Unwatch,
            _ => Self::Other,
        }
    }

    /// Returns the effect of each command of a pipeline.
    pub fn of_pipeline(pipeline: &Pipeline) -> Vec<Self> {
        pipeline.cmd_iter().map(Self::of).collect()
    }
}

/// Returns the first argument of a command, which is its name.
pub(super) fn name(cmd: &Cmd) -> Option<&[u8]> {
    match cmd.args_iter().next()? {
        Arg::Simple(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use redis::cmd;

    use super::Verb;

    #[test]
    fn verbs_are_known_in_any_case() {
        for (name, verb) in [
            ("MULTI", Verb::Multi),
            ("multi", Verb::Multi),
            ("eXeC", Verb::Exec),
            ("discard", Verb::Discard),
            ("Watch", Verb::Watch),
            ("unwatch", Verb::Unwatch),
            ("reset", Verb::Reset),
            ("GET", Verb::Other),
            ("EXECUTE", Verb::Other),
            ("PING", Verb::Other),
            ("HELLO", Verb::Other),
            ("PUBLISH", Verb::Other),
            ("", Verb::Other),
        ] {
            assert_eq!(Verb::of(&cmd(name)), verb, "{name}");
        }
        let mut pipeline = redis::pipe();
        pipeline.cmd("MULTI").cmd("GET").arg("exec").cmd("exec");
        let verbs = [Verb::Multi, Verb::Other, Verb::Exec];
        assert_eq!(Verb::of_pipeline(&pipeline), verbs);
    }
}
