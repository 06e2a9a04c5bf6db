//! The wire of Redis, RESP2 and RESP3: requests as they arrive, replies as they leave.

mod inline;
pub mod read;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub use reply::{Protocol, Reply, shown};
pub use request::{ProtocolError, Requests, number};

/// Feeds arbitrary bytes to both parsers, whole and in two pieces, and panics where they disagree
/// with themselves. The body of the fuzz target `resp`. Returns what the bytes came to, without
/// their contents.
pub fn survives(bytes: &[u8]) -> String {
    let (cut, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let cut = usize::from(*cut).min(bytes.len());
    let (head, tail) = bytes.split_at(cut);
    let mut outcome = String::new();
    for authenticated in [false, true] {
        let whole = request::all(&[bytes], authenticated);
        let pieces = request::all(&[head, tail], authenticated);
        assert_eq!(whole, pieces, "cut at {cut}");
        let (requests, error) = whole;
        outcome += &format!("{} requests, {error:?}; ", requests.len().min(3));
    }
    let mut rest = bytes;
    let end = loop {
        let (reply, used) = match read::reply(rest) {
            Ok(Some(read)) => read,
            Ok(None) => break "more is to come".to_owned(),
            Err(error) => break format!("{error:?}"),
        };
        outcome += reply.kind();
        let mut written = Vec::new();
        reply.write(Protocol::Resp3, &mut written);
        let again = read::reply(&written).ok().flatten();
        assert_eq!(again.as_ref().map(|(_, used)| *used), Some(written.len()));
        let mut rewritten = Vec::new();
        again
            .into_iter()
            .for_each(|(again, _)| again.write(Protocol::Resp3, &mut rewritten));
        assert_eq!(written, rewritten);
        rest = rest.get(used..).unwrap_or_default();
    };
    outcome + &end
}
