//! Connections and listeners of the fabric as tokio sees them.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    connection::{CLIENT, ConnectionId, Handshake, HostId, Parcel, SERVER, WINDOW},
    fabric::Fabric,
};
use crate::engine::{BoxFuture, Connection, Listener, Stream};

/// One end of a connection.
pub(super) struct LapseStream {
    fabric: Fabric,
    id: ConnectionId,
    mine: usize,
    gone: bool,
}

impl LapseStream {
    /// Connects; completes with the handshake.
    pub async fn connect(fabric: Fabric, from: HostId, host: &str, port: u16) -> io::Result<Self> {
        let id = fabric.open(from, host, port)?;
        let stream = Self {
            fabric,
            id,
            mine: CLIENT,
            gone: false,
        };
        poll_fn(|cx| {
            let mut state = stream.fabric.lock();
            let Some(connection) = state.connection(id) else {
                return Poll::Ready(Err(broken()));
            };
            match connection.handshake {
                Handshake::Established => Poll::Ready(Ok(())),
                Handshake::Refused => Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into())),
                Handshake::Pending => {
                    connection.ends[CLIENT].reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await?;
        Ok(stream)
    }

    fn let_go(&mut self, how: Parcel) {
        if !self.gone {
            self.gone = true;
            self.fabric.lock().let_go(self.id, self.mine, how);
        }
    }
}

fn broken() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

impl Connection for LapseStream {
    fn reset(mut self: Box<Self>) {
        let peer = 1 - self.mine;
        self.let_go(Parcel::Reset(peer));
    }
}

impl Drop for LapseStream {
    fn drop(&mut self) {
        let peer = 1 - self.mine;
        self.let_go(Parcel::Fin(peer));
    }
}

impl AsyncRead for LapseStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.fabric.lock();
        let Some(connection) = state.connection(self.id) else {
            return Poll::Ready(Err(broken()));
        };
        let end = &mut connection.ends[self.mine];
        if end.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let Some(first) = end.received.front_mut() else {
            if end.finished {
                return Poll::Ready(Ok(()));
            }
            end.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let piece: Bytes = first.split_to(first.len().min(into.remaining()));
        if first.is_empty() {
            end.received.pop_front();
        }
        into.put_slice(&piece);
        let writer = &mut connection.ends[1 - self.mine];
        writer.unread -= piece.len();
        let woken = writer.writer.take();
        drop(state);
        if let Some(waker) = woken {
            waker.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LapseStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.fabric.lock();
        let Some(connection) = state.connection(self.id) else {
            return Poll::Ready(Err(broken()));
        };
        let end = &mut connection.ends[self.mine];
        if end.reset || end.write_closed {
            return Poll::Ready(Err(broken()));
        }
        let fits = bytes.len().min(WINDOW - end.unread);
        if fits == 0 && !bytes.is_empty() {
            end.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        end.unread += fits;
        let parcel = Parcel::Data(1 - self.mine, Bytes::copy_from_slice(&bytes[..fits]));
        state.send(self.id, self.mine, parcel);
        Poll::Ready(Ok(fits))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.fabric.lock();
        let Some(connection) = state.connection(self.id) else {
            return Poll::Ready(Ok(()));
        };
        let end = &mut connection.ends[self.mine];
        if !end.write_closed && !end.reset {
            end.write_closed = true;
            state.send(self.id, self.mine, Parcel::Fin(1 - self.mine));
        }
        Poll::Ready(Ok(()))
    }
}

/// Accepts on one port of one host.
pub(super) struct LapseListener {
    fabric: Fabric,
    host: HostId,
    port: u16,
}

impl LapseListener {
    pub fn bind(fabric: Fabric, host: HostId, port: u16) -> io::Result<Self> {
        let mut state = fabric.lock();
        if state.listeners.contains_key(&(host, port)) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        state.listeners.insert((host, port), Default::default());
        drop(state);
        Ok(Self { fabric, host, port })
    }
}

impl Listener for LapseListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Stream, String)>> {
        Box::pin(poll_fn(|cx| {
            let mut state = self.fabric.lock();
            let Some(backlog) = state.listeners.get_mut(&(self.host, self.port)) else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            let Some(id) = backlog.waiting.pop_front() else {
                backlog.acceptor = Some(cx.waker().clone());
                return Poll::Pending;
            };
            let Some(connection) = state.connection(id) else {
                return Poll::Ready(Err(broken()));
            };
            let peer = connection.ends[CLIENT].host;
            let name = state.hosts[peer].name.to_string();
            let stream = LapseStream {
                fabric: self.fabric.clone(),
                id,
                mine: SERVER,
                gone: false,
            };
            Poll::Ready(Ok((Box::new(stream) as Stream, name)))
        }))
    }
}

impl Drop for LapseListener {
    fn drop(&mut self) {
        self.fabric.lock().unlisten(self.host, self.port);
    }
}
