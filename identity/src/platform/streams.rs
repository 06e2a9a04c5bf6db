//! Connections of bytes: what the Redis layer talks over.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::BoxFuture;

/// Both directions of one connection.
pub trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// A connection to a peer. Dropping it closes it.
pub type ByteStream = Box<dyn ReadWrite>;

/// Connects to other hosts.
pub trait ByteStreams: Send + Sync + 'static {
    /// A connection to `port` of `host` (a name or an address), without TLS. It has no time limit
    /// of its own: whoever waits drops the future.
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<ByteStream>>;
}
