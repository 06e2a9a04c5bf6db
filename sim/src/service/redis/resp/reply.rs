//! Replies, and how each protocol writes them.

use std::{borrow::Cow, fmt::Write as _};

use bytes::Bytes;

use crate::redact::masked;
use crate::wording::counted;

/// The protocol that a connection speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// What every connection begins with.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// A reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A line.
    Simple(Cow<'static, str>),
    /// An error's line, beginning with its code.
    Error(Bytes),
    /// A number.
    Int(i64),
    /// A string.
    Bulk(Bytes),
    /// No string.
    Null,
    /// No array.
    NullArray,
    /// An array.
    Array(Vec<Reply>),
    /// Pairs; in RESP2 an array of twice the length.
    Map(Vec<(Reply, Reply)>),
    /// A set; in RESP2 an array.
    Set(Vec<Reply>),
    /// Out of band; in RESP2 an array.
    Push(Vec<Reply>),
    /// A fraction; in RESP2 a string.
    Double(f64),
    /// A truth; in RESP2 0 or 1.
    Bool(bool),
    /// Text for people; in RESP2 a string.
    Verbatim(Bytes),
    /// One after another, not in an array.
    Several(Vec<Reply>),
    /// No bytes at all.
    Nothing,
}

impl Reply {
    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Simple(_) => "line ",
            Self::Error(_) => "error ",
            Self::Int(_) => "number ",
            Self::Bulk(_) => "string ",
            Self::Null => "null ",
            Self::NullArray => "no array ",
            Self::Array(_) => "array ",
            Self::Map(_) => "map ",
            Self::Set(_) => "set ",
            Self::Push(_) => "push ",
            Self::Double(_) => "fraction ",
            Self::Bool(_) => "truth ",
            Self::Verbatim(_) => "text ",
            Self::Several(_) => "several ",
            Self::Nothing => "nothing ",
        }
    }

    /// `+OK`.
    pub const OK: Self = Self::Simple(Cow::Borrowed("OK"));

    /// A line.
    pub const fn simple(line: &'static str) -> Self {
        Self::Simple(Cow::Borrowed(line))
    }

    /// The error of a command whose key holds another kind of value.
    pub fn wrong_type() -> Self {
        Self::error("WRONGTYPE Operation against a key holding the wrong kind of value")
    }

    /// An error's line with its code. It never breaks into two.
    pub fn error(line: impl Into<Vec<u8>>) -> Self {
        let line: Vec<u8> = line.into();
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let end = line.iter().rposition(|byte| !is_end(byte));
        let mut line: Vec<u8> = line
            .into_iter()
            .take(end.map_or(0, |end| end + 1))
            .collect();
        line.iter_mut()
            .filter(|byte| is_end(byte))
            .for_each(|byte| *byte = b' ');
        Self::Error(line.into())
    }

    /// A string.
    pub fn bulk(text: impl Into<Bytes>) -> Self {
        Self::Bulk(text.into())
    }

    /// A string of fixed text.
    pub const fn text(text: &'static str) -> Self {
        Self::Bulk(Bytes::from_static(text.as_bytes()))
    }

    /// A string, or none.
    pub fn maybe(text: Option<Bytes>) -> Self {
        text.map_or(Self::Null, Self::Bulk)
    }

    /// A count.
    pub fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// 1 or 0.
    pub fn flag(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// Appends it to `out` as `protocol` writes it.
    pub fn write(&self, protocol: Protocol, out: &mut Vec<u8>) {
        let resp3 = protocol == Protocol::Resp3;
        match self {
            Self::Simple(line) => write_line(b'+', line.as_bytes(), out),
            Self::Error(line) => write_line(b'-', line, out),
            Self::Int(number) => write_line(b':', number.to_string().as_bytes(), out),
            Self::Bulk(text) => write_text(b'$', text, out),
            Self::Null if resp3 => out.extend_from_slice(b"_\r\n"),
            Self::Null => out.extend_from_slice(b"$-1\r\n"),
            Self::NullArray if resp3 => out.extend_from_slice(b"_\r\n"),
            Self::NullArray => out.extend_from_slice(b"*-1\r\n"),
            Self::Array(items) => write_all(b'*', items, protocol, out),
            Self::Set(items) if resp3 => write_all(b'~', items, protocol, out),
            Self::Push(items) if resp3 => write_all(b'>', items, protocol, out),
            Self::Set(items) | Self::Push(items) => write_all(b'*', items, protocol, out),
            Self::Map(pairs) => {
                let (kind, times) = if resp3 { (b'%', 1) } else { (b'*', 2) };
                write_line(kind, (pairs.len() * times).to_string().as_bytes(), out);
                for (key, value) in pairs {
                    key.write(protocol, out);
                    value.write(protocol, out);
                }
            }
            Self::Double(number) if resp3 => write_line(b',', double(*number).as_bytes(), out),
            Self::Double(number) => write_text(b'$', double(*number).as_bytes(), out),
            Self::Bool(truth) if resp3 => {
                out.extend_from_slice(if *truth { b"#t\r\n" } else { b"#f\r\n" });
            }
            Self::Bool(truth) => write_line(b':', if *truth { b"1" } else { b"0" }, out),
            Self::Verbatim(text) if resp3 => {
                write_text(b'=', &[b"txt:", text.as_ref()].concat(), out);
            }
            Self::Verbatim(text) => write_text(b'$', text, out),
            Self::Several(replies) => replies.iter().for_each(|reply| reply.write(protocol, out)),
            Self::Nothing => {}
        }
    }

    /// In a few words, for the trace: `OK`, `nil`, `[OK, 2]`; strings up to 40 characters, without
    /// what looks like a secret.
    pub fn short(&self) -> String {
        match self {
            Self::Simple(line) => line.clone().into_owned(),
            Self::Error(line) => masked(&String::from_utf8_lossy(line)).into_owned(),
            Self::Int(number) => number.to_string(),
            Self::Bulk(text) => shown(text),
            Self::Null | Self::NullArray => "nil".to_owned(),
            Self::Array(items) | Self::Set(items) | Self::Push(items) => {
                format!("[{}]", listed(items.iter().map(Self::short)))
            }
            Self::Map(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(key, value)| format!("{}: {}", key.short(), value.short()));
                format!("{{{}}}", listed(pairs))
            }
            Self::Double(number) => double(*number),
            Self::Bool(truth) => truth.to_string(),
            Self::Verbatim(text) => format!("({} of text)", counted(text.len(), "byte")),
            Self::Several(replies) => listed(replies.iter().map(Self::short)),
            Self::Nothing => "(nothing)".to_owned(),
        }
    }
}

