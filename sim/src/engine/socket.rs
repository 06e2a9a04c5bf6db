//! Sockets of a library as connections of an engine.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Connection;

/// A socket, and what its engine adds to it.
pub(super) trait Socket: Send + Unpin + 'static {
    /// The library's type.
    type Tcp: AsyncRead + AsyncWrite + Unpin;

    /// The socket itself.
    fn tcp(&self) -> &Self::Tcp;

    /// The socket itself, to read and write.
    fn tcp_mut(&mut self) -> &mut Self::Tcp;

    /// Ready when bytes may pass: pending while the link is held.
    fn poll_pass(&self, cx: &Context<'_>) -> Poll<()>;

    /// Makes the end that follows a reset, as far as the library can.
    fn prepare_reset(&self);
}

/// A socket as a connection.
pub(super) struct SocketStream<S>(pub S);

impl<S: Socket> SocketStream<S> {
    fn tcp(self: Pin<&mut Self>) -> Pin<&mut S::Tcp> {
        Pin::new(self.get_mut().0.tcp_mut())
    }
}

impl<S: Socket> Connection for SocketStream<S> {
    fn reset(self: Box<Self>) {
        self.0.prepare_reset();
    }
}

impl<S: Socket> AsyncRead for SocketStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.0.poll_pass(cx));
        self.tcp().poll_read(cx, into)
    }
}

impl<S: Socket> AsyncWrite for SocketStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.0.poll_pass(cx));
        self.tcp().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.0.poll_pass(cx));
        self.tcp().poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        // The head and the body of an answer leave in one write.
        self.0.tcp().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.0.poll_pass(cx));
        self.tcp().poll_shutdown(cx)
    }
}
