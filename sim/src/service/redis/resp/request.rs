//! Requests, read as they arrive in any pieces.

use bytes::{Buf as _, Bytes, BytesMut};

use super::inline;
use crate::limits;

/// The longest line: a length, or an inline command.
const LONGEST_LINE: usize = 64 * 1024;
/// The commands that a client may send before it has logged in (RS-08).
const UNAUTHENTICATED_ARGUMENTS: i64 = 10;
const UNAUTHENTICATED_ARGUMENT: usize = 16_384;

/// What was sent is not RESP, or exceeds a limit: the reply's text after `ERR `, after which the
/// connection closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolError(pub Bytes);

impl ProtocolError {
    fn new(what: &str) -> Self {
        Self(Bytes::from(format!("Protocol error: {what}")))
    }
}

/// Cuts requests out of what a client sends. Memory grows with what has arrived, never with what
/// a client says that it will send.
#[derive(Debug, Default)]
pub struct Requests {
    buffer: BytesMut,
    /// The array being read.
    array: Option<Array>,
}

#[derive(Debug)]
struct Array {
    /// How many arguments are still to come.
    left: i64,
    /// The length of the next argument, once it is known.
    length: Option<usize>,
    arguments: Vec<Bytes>,
}

impl Requests {
    /// These bytes have arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// How much has arrived and was not asked for yet.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next request, if it is there; never an empty one. The limits depend on whether the
    /// client has logged in.
    ///
    /// # Errors
    /// What was sent is not RESP: the connection must be closed.
    pub fn next(&mut self, authenticated: bool) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        loop {
            let request = match (&self.array, self.buffer.first()) {
                (Some(_), _) | (None, Some(b'*')) => self.array(authenticated)?,
                (None, Some(_)) => self.inline()?,
                (None, None) => None,
            };
            match request {
                Some(arguments) if arguments.is_empty() => {}
                other => return Ok(other),
            }
        }
    }

    fn inline(&mut self) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let Some(end) = find(&self.buffer, b'\n') else {
            return self.unless_longer("too big inline request");
        };
        let line = self.buffer.split_to(end + 1);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        inline::words(line)
            .map(Some)
            .ok_or_else(|| ProtocolError::new("unbalanced quotes in request"))
    }

    fn unless_longer<T>(&self, what: &str) -> Result<Option<T>, ProtocolError> {
        if self.buffer.len() > LONGEST_LINE {
            return Err(ProtocolError::new(what));
        }
        Ok(None)
    }

    fn array(&mut self, authenticated: bool) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let mut array = match self.array.take() {
            Some(array) => array,
            None => {
                let Some(line) = self.line("too big mbulk count string")? else {
                    return Ok(None);
                };
                let left = number(line.get(1..).unwrap_or_default())
                    .filter(|left| *left <= i64::from(i32::MAX))
                    .ok_or_else(|| ProtocolError::new("invalid multibulk length"))?;
                if left > UNAUTHENTICATED_ARGUMENTS && !authenticated {
                    return Err(ProtocolError::new("unauthenticated multibulk length"));
                }
                Array {
                    left,
                    length: None,
                    arguments: Vec::new(),
                }
            }
        };
        while array.left > 0 {
            let length = match array.length {
                Some(length) => length,
                None => match self.length(authenticated)? {
                    Some(length) => length,
                    None => {
                        self.array = Some(array);
                        return Ok(None);
                    }
                },
            };
            // What ends an argument is not looked at, as in Redis.
            if self.buffer.len() < length + 2 {
                array.length = Some(length);
                self.array = Some(array);
                return Ok(None);
            }
            array.arguments.push(self.buffer.split_to(length).freeze());
            self.buffer.advance(2);
            array.length = None;
            array.left -= 1;
        }
        Ok(Some(array.arguments))
    }

    /// The length of the next argument.
    fn length(&mut self, authenticated: bool) -> Result<Option<usize>, ProtocolError> {
        let Some(line) = self.line("too big bulk count string")? else {
            return Ok(None);
        };
        let digits = match line.split_first() {
            Some((b'$', digits)) => digits,
            // Of an empty line, Redis names the byte that ended it.
            other => {
                let got = other.map_or(b'\r', |(first, _)| *first);
                let mut what = b"Protocol error: expected '$', got '".to_vec();
                // No line end may get into an error.
                what.push(if matches!(got, b'\r' | b'\n') {
                    b' '
                } else {
                    got
                });
                what.push(b'\'');
                return Err(ProtocolError(what.into()));
            }
        };
        let length = number(digits)
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| *length <= limits::REDIS_VALUE)
            .ok_or_else(|| ProtocolError::new("invalid bulk length"))?;
        if length > UNAUTHENTICATED_ARGUMENT && !authenticated {
            return Err(ProtocolError::new("unauthenticated bulk length"));
        }
        Ok(Some(length))
    }

    /// The line at the beginning of the buffer, without its end, if it is there. It ends with the
    /// first `\r`, whatever one byte follows it.
    fn line(&mut self, too_long: &str) -> Result<Option<Bytes>, ProtocolError> {
        let Some(end) = find(&self.buffer, b'\r') else {
            return self.unless_longer(too_long);
        };
        if self.buffer.len() < end + 2 {
            return Ok(None);
        }
        let line = self.buffer.split_to(end).freeze();
        self.buffer.advance(2);
        Ok(Some(line))
    }
}

/// Where `wanted` is; a NUL before it hides it, as in C.
fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let place = bytes
        .iter()
        .position(|byte| *byte == wanted || *byte == 0)?;
    (bytes.get(place) == Some(&wanted)).then_some(place)
}

/// A number as Redis reads it: no plus sign, no leading zero, no space.
pub fn number(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = match digits {
        [] => false,
        [b'0'] => digits.len() == text.len(),
        [b'0', ..] => false,
        digits => digits.iter().all(u8::is_ascii_digit),
    };
    if !plain {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What a connection sends in these pieces: its requests, and the error that ended it.
pub fn all(pieces: &[&[u8]], authenticated: bool) -> (Vec<Vec<Bytes>>, Option<ProtocolError>) {
    let (mut requests, mut found) = (Requests::default(), Vec::new());
    for piece in pieces {
        requests.feed(piece);
        loop {
            match requests.next(authenticated) {
                Ok(Some(request)) => found.push(request),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}
