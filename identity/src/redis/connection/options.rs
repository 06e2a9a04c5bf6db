//! How connections behave.

use std::{sync::Arc, time::Duration};

use redis::ProtocolVersion;

/// How connections behave.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionOptions {
    /// RESP2 or RESP3. Default: RESP3, because a RESP2 connection that has subscribed cannot
    /// re-authenticate (RS-12).
    pub protocol: ProtocolVersion,
    /// The database. Default: 0.
    pub database: i64,
    /// For connecting: name lookup, TCP, TLS and the first `AUTH` together. A manager lets
    /// commands wait that long for a new connection. Default: 15 s, because the server may take
    /// 10 s to judge a token (RS-43).
    pub connect_timeout: Duration,
    /// From sending a command to its answer; `None` waits for ever. A blocking command has the
    /// time that it names on top. Default: 10 s.
    pub response_timeout: Option<Duration>,
    /// From sending `AUTH` on a live connection to its answer. A connection without an answer by
    /// then is closed. Default: 10 s (RS-43).
    pub auth_timeout: Duration,
    /// Connections re-authenticate at random times within this after a new token, so that they do
    /// not all do it at once (RS-40). Default: 60 s.
    pub spread: Duration,
    /// A transaction made by hand that is open this long before the token ends is given up. At
    /// most a tenth of the token's life. Default: 5 s.
    pub transaction_margin: Duration,
    /// How many messages a subscriber may leave unread before some are dropped, which it is told
    /// as a gap. Default: 65 536.
    pub unread_messages: usize,
    /// TLS of the caller's own, for servers whose certificate the operating system does not trust.
    /// Default: `None`, TLS 1.2 or newer by the rules of the operating system.
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
