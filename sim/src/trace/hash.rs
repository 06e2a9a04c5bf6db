//! The canonical form of a trace, and its digest.

use std::io::{self, Write};

use ring::digest::{Context, SHA256};

use super::{Event, Fingerprint, Trace};

impl Trace {
    /// The hash over the canonical bytes: the JSON line of every event. Same scenario, engine and
    /// seed: same hash, in another process, on another day.
    pub fn hash(&self) -> Fingerprint {
        let mut digest = Digest::new();
        for event in &self.events {
            event.write_json(&mut digest);
            digest.push(b"\n");
        }
        Fingerprint::finish(digest.finish())
    }
}

/// Bytes that are collected before they are hashed: JSON is written a few at a time, and a step of
/// the hash for each of these takes longer than all the rest.
struct Digest {
    context: Context,
    bytes: Box<[u8; Self::SIZE]>,
    /// How many of them are still to be hashed.
    filled: usize,
}

impl Digest {
    const SIZE: usize = 8192;

    fn new() -> Self {
        Self {
            context: Context::new(&SHA256),
            bytes: Box::new([0; Self::SIZE]),
            filled: 0,
        }
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        match self.bytes.get_mut(self.filled..end) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.filled = end;
            }
            None => self.push_beyond(bytes),
        }
    }

    #[cold]
    fn push_beyond(&mut self, bytes: &[u8]) {
        self.context.update(&self.bytes[..self.filled]);
        self.filled = 0;
        if bytes.len() < Self::SIZE {
            self.push(bytes);
        } else {
            self.context.update(bytes);
        }
    }

    fn finish(mut self) -> Context {
        self.context.update(&self.bytes[..self.filled]);
        self.context
    }
}

impl Write for Digest {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.push(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Event {
    /// The event as one line of JSON, without a line end.
    pub fn json(&self) -> String {
        let mut line = Vec::new();
        self.write_json(&mut line);
        String::from_utf8(line).unwrap_or_default()
    }

    fn write_json(&self, into: impl Write) {
        // Every field is a string, a number or a list of such: this cannot fail.
        let _ = serde_json::to_writer(into, self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_hashes_all_bytes_however_they_come() {
        let all: Vec<u8> = (0..5 * Digest::SIZE).map(|byte| byte as u8).collect();
        let mut whole = Context::new(&SHA256);
        whole.update(&all);
        let whole = Fingerprint::finish(whole);
        for length in [
            1,
            7,
            Digest::SIZE - 1,
            Digest::SIZE,
            Digest::SIZE + 1,
            all.len(),
        ] {
            let mut digest = Digest::new();
            all.chunks(length).for_each(|bytes| digest.push(bytes));
            assert_eq!(Fingerprint::finish(digest.finish()), whole, "{length}");
        }
    }
}
