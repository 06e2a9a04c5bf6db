//! Where a chunked body ends: what follows it on the connection is the next request.

/// The most bytes that extensions and trailers of one body may have, which no client sends.
const LONGEST_REST: usize = 16 << 10;

/// The most digits of the size of a chunk: 64 bits.
const MOST_DIGITS: usize = 16;

/// Reads a chunked body piece by piece, as strictly as the services do, so that both see the same
/// end.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    state: State,
    /// The size of the chunk whose head is being read, and then what is left of it.
    size: u64,
    digits: usize,
    /// How many bytes of extensions and trailers there were.
    rest: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the beginning of a line of the trailer.
    Trailer,
    TrailerLine,
    TrailerLf,
    LastLf,
    Done,
}

impl Chunks {
    /// Whether the body is over.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How many of `bytes` belong to the body: all of them, unless it ends in them.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, &'static str> {
        let mut taken = 0;
        while let (Some(byte), false) = (bytes.get(taken), self.is_done()) {
            if self.state == State::Data {
                let left = usize::try_from(self.size).unwrap_or(usize::MAX);
                let length = left.min(bytes.len() - taken);
                taken += length;
                self.size -= length as u64;
                if self.size == 0 {
                    self.state = State::DataCr;
                }
                continue;
            }
            self.state = self.after(*byte)?;
            taken += 1;
        }
        Ok(taken)
    }

    fn after(&mut self, byte: u8) -> Result<State, &'static str> {
        let wrong = Err("its chunks are malformed");
        Ok(match (self.state, byte) {
            (State::Size, b'\r') if self.digits > 0 => State::SizeLf,
            (State::Size, b';') if self.digits > 0 => State::Extension,
            (State::Size, digit) => {
                let Some(value) = char::from(digit).to_digit(16) else {
                    return wrong;
                };
                if self.digits == MOST_DIGITS {
                    return wrong;
                }
                self.digits += 1;
                self.size = (self.size << 4) | u64::from(value);
                State::Size
            }
            (State::Extension, b'\r') => State::SizeLf,
            (State::Extension | State::Trailer | State::TrailerLine, b'\n') => return wrong,
            (State::Extension, _) => self.more(State::Extension)?,
            (State::SizeLf, b'\n') => {
                self.digits = 0;
                if self.size == 0 {
                    State::Trailer
                } else {
                    State::Data
                }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::Trailer, b'\r') => State::LastLf,
            (State::TrailerLine, b'\r') => State::TrailerLf,
            (State::Trailer | State::TrailerLine, _) => self.more(State::TrailerLine)?,
            (State::TrailerLf, b'\n') => State::Trailer,
            (State::LastLf, b'\n') => State::Done,
            (
                State::SizeLf | State::DataCr | State::DataLf | State::TrailerLf | State::LastLf,
                _,
            )
            | (State::Data | State::Done, _) => return wrong,
        })
    }

    fn more(&mut self, state: State) -> Result<State, &'static str> {
        self.rest += 1;
        if self.rest > LONGEST_REST {
            return Err("its extensions or trailers are too long");
        }
        Ok(state)
    }
}

/// Feeds arbitrary bytes to the reader, whole, in two pieces and one by one, and panics where it
/// disagrees with itself, or about the end of a body with the parser of the services. The body of
/// the fuzz target `chunked`. Returns what the bytes came to, without their contents.
pub fn survives(bytes: &[u8]) -> String {
    let (cut, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let cut = usize::from(*cut).min(bytes.len());
    let (head, tail) = bytes.split_at(cut);
    let whole = taken(std::iter::once(bytes));
    assert_eq!(whole, taken([head, tail].into_iter()), "cut at {cut}");
    assert_eq!(whole, taken(bytes.chunks(1)), "byte by byte");
    let (end, state) = match whole {
        Ok(it) => it,
        Err(why) => return why.to_owned(),
    };
    if state != State::Done {
        assert_eq!(end, bytes.len(), "all belongs to a body that is not over");
        return format!("{state:?}");
    }
    let mut rest = bytes;
    let mut chunks = 0;
    while let Ok(httparse::Status::Complete((length, size))) = httparse::parse_chunk_size(rest) {
        rest = rest.get(length..).unwrap_or_default();
        if size == 0 {
            let trailer = bytes.get(bytes.len() - rest.len()..end);
            let is_ended = trailer.is_some_and(|it| it == b"\r\n" || it.ends_with(b"\r\n\r\n"));
            assert!(is_ended, "the trailer ends with an empty line");
            return format!(
                "{} chunks, {}",
                chunks.min(3),
                trailer.is_some_and(|it| it.len() > 2)
            );
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        rest = rest.get(size.saturating_add(2)..).unwrap_or_default();
        chunks += 1;
    }
    "over, where the services see no chunks".to_owned()
}

/// How many bytes belong to the body that comes in these pieces, and where in it they end.
fn taken<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<(usize, State), &'static str> {
    let mut chunks = Chunks::default();
    let mut all = 0;
    for piece in pieces {
        all += chunks.take(piece)?;
    }
    Ok((all, chunks.state))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODIES: [&str; 4] = [
        "0\r\n\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        "A;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
        "0000000000000001\r\nx\r\n000\r\n\r\n",
    ];

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        for body in BODIES {
            let all = format!("{body}GET / HTTP/1.1\r\n");
            let mut chunks = Chunks::default();
            assert_eq!(chunks.take(all.as_bytes()), Ok(body.len()), "{body:?}");
            assert!(chunks.is_done());
            let mut chunks = Chunks::default();
            let mut length = 0;
            for byte in all.as_bytes() {
                length += chunks.take(&[*byte]).expect("valid chunks");
            }
            assert_eq!(length, body.len(), "{body:?}");
        }
    }

    #[test]
    fn what_is_malformed_has_no_end() {
        for body in [
            "\r\n",
            ";x\r\n",
            "x\r\n",
            "-1\r\n",
            "0x1\r\n",
            "1\nx",
            "1\r\nxy\r\n",
            "0;a\nb\r\n\r\n",
            "0\r\nTrailer: x\n\r\n",
            "00000000000000001\r\n",
        ] {
            assert!(Chunks::default().take(body.as_bytes()).is_err(), "{body:?}");
        }
        let long = format!("0;{}", "x".repeat(LONGEST_REST + 1));
        assert!(Chunks::default().take(long.as_bytes()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>) {
            survives(&bytes);
        }
    }
}
