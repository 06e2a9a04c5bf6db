//! Connections from a simulated host to another.

use std::{io, time::Duration};

use credsim_identity::platform::{TransportError, TransportErrorKind};

use super::state::HostState;
use crate::{engine::Stream, service::Reach};

impl HostState {
    /// A connection as far as the reach of `host` lets one come about.
    pub(crate) async fn connect(
        &self,
        host: &str,
        port: u16,
        limit: Option<Duration>,
    ) -> Result<Stream, TransportError> {
        let error = |kind, text: String| Err(TransportError::new(kind, text));
        match self.reach(host) {
            None if host.parse::<std::net::IpAddr>().is_ok() => {
                return error(
                    TransportErrorKind::Unreachable,
                    format!("no route to host {host}"),
                );
            }
            None => {
                return error(
                    TransportErrorKind::Dns,
                    format!("the name {host} is not known"),
                );
            }
            Some(Reach::Unreachable) => {
                return error(
                    TransportErrorKind::Unreachable,
                    format!("no route to host {host}"),
                );
            }
            Some(Reach::Refused) => {
                return error(
                    TransportErrorKind::Refused,
                    format!("connection refused by {host}:{port}"),
                );
            }
            Some(Reach::Reachable | Reach::BlackHoled) => {}
        }
        let connecting = self.host.network.connect(host, port);
        let connected = match limit {
            None => Some(connecting.await),
            Some(limit) => {
                let out_of_time = self.host.runtime.sleep(limit);
                tokio::select! { biased;
                    connected = connecting => Some(connected),
                    () = out_of_time => None,
                }
            }
        };
        match connected {
            Some(Ok(stream)) => Ok(stream),
            Some(Err(e)) => error(
                match e.kind() {
                    io::ErrorKind::ConnectionRefused => TransportErrorKind::Refused,
                    io::ErrorKind::NotFound => TransportErrorKind::Dns,
                    _ => TransportErrorKind::Unreachable,
                },
                format!("connecting to {host}:{port} failed: {e}"),
            ),
            None => error(
                TransportErrorKind::ConnectTimeout,
                format!(
                    "no connection to {host}:{port} within {} s",
                    limit.unwrap_or_default().as_secs_f64()
                ),
            ),
        }
    }
}
