//! Replies, read back: for clients of the simulated server.

use bytes::Bytes;

use super::{Reply, request::number};

/// No reply nests deeper.
const DEEPEST: usize = 32;

/// What a server sent is not RESP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotResp;

/// What is there, and how many bytes it takes; nothing while more must arrive.
type Found<T> = Result<Option<(T, usize)>, NotResp>;

/// The reply at the beginning of `bytes`, if all of it is there, and its length.
///
/// # Errors
/// It is not RESP, or it nests deeper than 32 levels.
pub fn reply(bytes: &[u8]) -> Found<Reply> {
    let mut reader = Reader { bytes, at: 0 };
    Ok(reader.reply(DEEPEST)?.map(|reply| (reply, reader.at)))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn line(&mut self) -> Result<Option<&'a [u8]>, NotResp> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b'\r') else {
            return if rest.contains(&b'\n') {
                Err(NotResp)
            } else {
                Ok(None)
            };
        };
        let (line, tail) = rest.split_at(end);
        if line.contains(&b'\n') {
            return Err(NotResp);
        }
        match tail {
            [_, b'\n', ..] => {
                self.at += end + 2;
                Ok(Some(line))
            }
            [_] => Ok(None),
            _ => Err(NotResp),
        }
    }

    /// The text whose length stands in `digits`.
    fn text(&mut self, digits: &[u8]) -> Result<Option<Bytes>, NotResp> {
        let length = length(digits)?;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some((text, tail)) = rest.split_at_checked(length) else {
            return Ok(None);
        };
        match tail {
            [b'\r', b'\n', ..] => {
                self.at += length + 2;
                Ok(Some(Bytes::copy_from_slice(text)))
            }
            [] | [b'\r'] => Ok(None),
            _ => Err(NotResp),
        }
    }

    fn items(&mut self, count: usize, deeper: usize) -> Result<Option<Vec<Reply>>, NotResp> {
        let mut items = Vec::new();
        for _ in 0..count {
            let Some(item) = self.reply(deeper)? else {
                return Ok(None);
            };
            items.push(item);
        }
        Ok(Some(items))
    }

    fn pairs(&mut self, count: usize, deeper: usize) -> Result<Option<Reply>, NotResp> {
        let mut pairs = Vec::new();
        for _ in 0..count {
            let Some(key) = self.reply(deeper)? else {
                return Ok(None);
            };
            let Some(value) = self.reply(deeper)? else {
                return Ok(None);
            };
            pairs.push((key, value));
        }
        Ok(Some(Reply::Map(pairs)))
    }

    fn reply(&mut self, deepest: usize) -> Result<Option<Reply>, NotResp> {
        let deeper = deepest.checked_sub(1).ok_or(NotResp)?;
        let Some(line) = self.line()? else {
            return match self.bytes.get(self.at) {
                Some(kind) if !b"+-:$*_#,=%~>!".contains(kind) => Err(NotResp),
                _ => Ok(None),
            };
        };
        let (kind, rest) = line.split_first().ok_or(NotResp)?;
        let text = || std::str::from_utf8(rest).map_err(|_| NotResp);
        let reply = match (kind, rest) {
            (b'+', _) => Some(Reply::Simple(text()?.to_owned().into())),
            (b'-', _) => Some(Reply::Error(Bytes::copy_from_slice(rest))),
            (b':', _) => Some(Reply::Int(number(rest).ok_or(NotResp)?)),
            (b'$', b"-1") | (b'_', b"") => Some(Reply::Null),
            (b'*', b"-1") => Some(Reply::NullArray),
            (b'$', _) => self.text(rest)?.map(Reply::Bulk),
            (b'!', _) => self.text(rest)?.map(Reply::error),
            (b'=', _) => match self.text(rest)? {
                Some(text) if text.starts_with(b"txt:") => Some(Reply::Verbatim(text.slice(4..))),
                Some(_) => return Err(NotResp),
                None => None,
            },
            (b'#', b"t") => Some(Reply::Bool(true)),
            (b'#', b"f") => Some(Reply::Bool(false)),
            (b',', _) => {
                let number: f64 = text()?.parse().map_err(|_| NotResp)?;
                // Not equal to itself, and never sent.
                Some(Reply::Double(if number.is_nan() {
                    return Err(NotResp);
                } else {
                    number
                }))
            }
            (b'*', _) => self.items(length(rest)?, deeper)?.map(Reply::Array),
            (b'~', _) => self.items(length(rest)?, deeper)?.map(Reply::Set),
            (b'>', _) => self.items(length(rest)?, deeper)?.map(Reply::Push),
            (b'%', _) => self.pairs(length(rest)?, deeper)?,
            _ => return Err(NotResp),
        };
        Ok(reply)
    }
}

fn length(digits: &[u8]) -> Result<usize, NotResp> {
    let length = number(digits).ok_or(NotResp)?;
    usize::try_from(length).map_err(|_| NotResp)
}
