//! Connections to other hosts, as the Redis layer uses them.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::BoxFuture;

/// Both directions of a connection.
pub trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// A connection to a peer. Dropping it closes it.
pub type ByteStream = Box<dyn ReadWrite>;

/// Connects to other hosts.
pub trait ByteStreams: Send + Sync + 'static {
    /// Connects to `port` of `host` (a name or an address), without TLS and without a time limit:
    /// callers set one and drop the future.
    ///
    /// # Errors
    /// The name is unknown, or no connection was made; [`Unsupported`](io::ErrorKind::Unsupported)
    /// if this platform opens no connections.
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<ByteStream>>;
}
