//! Requests in the clear, one after the other on a connection to the proxy, each for the host that
//! it names.

use std::{io, pin::pin};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    chunked::Chunks,
    head::{self, BodyLength, Head, Place, Target},
};
use crate::engine::Stream;

/// How a row of requests for the same host ended.
pub(super) enum Ended {
    /// The server has ended the connection, or the client has no more to ask.
    Over,
    /// With a request for another host.
    Next(Head),
    /// With what is no request.
    Malformed(io::Error),
}

/// Passes on `first`, a request for `to`, and those for the same host that follow it, and their
/// answers. `rest` holds what was read of the client after the head. `noticed` is called before
/// each request that follows.
///
/// # Errors
/// A connection broke. Then the client's is to be reset.
pub(super) async fn forward(
    client: &mut TcpStream,
    rest: &mut Vec<u8>,
    first: Head,
    to: &Place,
    server: Stream,
    noticed: impl Fn(),
) -> io::Result<Ended> {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut from_client, mut to_client) = client.split();
    let requests = async {
        let mut head = first;
        loop {
            to_server.write_all(&head.forwarded).await?;
            let whole = body(head.body, rest, &mut from_client, &mut to_server).await;
            let next = match whole {
                Ok(()) => head::read(&mut from_client, rest).await,
                Err(error) => Err(error),
            };
            let ended = match next {
                Ok(Some(same)) if same.target == Target::Request(to.clone()) => {
                    noticed();
                    head = same;
                    continue;
                }
                Ok(Some(other)) => Ended::Next(other),
                Ok(None) => Ended::Over,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Ended::Malformed(error),
                Err(error) => return Err(error),
            };
            to_server.shutdown().await?;
            return Ok(ended);
        }
    };
    let answers = tokio::io::copy(&mut from_server, &mut to_client);
    let (mut requests, mut answers) = (pin!(requests), pin!(answers));
    tokio::select! { biased;
        // The server has ended the connection: nothing more can be asked on it.
        ended = &mut answers => ended.map(|_| Ended::Over),
        next = &mut requests => match next {
            Ok(next) => answers.await.map(|_| next),
            Err(error) => Err(error),
        },
    }
}

/// Passes on the body of a request, and not a byte of what follows it.
async fn body(
    length: BodyLength,
    rest: &mut Vec<u8>,
    from_client: &mut (impl AsyncRead + Unpin),
    to_server: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    match length {
        BodyLength::Of(length) => {
            let early = rest
                .len()
                .min(usize::try_from(length).unwrap_or(usize::MAX));
            to_server.write_all(&rest[..early]).await?;
            rest.drain(..early);
            let late = length - early as u64;
            tokio::io::copy(&mut from_client.take(late), to_server).await?;
        }
        BodyLength::Chunked => {
            let mut chunks = Chunks::default();
            loop {
                let length = chunks
                    .take(rest)
                    .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
                to_server.write_all(&rest[..length]).await?;
                rest.drain(..length);
                if chunks.is_done() {
                    break;
                }
                if from_client.read_buf(rest).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
    Ok(())
}
