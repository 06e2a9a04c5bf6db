//! The connection of a client outside.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A client's connection, of which some bytes were read already.
pub(crate) struct Client {
    early: Vec<u8>,
    tcp: TcpStream,
}

impl Client {
    /// `early` was read of `tcp` before.
    pub fn new(early: Vec<u8>, tcp: TcpStream) -> Self {
        Self { early, tcp }
    }
}

/// A connection that can be ended with a reset.
pub(crate) trait Resettable: AsyncRead + AsyncWrite + Unpin {
    /// Ends it so that the peer sees a reset.
    fn reset(self);
}

impl Resettable for Client {
    fn reset(self) {
        // Closing a socket that does not linger sends RST instead of FIN.
        let _ = self.tcp.set_zero_linger();
    }
}

impl Resettable for tokio_rustls::server::TlsStream<Client> {
    fn reset(self) {
        self.into_inner().0.reset();
    }
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.tcp).poll_read(cx, into);
        }
        let length = self.early.len().min(into.remaining());
        let rest = self.early.split_off(length);
        into.put_slice(&self.early);
        self.early = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
