//! The service that the measured credential libraries ask for tokens: Entra over HTTPS and IMDS
//! over HTTP, on 127.0.0.1, with a fixed delay and with counts of what reached it.
//!
//! It checks little and is as small as possible, so that a measurement shows the library and not
//! the service. Realistic services are those of the simulator.

mod answer;
mod counts;
mod http;
mod tls;
mod token;

use std::{net::Ipv4Addr, sync::Arc};

use tokio::{net::TcpListener, net::TcpSocket, task::JoinSet};

pub use counts::Counts;

/// The length of the accept queue: enough for 10,000 callers that connect at once. The system may
/// allow fewer.
const BACKLOG: u32 = 10_240;

/// A running service. It ends when this is dropped.
#[derive(Debug)]
pub struct Service {
    /// Where Entra is, without a trailing slash: `https://127.0.0.1:PORT`.
    pub entra: String,
    /// Where IMDS is, without a trailing slash: `http://127.0.0.1:PORT`. The counts and the delay
    /// are there too, see `answer.rs`.
    pub imds: String,
    /// The certificate, in PEM, of the authority behind [`Service::entra`].
    pub authority: String,
    /// What reached it so far.
    pub counts: Arc<Counts>,
    /// Owns the two loops that accept.
    _accepting: JoinSet<()>,
}

/// Starts a service on two free ports of 127.0.0.1, inside the current tokio runtime.
///
/// # Errors
/// There is no free port, or no certificate can be made.
pub async fn start() -> Result<Service, String> {
    let certificates = tls::Certificates::new()?;
    let counts = Arc::new(Counts::default());
    let (entra, entra_port) = listen()?;
    let (imds, imds_port) = listen()?;
    let entra_url = format!("https://127.0.0.1:{entra_port}");
    let mut accepting = JoinSet::new();
    let tls = Some(certificates.acceptor);
    accepting.spawn(http::accept(entra, tls, entra_url.clone(), counts.clone()));
    accepting.spawn(http::accept(imds, None, entra_url.clone(), counts.clone()));
    Ok(Service {
        entra: entra_url,
        imds: format!("http://127.0.0.1:{imds_port}"),
        authority: certificates.authority,
        counts,
        _accepting: accepting,
    })
}

fn listen() -> Result<(TcpListener, u16), String> {
    let listen = || {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(BACKLOG)?;
        let port = listener.local_addr()?.port();
        Ok::<_, std::io::Error>((listener, port))
    };
    listen().map_err(|error| format!("can't listen on a free port of 127.0.0.1: {error}"))
}

#[cfg(test)]
mod tests;
