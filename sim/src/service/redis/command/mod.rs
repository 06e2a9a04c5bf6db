//! The commands: their names, how many arguments they take, where their keys are, what they do.

mod blocking;
mod client;
mod cluster;
mod connection;
mod counting;
mod hash;
mod info;
mod introspection;
mod key;
mod keyspace;
pub mod list;
mod login;
mod pubsub;
mod server;
mod set;
pub mod shown;
mod string;
mod string_set;
mod transaction;

use std::{collections::BTreeMap, sync::LazyLock};

use bytes::Bytes;

use super::{
    resp::Reply,
    server::{Call, Version},
};

pub use super::server::call::{
    ALL_KEYS, AT_ONCE, Answer, CONTAINER, NO_KEYS, NO_LOGIN, ONE_KEY, SINCE_7_2, SUBSCRIBED, Spec,
    WRITES, spec,
};

/// What a request's name means.
pub enum Lookup {
    /// A command.
    Found(&'static Spec),
    /// Nothing, in these words.
    Unknown(Reply),
    /// QUIT, whatever follows it.
    Quit,
    /// HTTP sent by a browser: the connection is closed without a word.
    Attack,
}

static TABLE: LazyLock<BTreeMap<&'static str, &'static Spec>> = LazyLock::new(|| {
    let groups: [&'static [Spec]; 16] = [
        blocking::COMMANDS,
        client::COMMANDS,
        cluster::COMMANDS,
        connection::COMMANDS,
        counting::COMMANDS,
        hash::COMMANDS,
        introspection::COMMANDS,
        key::COMMANDS,
        keyspace::COMMANDS,
        list::COMMANDS,
        login::COMMANDS,
        pubsub::COMMANDS,
        server::COMMANDS,
        set::COMMANDS,
        string::COMMANDS,
        transaction::COMMANDS,
    ];
    let all = groups.into_iter().flatten();
    all.chain(string_set::COMMANDS)
        .map(|spec| (spec.name, spec))
        .collect()
});

/// What the name of a request means.
pub fn lookup(args: &[Bytes]) -> Lookup {
    let sent = args.first().map(|name| lower(name)).unwrap_or_default();
    match sent.as_str() {
        "quit" => return Lookup::Quit,
        "post" | "host:" => return Lookup::Attack,
        _ => {}
    }
    let Some(found) = TABLE.get(sent.as_str()) else {
        return Lookup::Unknown(unknown(args));
    };
    let Some(second) = args.get(1).filter(|_| found.is(CONTAINER)) else {
        return Lookup::Found(found);
    };
    match TABLE.get(format!("{sent}|{}", lower(second)).as_str()) {
        Some(found) => Lookup::Found(found),
        None if found.name == "command" => Lookup::Unknown(unknown_sub("COMMAND", second)),
        None => Lookup::Unknown(unknown_sub(&sent.to_ascii_uppercase(), second)),
    }
}

/// The full name of a command, or what was sent instead of one.
pub fn full_name(args: &[Bytes]) -> String {
    match lookup(args) {
        Lookup::Found(spec) => spec.name.to_owned(),
        Lookup::Quit => "quit".to_owned(),
        Lookup::Unknown(_) | Lookup::Attack => name_sent(args),
    }
}

/// The error of a request for a subcommand that this version does not have. As for other unknown
/// subcommands it comes before the question who is signed in (RS-47).
pub fn newer_than(version: Version, spec: &Spec, args: &[Bytes]) -> Option<Reply> {
    let container = spec.name.split('|').next().unwrap_or_default();
    let second = args.get(1).filter(|_| !spec.exists_in(version))?;
    Some(unknown_sub(&container.to_ascii_uppercase(), second))
}

/// Whether a container was called without a subcommand.
pub fn is_no_subcommand(spec: &Spec, args: &[Bytes]) -> bool {
    spec.is(CONTAINER) && args.len() < 2
}

fn lower(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

/// What was sent instead of a command's name, so that it may be shown.
pub fn name_sent(args: &[Bytes]) -> String {
    super::resp::shown(args.first().map(Bytes::as_ref).unwrap_or_default())
}

/// In errors, what was sent is cut after so many bytes.
const SHOWN: usize = 128;

fn cut(text: &[u8], length: usize) -> &[u8] {
    // As in C, a NUL ends the text.
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    text.get(..length).unwrap_or(text)
}

fn unknown(args: &[Bytes]) -> Reply {
    let mut shown: Vec<u8> = Vec::new();
    for arg in args.iter().skip(1) {
        if shown.len() >= SHOWN {
            break;
        }
        let room = SHOWN - shown.len();
        shown.push(b'\'');
        shown.extend_from_slice(cut(arg, room));
        shown.extend_from_slice(b"' ");
    }
    let mut line = b"ERR unknown command '".to_vec();
    line.extend_from_slice(cut(
        args.first().map(Bytes::as_ref).unwrap_or_default(),
        SHOWN,
    ));
    line.extend_from_slice(b"', with args beginning with: ");
    line.extend_from_slice(&shown);
    Reply::error(line)
}

fn unknown_sub(container: &str, sent: &[u8]) -> Reply {
    let mut line = b"ERR unknown subcommand '".to_vec();
    line.extend_from_slice(cut(sent, SHOWN));
    line.extend_from_slice(format!("'. Try {container} HELP.").as_bytes());
    Reply::error(line)
}

/// Too many arguments, or too few.
pub fn wrong_arity(name: &str) -> Reply {
    Reply::error(format!(
        "ERR wrong number of arguments for '{name}' command"
    ))
}

/// The key holds something else.
fn wrong_type() -> Reply {
    Reply::wrong_type()
}

fn syntax_error() -> Reply {
    Reply::error("ERR syntax error")
}

fn not_an_integer() -> Reply {
    Reply::error("ERR value is not an integer or out of range")
}

impl Call<'_> {
    /// The argument as a number.
    fn integer(&self, number: usize) -> Result<i64, Reply> {
        super::resp::number(self.arg(number)).ok_or_else(not_an_integer)
    }

    /// Whether the argument is this word, in any case.
    fn is_word(&self, number: usize, word: &str) -> bool {
        self.arg(number).eq_ignore_ascii_case(word.as_bytes())
    }
}

/// A place in a list or string as Redis counts: negative from the end.
fn place(index: i64, length: usize) -> i64 {
    if index < 0 {
        index.saturating_add(i64::try_from(length).unwrap_or(i64::MAX))
    } else {
        index
    }
}

/// The range from `start` to `end`, both included, as far as there are elements.
fn range(start: i64, end: i64, length: usize) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(place(start, length).max(0)).ok()?;
    let end = usize::try_from(place(end, length))
        .ok()?
        .saturating_add(1)
        .min(length);
    (start < end).then_some(start..end)
}

/// A container's entry: its name alone is one argument too few.
const fn container(name: &'static str) -> Spec {
    spec(name, -2, NO_KEYS, CONTAINER, |_| Err(syntax_error()))
}