/// The first of them, with commas.
fn listed(texts: impl ExactSizeIterator<Item = String>) -> String {
    const MOST: usize = 12;
    let more = texts.len().saturating_sub(MOST);
    let mut texts: Vec<String> = texts.take(MOST).collect();
    if more > 0 {
        texts.push(format!("{more} more"));
    }
    texts.join(", ")
}

/// A value as people can read it, up to 40 characters; without what looks like a secret.
pub fn shown(text: &[u8]) -> String {
    const LONGEST: usize = 40;
    const LOOKED_AT: usize = 4096;
    // More than is shown is looked at: the beginning of a token alone may not look like one.
    let text = String::from_utf8_lossy(text.get(..LOOKED_AT).unwrap_or(text));
    let text = masked(&text);
    let mut shown = String::new();
    for (place, c) in text.chars().enumerate() {
        if place == LONGEST {
            shown.push_str("...");
            break;
        }
        if c.is_control() {
            let _ = write!(shown, "\\x{:02x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

fn write_line(kind: u8, line: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(line);
    out.extend_from_slice(b"\r\n");
}

fn write_text(kind: u8, text: &[u8], out: &mut Vec<u8>) {
    write_line(kind, text.len().to_string().as_bytes(), out);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn write_all(kind: u8, items: &[Reply], protocol: Protocol, out: &mut Vec<u8>) {
    write_line(kind, items.len().to_string().as_bytes(), out);
    for item in items {
        item.write(protocol, out);
    }
}

fn double(number: f64) -> String {
    if number.is_nan() {
        "nan".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else {
        number.to_string()
    }
}
