//! How connections behave.

use std::{sync::Arc, time::Duration};

use redis::ProtocolVersion;

/// How connections behave.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionOptions {
    /// The protocol version. Default: RESP3, because a subscribed RESP2 connection cannot
    /// re-authenticate (RS-12).
    pub protocol: ProtocolVersion,
    /// The number of the database. Default: 0.
    pub database: i64,
    /// The time limit of connecting: name lookup, TCP, TLS and the first `AUTH` together. It is
    /// also how long commands of a manager wait for a connection. Default: 15 s, because the server
    /// may take 10 s to validate a token (RS-43).
    pub connect_timeout: Duration,
    /// The time limit from sending a command to its answer; `None` is no limit. The timeout of a
    /// blocking command is added to it. Default: 10 s.
    pub response_timeout: Option<Duration>,
    /// The time limit from sending `AUTH` on a live connection to its answer; the connection is
    /// closed after it. Subscribers use it for each command, and for sending it. Default: 10 s
    /// (RS-43).
    pub auth_timeout: Duration,
    /// Connections re-authenticate at a random time within this after a new token came, so that
    /// they do not all do so at once (RS-40, PR-35). Default: 60 s.
    pub spread: Duration,
    /// A transaction made by hand that is still open this long before the token ends is discarded.
    /// At most a tenth of the token's life is used. Default: 5 s (PR-34).
    pub transaction_margin: Duration,
    /// The number of unread messages of a subscriber beyond which messages are dropped, which the
    /// subscriber gets as a gap. Default: 65 536.
    pub unread_messages: usize,
    /// A TLS configuration, for servers whose certificate the operating system does not trust.
    /// Default: `None`, which is TLS 1.2 or newer with the certificate verifier of the operating
    /// system.
    pub tls_config: Option<Arc<rustls::ClientConfig>>,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            protocol: ProtocolVersion::RESP3,
            database: 0,
            connect_timeout: Duration::from_secs(15),
            response_timeout: Some(Duration::from_secs(10)),
            auth_timeout: Duration::from_secs(10),
            spread: Duration::from_secs(60),
            transaction_margin: Duration::from_secs(5),
            unread_messages: 65_536,
            tls_config: None,
        }
    }
}
