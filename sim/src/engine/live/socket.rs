//! Sockets of this machine as the engine's streams and listeners.

use std::{
    io,
    net::Ipv4Addr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use super::gate::Gate;
use crate::engine::{BoxFuture, Connection, Listener, Stream};

/// Listens on a port of this machine: on loopback, as everything here. Port 0 is any free one.
///
/// # Errors
/// The port is in use, or not for this user.
#[expect(clippy::disallowed_methods, reason = "this is the engine's Network")]
pub async fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

/// Connects to a port of this machine: on loopback, as everything here.
///
/// # Errors
/// Nobody listens there.
#[expect(clippy::disallowed_methods, reason = "this is the engine's Network")]
pub async fn dial(port: u16) -> io::Result<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await
}

/// A connection, behind the gate of the host that it leads to.
pub(super) struct LiveStream {
    tcp: TcpStream,
    /// The accepting side has none: what it sends, the other side does not read while held.
    gate: Option<Gate>,
}

impl LiveStream {
    /// Without Nagle's algorithm: it would hold back answers for 40 ms and more.
    pub fn new(tcp: TcpStream, gate: Option<Gate>) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, gate })
    }

    fn poll_pass(&self, cx: &Context<'_>) -> Poll<()> {
        self.gate
            .as_ref()
            .map_or(Poll::Ready(()), |gate| gate.poll_pass(cx))
    }
}

impl Connection for LiveStream {
    fn reset(self: Box<Self>) {
        // Closing a socket that does not linger sends RST instead of FIN.
        let _ = self.tcp.set_zero_linger();
    }
}

impl AsyncRead for LiveStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_pass(cx));
        Pin::new(&mut self.tcp).poll_read(cx, into)
    }
}

impl AsyncWrite for LiveStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pass(cx));
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pass(cx));
        Pin::new(&mut self.tcp).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        // Head and body leave in one write.
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pass(cx));
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// A port of this machine.
pub(super) struct LiveListener {
    pub tcp: TcpListener,
    /// The host that all connections come from.
    pub peer: Arc<str>,
}

impl Listener for LiveListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Stream, String)>> {
        Box::pin(async move {
            let (tcp, _) = self.tcp.accept().await?;
            let stream: Stream = Box::new(LiveStream::new(tcp, None)?);
            Ok((stream, self.peer.to_string()))
        })
    }
}
