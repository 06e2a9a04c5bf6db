//! Listening on the loopback address, for redirects of a browser on the same host.

use std::io;

use super::{BoxFuture, ByteStream};

/// Listens on 127.0.0.1, for the redirect URI of an interactive login.
pub trait Loopback: Send + Sync + 'static {
    /// Listens on `port` of 127.0.0.1, or on any free port. It never listens on another address:
    /// only processes of this host can connect.
    ///
    /// # Errors
    /// The port is taken ([`AddrInUse`](io::ErrorKind::AddrInUse)) or not for this user, or this
    /// platform does not listen ([`Unsupported`](io::ErrorKind::Unsupported)).
    fn listen(
        &self,
        port: Option<u16>,
    ) -> BoxFuture<'static, io::Result<Box<dyn LoopbackListener>>>;
}

/// A port of 127.0.0.1. Dropping it closes the port; accepted connections stay.
pub trait LoopbackListener: Send {
    /// The port.
    fn port(&self) -> u16;

    /// The next connection. It waits for as long as the caller does; a caller that is dropped loses
    /// no connection.
    ///
    /// # Errors
    /// A connection broke before it was accepted, or this process has too many open: the next call
    /// may fare better.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<ByteStream>>;
}
