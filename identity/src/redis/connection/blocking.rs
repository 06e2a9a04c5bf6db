//! Blocking commands, and how to shorten their timeout.
//!
//! The server reads no command behind a blocking one until that ends (RS-15), so a blocking command
//! that outlasts the token would keep `AUTH` out. It is sent in slices instead. A slice that times
//! out has taken nothing from the server, so the next one continues it.
//!
//! Not sliced, because messages between two slices would be lost or the answer would have another
//! meaning: `XREAD` with `$` or `+`, `WAIT`, `WAITAOF`, and commands in a pipeline.

use std::time::Duration;

use redis::{Arg, Cmd};

use super::command::name;

/// The timeout of a blocking command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Blocking {
    /// The index of the argument that holds the timeout.
    argument: usize,
    unit: Unit,
    /// How long it blocks; `None` is without limit.
    pub timeout: Option<Duration>,
    /// Whether it may be sent in slices.
    pub sliceable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Seconds,
    Milliseconds,
}

impl Blocking {
    /// Returns `None` for a command that does not block, or whose timeout cannot be parsed: the
    /// server refuses that.
    pub fn of(cmd: &Cmd) -> Option<Self> {
        let name = name(cmd)?;
        if !(4..=10).contains(&name.len()) {
            return None;
        }
        let is = |names: &[&str]| {
            let equal = |wanted: &&str| name.eq_ignore_ascii_case(wanted.as_bytes());
            names.iter().any(equal)
        };
        let count = cmd.args_iter().len();
        let (argument, unit, sliceable) = if is(&[
            "BLPOP",
            "BRPOP",
            "BZPOPMIN",
            "BZPOPMAX",
            "BRPOPLPUSH",
            "BLMOVE",
        ]) {
            (count.checked_sub(1)?, Unit::Seconds, true)
        } else if is(&["BLMPOP", "BZMPOP"]) {
            (1, Unit::Seconds, true)
        } else if is(&["XREAD", "XREADGROUP"]) {
            let (argument, sliceable) = of_streams(cmd)?;
            (argument, Unit::Milliseconds, sliceable)
        } else if is(&["WAIT"]) {
            (2, Unit::Milliseconds, false)
        } else if is(&["WAITAOF"]) {
            (3, Unit::Milliseconds, false)
        } else {
            return None;
        };
        let time: f64 = text(cmd, argument)?.parse().ok()?;
        let seconds = match unit {
            Unit::Seconds => time,
            Unit::Milliseconds => time / 1000.0,
        };
        let timeout = match seconds {
            0.0 => None,
            seconds => Some(Duration::try_from_secs_f64(seconds).ok()?),
        };
        Some(Self {
            argument,
            unit,
            timeout,
            sliceable,
        })
    }

    /// Returns `cmd` with `timeout` in place of its own, in whole milliseconds. It is never 0,
    /// which would be no limit.
    pub fn shortened(&self, cmd: &Cmd, timeout: Duration) -> Cmd {
        let milliseconds = timeout.as_millis().max(1);
        let time = match self.unit {
            Unit::Seconds => format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000),
            Unit::Milliseconds => milliseconds.to_string(),
        };
        let mut short = Cmd::new();
        for (index, arg) in cmd.args_iter().enumerate() {
            match arg {
                _ if index == self.argument => short.arg(&time),
                Arg::Simple(bytes) => short.arg(bytes),
                Arg::Cursor => short.arg(0),
                _ => &mut short,
            };
        }
        short
    }
}

