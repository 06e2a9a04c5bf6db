//! The forward proxy through which clients outside reach the hosts of the world, and no others.
//!
//! Names, addresses, paths and TLS stay what they are in the real world: a client only has to be
//! told of the proxy and of the run's certificate authority, by environment variables.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use rustix::io::Errno;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, Interest},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

use super::{
    certificates::Certificates,
    client::Client,
    forward::{Ended, forward},
    handshake,
    head::{self, Head, Place, Target},
    machine::ARC_PORT,
    relay::relay,
};
use crate::{
    engine::{self, Host, Stream},
    http::guard::is_loopback,
    redact::masked,
    service::{entra::ENTRA_HOST, imds::IMDS_HOST},
    trace::{Kind, Recorder},
};

/// How often a client that waits is looked after.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(20);

/// How long a refused client may take to close the connection.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(1);

/// How long the connections of clients that are gone are waited for, and how often they are looked
/// at meanwhile.
const AFTERMATH: std::time::Duration = std::time::Duration::from_millis(250);
const AFTERMATH_LOOKS: u32 = 25;

/// What all connections share.
pub(crate) struct Proxy {
    /// The host on which the clients are.
    pub host: Host,
    /// The hosts of the world and the port on which each serves.
    pub serves: BTreeMap<String, u16>,
    /// How it speaks TLS for them.
    pub certificates: Certificates,
    /// The ports of this machine at which services are reached past the proxy.
    pub beside: BTreeSet<u16>,
    /// Where refusals are recorded.
    pub recorder: Recorder,
    /// What a client that does not trust the authority has to be told.
    pub trust_help: String,
    /// How many connections are being served.
    pub open: AtomicUsize,
    /// Whether a client has sent a request over TLS, which it does only if it trusts the authority.
    pub spoke: AtomicBool,
    /// Whether it has been said that there are no file descriptors for more connections.
    pub is_short: AtomicBool,
    /// Rings when the world ends.
    pub ending: Notify,
}

