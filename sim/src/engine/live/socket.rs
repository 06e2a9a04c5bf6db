//! Sockets of this machine as the engine's streams and listeners.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::gate::Gate;
use crate::engine::{
    BoxFuture, Listener, Stream,
    socket::{Socket, SocketStream},
    task,
};

/// How many connections may wait to be accepted. With the usual 128 the kernel drops the SYN of
/// every further one, and its client tries again after a second, as if the service were slow. The
/// kernel lowers it to `net.core.somaxconn` (4096 on Linux since 5.4).
const BACKLOG: u32 = 4096;

/// Listens on a port of this machine: on loopback, as everything here. Port 0 is any free one.
///
/// # Errors
/// The port is in use, or not for this user.
pub async fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG)
}

/// Connects to a port of this machine: on loopback, as everything here.
///
/// # Errors
/// The error of a port without a listener.
#[expect(clippy::disallowed_methods, reason = "this is the engine's Network")]
pub async fn dial(port: u16) -> io::Result<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await
}

/// How often a host has gone down. Clones count for the same host.
#[derive(Clone, Default)]
pub(super) struct Crashes(Arc<AtomicU32>);

impl Crashes {
    /// Once more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A socket of this machine, with what a world does to it.
pub(super) struct LiveSocket {
    tcp: TcpStream,
    end: End,
}

enum End {
    /// Leads to a host, behind its gate.
    To(Gate),
    /// Accepted by a host, and how often that had gone down by then. It has no gate: what it
    /// sends, the other side does not read while held.
    From(Crashes, u32),
    /// Of no host.
    Free,
}

/// A connection to the host behind `gate`.
pub(super) fn to(tcp: TcpStream, gate: Gate) -> io::Result<SocketStream<LiveSocket>> {
    connection(tcp, End::To(gate))
}

/// A connection of no host of the world.
pub(super) fn free(tcp: TcpStream) -> io::Result<SocketStream<LiveSocket>> {
    connection(tcp, End::Free)
}

/// Without Nagle's algorithm: it would hold back answers for 40 ms and more.
fn connection(tcp: TcpStream, end: End) -> io::Result<SocketStream<LiveSocket>> {
    tcp.set_nodelay(true)?;
    Ok(SocketStream(LiveSocket { tcp, end }))
}

impl Drop for LiveSocket {
    fn drop(&mut self) {
        // A host that goes down resets its connections.
        if let End::From(crashes, before) = &self.end
            && crashes.count() > *before
        {
            let _ = self.tcp.set_zero_linger();
        }
    }
}

impl Socket for LiveSocket {
    type Tcp = TcpStream;

    fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }

    fn poll_pass(&self, cx: &Context<'_>) -> Poll<()> {
        match &self.end {
            End::To(gate) => gate.poll_pass(cx),
            End::From(..) | End::Free => Poll::Ready(()),
        }
    }

    fn prepare_reset(&self) {
        // Closing a socket that does not linger sends RST instead of FIN.
        let _ = self.tcp.set_zero_linger();
    }
}

/// A port of this machine.
pub(super) struct LiveListener {
    pub tcp: TcpListener,
    /// The host that all connections come from.
    pub peer: Arc<str>,
    /// Of the host that listens.
    pub crashes: Crashes,
}

/// How long to wait when there is no descriptor for a connection: others may end meanwhile.
const BREATH: Duration = Duration::from_millis(50);

impl Listener for LiveListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Stream, String)>> {
        Box::pin(async move {
            loop {
                let accepted = self.tcp.accept().await;
                let end = End::From(self.crashes.clone(), self.crashes.count());
                // A connection that broke at once, or no descriptor for it: the next may do.
                let Ok(stream) = accepted.and_then(|(tcp, _)| connection(tcp, end)) else {
                    breathe().await;
                    continue;
                };
                return Ok((Box::new(stream) as Stream, self.peer.to_string()));
            }
        })
    }
}

/// Waits a little before the next try to accept a connection.
pub async fn breathe() {
    task::sleep(BREATH).await;
}
