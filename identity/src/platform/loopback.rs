//! Listening on the loopback address, for redirects of a browser on the same host.

use std::io;

use super::{BoxFuture, ByteStream};

/// Listens on 127.0.0.1, for the redirect URI of an interactive login.
pub trait Loopback: Send + Sync + 'static {
    /// Listens on `port` of 127.0.0.1; on any free port for `None`. An implementation must not
    /// listen on another address, so that only processes of this host can connect.
    ///
    /// # Errors
    /// The port is in use ([`AddrInUse`](io::ErrorKind::AddrInUse)) or reserved
    /// ([`PermissionDenied`](io::ErrorKind::PermissionDenied)), or this platform cannot listen
    /// ([`Unsupported`](io::ErrorKind::Unsupported)).
    fn listen(
        &self,
        port: Option<u16>,
    ) -> BoxFuture<'static, io::Result<Box<dyn LoopbackListener>>>;
}

/// A port of 127.0.0.1 that accepts connections. Dropping it closes the port; accepted connections
/// stay open.
pub trait LoopbackListener: Send {
    /// Returns the number of the port.
    fn port(&self) -> u16;

    /// Returns the next connection, without a time limit. Cancel-safe: dropping the future loses no
    /// connection.
    ///
    /// # Errors
    /// The connection broke before it was accepted, or this process has too many files open. A
    /// later call may succeed.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<ByteStream>>;
}