impl Proxy {
    /// Serves every connection, for as long as the world lasts.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let client = self.accept(&listener).await;
            let this = self.clone();
            this.open.fetch_add(1, Ordering::Relaxed);
            let serve = async move {
                // A broken connection is the client's own business.
                let _ = this.connection(client).await;
                this.open.fetch_sub(1, Ordering::Relaxed);
            };
            self.host.runtime.spawn(Box::pin(serve)).detach();
        }
    }

    /// Serves one host alone, for clients that ignore proxies: what they send goes to it as it is.
    pub async fn serve_as(self: Arc<Self>, listener: TcpListener, place: Place) {
        loop {
            let client = self.accept(&listener).await;
            self.clone().admit(client, place.clone());
        }
    }

    /// The next client. When there is no file descriptor for one, waits until others have ended.
    async fn accept(&self, listener: &TcpListener) -> TcpStream {
        loop {
            match listener.accept().await {
                Ok((client, _)) => return client,
                Err(error) => {
                    self.fell_short(&error);
                    engine::live::breathe().await;
                }
            }
        }
    }

    /// Records that there are no file descriptors left, if `error` says so: once in a world, as
    /// they come and go with every connection.
    pub fn fell_short(&self, error: &io::Error) {
        let code = error.raw_os_error();
        let none_left = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
        let is_short = none_left.contains(&code);
        if is_short && !self.is_short.swap(true, Ordering::Relaxed) {
            self.record(Kind::World {
                what: format!(
                    "credsim has no file descriptors left ({error}): connections wait until others end; \
                     raise its limit (ulimit -n)"
                ),
            });
        }
    }

    /// Serves a client of one host alone, in the background.
    pub fn admit(self: Arc<Self>, client: TcpStream, place: Place) {
        let this = self.clone();
        this.open.fetch_add(1, Ordering::Relaxed);
        let serve = async move {
            let _ = this.straight(client, &place).await;
            this.open.fetch_sub(1, Ordering::Relaxed);
        };
        self.host.runtime.spawn(Box::pin(serve)).detach();
    }

    async fn straight(&self, mut client: TcpStream, to: &Place) -> io::Result<()> {
        client.set_nodelay(true)?;
        match self.reach(&mut client, to).await? {
            Some(server) => relay(Client::new(Vec::new(), client), server).await,
            None => Ok(()),
        }
    }

    /// Completes when every connection of clients that are gone is over, and what came of it is in
    /// the trace; at the latest after [`AFTERMATH`], as some connections never end.
    pub async fn settle(&self) {
        for _ in 0..AFTERMATH_LOOKS {
            // First of all: one that was never accepted is not counted yet.
            self.host.runtime.sleep(AFTERMATH / AFTERMATH_LOOKS).await;
            self.ending.notify_waiters();
            if self.open.load(Ordering::Relaxed) == 0 {
                break;
            }
        }
    }

    async fn connection(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut buffer = Vec::new();
        let mut next = None;
        loop {
            let head = match next.take() {
                Some(head) => Ok(Some(head)),
                None => head::read(&mut client, &mut buffer).await,
            };
            let head = match head {
                Ok(Some(head)) => head,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return self.malformed(&mut client, &error).await;
                }
                Err(error) => return Err(error),
            };
            match head.target.clone() {
                Target::Tunnel(to) => return self.tunnel(client, buffer, &to).await,
                Target::Request(to) => {
                    match self.request(&mut client, &mut buffer, head, &to).await? {
                        Ended::Next(head) => next = Some(head),
                        Ended::Over => return Ok(()),
                        Ended::Malformed(error) => {
                            return self.malformed(&mut client, &error).await;
                        }
                    }
                }
                Target::Proxy => {
                    // A page may have bound a name of its own to this machine.
                    if let Some(host) = head.host.filter(|host| !is_loopback(host)) {
                        self.refused(&host, None);
                    }
                    let text = "this is the proxy of a world that credsim simulates\n";
                    return self.say(&mut client, "400 Bad Request", text).await;
                }
            }
        }
    }

    /// `CONNECT`: a tunnel, at whose other end we speak TLS where the host does.
    async fn tunnel(&self, mut client: TcpStream, rest: Vec<u8>, to: &Place) -> io::Result<()> {
        let Some(mut server) = self.reach(&mut client, to).await? else {
            return Ok(());
        };
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
        let config = (to.port == 443)
            .then(|| self.certificates.of(&to.host))
            .flatten();
        let Some(config) = config else {
            return relay(Client::new(rest, client), server).await;
        };
        if rest.is_empty() && client.peek(&mut [0]).await? == 0 {
            // It has changed its mind: no word of TLS was said.
            return Ok(());
        }
        let untrusted = |why: String| {
            self.record(Kind::HandshakeFailed {
                host: to.host.clone(),
                why,
                direct: false,
            });
        };
        match TlsAcceptor::from(config)
            .accept(Client::new(rest, client))
            .await
        {
            Ok(mut client) => {
                // The client speaks first. One that does not has looked at the certificate.
                let mut first = vec![0; 16 << 10];
                match client.read(&mut first).await {
                    Ok(length @ 1..) => {
                        self.spoke.store(true, Ordering::Relaxed);
                        server.write_all(&first[..length]).await?;
                        relay(client, server).await
                    }
                    Ok(_) | Err(_) => {
                        // A client that trusts the authority may open one connection more than it
                        // needs. That it trusts it, another connection shows, now or soon.
                        tokio::select! { biased;
                            () = self.ending.notified() => {}
                            () = self.host.runtime.sleep(FAREWELL) => {}
                        }
                        if !self.spoke.load(Ordering::Relaxed) {
                            untrusted(handshake::why_no_request(&self.trust_help));
                        }
                        Ok(())
                    }
                }
            }
            Err(error) => {
                untrusted(handshake::why_none(&error, &self.trust_help));
                Err(error)
            }
        }
    }

    /// One or more requests in the clear for the same host.
    async fn request(
        &self,
        client: &mut TcpStream,
        rest: &mut Vec<u8>,
        first: Head,
        to: &Place,
    ) -> io::Result<Ended> {
        let Some(server) = self.reach(client, to).await? else {
            return Ok(Ended::Over);
        };
        let notice = || self.notice_if_held(&to.host);
        let ended = forward(client, rest, first, to, server, notice).await;
        match &ended {
            Ok(Ended::Next(_) | Ended::Malformed(_)) => {}
            Ok(Ended::Over) => client.shutdown().await?,
            Err(_) => client.set_zero_linger()?,
        }
        ended
    }

    /// Records that a client waits for `host`, if packets to it vanish.
    fn notice_if_held(&self, host: &str) {
        if self.host.network.is_held(host) {
            self.record(Kind::Unreached {
                host: host.to_owned(),
                why: "packets to it vanish".to_owned(),
                shown: false,
            });
        }
    }

    /// A connection to a host; none if the client was answered instead.
    async fn reach(&self, client: &mut TcpStream, to: &Place) -> io::Result<Option<Stream>> {
        if is_loopback(&to.host) {
            return self.reach_loopback(client, to.port).await;
        }
        if self.serves.get(&to.host) == Some(&to.port) {
            self.notice_if_held(&to.host);
            let connected = tokio::select! { biased;
                connected = self.host.network.connect(&to.host, to.port) => connected,
                // Packets are dropped, and the caller has given up: nothing may arrive
                // when they pass again.
                gone = self.gone(client) => return gone.map(|()| None),
            };
            return match connected {
                Ok(stream) => Ok(Some(stream)),
                // The host is down. An answer of ours would look like one of the service, or of a
                // proxy that is alive; a closed connection is nearest to what is the case.
                Err(error) => {
                    self.fell_short(&error);
                    client.set_zero_linger()?;
                    Ok(None)
                }
            };
        }
        if to.host == IMDS_HOST {
            // Where there is no IMDS there is no route to it. A proxy can't show that, except in
            // the words by which Docker Desktop's says so (MI-68): clients know them.
            self.record(Kind::NoRoute {
                host: to.host.clone(),
            });
            let text = "A socket operation was attempted to an unreachable network.\n";
            self.say(client, "403 Forbidden", text).await?;
            return Ok(None);
        }
        let other = self.serves.get(&to.host);
        let other = other.map(|port| format!("{} is on port {port}", to.host));
        let mut text = format!(
            "credsim: the scenario has no host {}:{}\n",
            to.host, to.port
        );
        if let Some(other) = &other {
            text.push_str(&format!("{other}\n"));
        } else if to.host == ENTRA_HOST {
            text.push_str("add [world.entra] to it\n");
        }
        self.refused(&format!("{}:{}", to.host, to.port), other);
        self.say(client, "403 Forbidden", &text).await?;
        Ok(None)
    }

    /// A connection to a port of this machine, if it is one at which the world serves a client that
    /// ignores the proxy. What answers at another one is no part of the world, and may have tokens
    /// of a real identity: the agent of Azure Arc and Cloud Shell are there.
    async fn reach_loopback(
        &self,
        client: &mut TcpStream,
        port: u16,
    ) -> io::Result<Option<Stream>> {
        if self.beside.contains(&port) {
            let dialed = engine::live::dial(port).await;
            let stream = dialed.inspect_err(|error| self.fell_short(error))?;
            return Ok(Some(engine::live::stream(stream)?));
        }
        self.refused(&format!("127.0.0.1:{port}"), None);
        let text = if port == ARC_PORT {
            "credsim: no world has the Azure Arc agent of this machine\n".to_owned()
        } else {
            format!(
                "credsim: the world has nothing on port {port} of this machine; programs of yours \
                 are reached without the proxy (NO_PROXY=localhost,127.0.0.1 is set)\n"
            )
        };
        self.say(client, "403 Forbidden", &text).await?;
        Ok(None)
    }

    /// Records that a host was refused; `other`: what the world has instead.
    fn refused(&self, host: &str, other: Option<String>) {
        self.record(Kind::HostRefused {
            host: masked(host).into_owned(),
            other,
        });
    }

    /// Refuses what is no request.
    async fn malformed(&self, client: &mut TcpStream, error: &io::Error) -> io::Result<()> {
        self.record(Kind::RequestRefused {
            why: error.to_string(),
        });
        let text = format!("{error}\n");
        self.say(client, "400 Bad Request", &text).await
    }

    /// Completes when the client has closed its end, read or not what it sent before.
    async fn gone(&self, client: &TcpStream) -> io::Result<()> {
        while !client.ready(Interest::READABLE).await?.is_read_closed() {
            self.host.runtime.sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// A whole answer of the proxy's own, then the end.
    async fn say(&self, client: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        client.write_all(answer.as_bytes()).await?;
        client.shutdown().await?;
        // What the client still sends must be read, or it would see a reset instead of the answer.
        let drain = async {
            let mut ignored = [0; 1024];
            while matches!(client.read(&mut ignored).await, Ok(read) if read > 0) {}
        };
        tokio::select! { biased;
            () = drain => {}
            () = self.host.runtime.sleep(FAREWELL) => {}
        }
        Ok(())
    }

    /// Records an event now.
    pub fn record(&self, kind: Kind) {
        self.recorder.record(self.host.runtime.elapsed(), kind);
    }
}
