//! A port of its own for a service that clients find by a variable: closed while connections to it
//! are refused, and with a full backlog while packets to it vanish, as no proxy can show it.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{head::Place, proxy::Proxy};
use crate::{service::Reach, trace::Kind};

/// How often the world is asked whether the service can be reached, and the kernel for clients that
/// wait.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 4096;

/// What of the world decides how the port behaves.
pub(crate) type Reached = Arc<dyn Fn() -> Reach + Send + Sync>;

/// A port of this machine that is the service's for as long as the world lasts.
pub(super) struct OwnPort {
    pub address: SocketAddr,
    state: State,
}

/// What the kernel does with a connection.
enum State {
    /// The port is taken, and no socket listens: it refuses.
    Closed { _reserved: TcpSocket },
    /// It is accepted.
    Open(TcpListener),
    /// Its first packet is dropped: a connection of ours fills the backlog, and is never accepted.
    Full {
        _listener: TcpListener,
        _filler: TcpStream,
    },
}

fn bind(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    Ok(socket)
}

impl OwnPort {
    /// Takes any free port. It refuses connections at first.
    ///
    /// # Errors
    /// There is none.
    pub fn new() -> io::Result<Self> {
        let socket = bind(0)?;
        Ok(Self {
            address: socket.local_addr()?,
            state: State::Closed { _reserved: socket },
        })
    }

    /// Behaves from now on as the service does that is reached so.
    async fn become_as(&mut self, reach: Reach) -> io::Result<()> {
        let port = self.address.port();
        let is_so = match (&self.state, reach) {
            (State::Open(_), Reach::Reachable)
            | (State::Full { .. }, Reach::BlackHoled)
            | (State::Closed { .. }, Reach::Refused | Reach::Unreachable) => true,
            (State::Open(_) | State::Full { .. } | State::Closed { .. }, _) => false,
        };
        if is_so {
            return Ok(());
        }
        // The port can be bound again only when nothing listens any more.
        self.state = State::Closed {
            _reserved: TcpSocket::new_v4()?,
        };
        let socket = bind(port)?;
        self.state = match reach {
            Reach::Reachable => State::Open(socket.listen(BACKLOG)?),
            Reach::BlackHoled => {
                // Linux keeps one connection more than the backlog says.
                let listener = socket.listen(0)?;
                let filler = crate::engine::live::dial(port).await?;
                State::Full {
                    _listener: listener,
                    _filler: filler,
                }
            }
            Reach::Refused | Reach::Unreachable => State::Closed { _reserved: socket },
        };
        Ok(())
    }

    /// Serves `place` there, as `reached` says, for as long as the world lasts.
    pub async fn serve(mut self, proxy: Arc<Proxy>, place: Place, reached: Reached) {
        let mut known = BTreeSet::new();
        loop {
            if let Err(error) = self.become_as(reached()).await {
                proxy.record(Kind::World {
                    what: format!("the port of {} cannot be used: {error}", place.host),
                });
            }
            match &self.state {
                State::Open(listener) => {
                    tokio::select! { biased;
                        accepted = listener.accept() => {
                            match accepted {
                                Ok((client, _)) => proxy.clone().admit(client, place.clone()),
                                Err(error) => {
                                    proxy.fell_short(&error);
                                    proxy.host.runtime.sleep(LOOK_AGAIN).await;
                                }
                            }
                        }
                        () = proxy.host.runtime.sleep(LOOK_AGAIN) => {}
                    }
                }
                State::Full { .. } => {
                    let waiting = waiting(self.address.port());
                    for _ in waiting.difference(&known) {
                        proxy.record(Kind::Unreached {
                            host: place.host.clone(),
                            why: "packets to it vanish".to_owned(),
                            shown: true,
                        });
                    }
                    known = waiting;
                    proxy.host.runtime.sleep(LOOK_AGAIN).await;
                }
                State::Closed { .. } => proxy.host.runtime.sleep(LOOK_AGAIN).await,
            }
        }
    }
}

/// The ports from which clients on this machine wait for an answer of `port` of 127.0.0.1, as Linux
/// tells them; nothing elsewhere.
#[expect(clippy::disallowed_methods, reason = "sockets of this machine")]
fn waiting(port: u16) -> BTreeSet<String> {
    const SYN_SENT: &str = "02";
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let to = format!("0100007F:{port:04X}");
    let lines = table.lines().map(|line| line.split_whitespace().skip(1));
    lines
        .filter_map(|mut fields| {
            let (from, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
            (remote == to && state == SYN_SENT).then(|| from.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_is_closed_open_or_full_as_the_world_says() {
        let mut port = OwnPort::new().expect("a free port");
        let address = port.address;
        let connect = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200));
        let refused = |connected: io::Result<_>| {
            let error: Option<io::Error> = connected.err();
            error.map(|error| error.kind())
        };
        for reach in [
            Reach::Refused,
            Reach::Reachable,
            Reach::BlackHoled,
            Reach::Refused,
            Reach::BlackHoled,
            Reach::Reachable,
        ] {
            port.become_as(reach).await.expect("the port is ours");
            let expected = match reach {
                Reach::Reachable => None,
                Reach::BlackHoled => Some(io::ErrorKind::TimedOut),
                Reach::Refused | Reach::Unreachable => Some(io::ErrorKind::ConnectionRefused),
            };
            assert_eq!(refused(connect()), expected, "{reach:?}");
        }
    }
}