fn text(cmd: &Cmd, argument: usize) -> Option<&str> {
    match cmd.args_iter().nth(argument)? {
        Arg::Simple(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// Returns the index of the timeout of `XREAD`, and whether every stream is read from an explicit
/// id.
fn of_streams(cmd: &Cmd) -> Option<(usize, bool)> {
    let mut argument = None;
    let mut args = cmd.args_iter().enumerate().skip(1);
    while let Some((index, Arg::Simple(option))) = args.next() {
        if option.eq_ignore_ascii_case(b"BLOCK") {
            argument = Some(index + 1);
            args.next();
        } else if option.eq_ignore_ascii_case(b"STREAMS") {
            break;
        } else if option.eq_ignore_ascii_case(b"GROUP") {
            // Its two names might read like options.
            args.nth(1);
        } else if option.eq_ignore_ascii_case(b"COUNT") {
            args.next();
        }
    }
    let rest: Vec<_> = args.collect();
    let ids = rest.get(rest.len() / 2..).unwrap_or_default();
    let relative = |arg: &Arg<&[u8]>| matches!(arg, Arg::Simple(b"$" | b"+"));
    let sliceable = !ids.iter().any(|(_, arg)| relative(arg));
    Some((argument?, sliceable))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use redis::{Cmd, cmd};

    use super::Blocking;

    fn words(text: &str) -> Cmd {
        let mut words = text.split(' ');
        let mut command = cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command
    }

    #[test]
    fn every_blocking_command_is_shortened_where_its_time_stands() {
        for (long, short) in [
            ("BLPOP a b 0", "BLPOP a b 1.500"),
            ("brpop a 10", "brpop a 1.500"),
            ("BZPOPMIN a 10.5", "BZPOPMIN a 1.500"),
            ("BZPOPMAX a 3", "BZPOPMAX a 1.500"),
            ("BRPOPLPUSH a b 3", "BRPOPLPUSH a b 1.500"),
            ("BLMOVE a b LEFT RIGHT 3", "BLMOVE a b LEFT RIGHT 1.500"),
            ("BLMPOP 3 1 a LEFT", "BLMPOP 1.500 1 a LEFT"),
            ("BZMPOP 3 1 a MIN", "BZMPOP 1.500 1 a MIN"),
            (
                "XREAD COUNT 2 BLOCK 9000 STREAMS s t 0-0 5-1",
                "XREAD COUNT 2 BLOCK 1500 STREAMS s t 0-0 5-1",
            ),
            (
                "XREAD BLOCK 9000 STREAMS $ + 0-0 0-1",
                "XREAD BLOCK 1500 STREAMS $ + 0-0 0-1",
            ),
            (
                "xreadgroup group block streams block 0 streams s >",
                "xreadgroup group block streams block 1500 streams s >",
            ),
        ] {
            let long = words(long);
            let blocking = Blocking::of(&long).unwrap();
            assert!(blocking.sliceable, "{short}");
            let shortened = blocking.shortened(&long, Duration::from_millis(1500));
            let expected = words(short).get_packed_command();
            assert_eq!(shortened.get_packed_command(), expected, "{short}");
        }
        let command = words("BLPOP a 0");
        let blocking = Blocking::of(&command).unwrap();
        assert_eq!(blocking.timeout, None);
        let never_for_ever = blocking.shortened(&command, Duration::from_micros(3));
        assert_eq!(
            never_for_ever.get_packed_command(),
            words("BLPOP a 0.001").get_packed_command()
        );
    }

    #[test]
    fn what_would_lose_something_is_not_sliced() {
        for text in [
            "XREAD BLOCK 0 STREAMS s $",
            "XREAD BLOCK 0 STREAMS s t 0-0 $",
            "XREAD BLOCK 10 STREAMS s +",
            "WAIT 1 0",
            "WAITAOF 1 1 0",
        ] {
            assert!(!Blocking::of(&words(text)).unwrap().sliceable, "{text}");
        }
        let timeout = |text: &str| Blocking::of(&words(text)).unwrap().timeout;
        assert_eq!(timeout("WAIT 1 250"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("BLPOP a 2.5"), Some(Duration::from_millis(2500)));
    }

    #[test]
    fn other_commands_do_not_block() {
        for text in [
            "GET BLPOP",
            "LPOP a 3",
            "XREAD STREAMS s 0",
            "XREAD COUNT BLOCK STREAMS BLOCK 5",
            "BLPOP a never",
            "BLPOP a -1",
            "BLPOP",
            "BLMPOP",
        ] {
            assert_eq!(Blocking::of(&words(text)), None, "{text}");
        }
    }
}
