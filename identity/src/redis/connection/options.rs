//! Where to connect, and how.

use std::{fmt, sync::Arc, time::Duration};

use redis::ProtocolVersion;

use crate::{Error, ErrorKind, redis::NAME};

/// The port of Azure Cache for Redis, which speaks TLS (RS-46).
pub const AZURE_CACHE_PORT: u16 = 6380;

/// The port of Azure Managed Redis, which speaks TLS (RS-46).
pub const AZURE_MANAGED_REDIS_PORT: u16 = 10_000;

/// A Redis server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisEndpoint {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is TLS (1.2 or newer). Azure speaks nothing else (RS-40). Default of
    /// [`new`](Self::new): `true`.
    pub tls: bool,
}

impl RedisEndpoint {
    /// A server that speaks TLS, such as any of Azure.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            tls: true,
        }
    }

    /// The same server, with or without TLS. Without it a token travels in the clear.
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Reads `rediss://host[:port]` or, without TLS, `redis://host[:port]`. The ports default to
    /// 6380 and 6379.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it is another URL, or one with a user name, a password, a
    /// path or a query: the identity comes from the provider (RA-19), the rest from
    /// [`ConnectionOptions`].
    pub fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            // Without the URL: somebody may have put a password into it.
            let message = format!("{what}; expected `rediss://host:port`");
            Error::new(ErrorKind::Configuration, NAME, message)
        };
        let url = url::Url::parse(url).map_err(|_| wrong("the URL of Redis cannot be read"))?;
        let tls = match url.scheme() {
            "rediss" => true,
            "redis" => false,
            _ => return Err(wrong("the URL of Redis has another scheme")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "the URL of Redis names a user, but the user is the identity of the token",
            ));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("the URL of Redis holds more than host and port"));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("the URL of Redis names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url
            .port()
            .unwrap_or(if tls { AZURE_CACHE_PORT } else { 6379 });
        Ok(Self::new(host, port).tls(tls))
    }
}

impl fmt::Display for RedisEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

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

#[cfg(test)]
mod tests {
    use super::RedisEndpoint;

    #[test]
    fn an_endpoint_is_host_and_port_and_nothing_else() {
        let parse = |url: &str| RedisEndpoint::parse(url);
        let azure = RedisEndpoint::new("contoso.redis.cache.windows.net", 6380);
        assert_eq!(
            parse("rediss://contoso.redis.cache.windows.net").unwrap(),
            azure
        );
        let local = RedisEndpoint::new("::1", 7000).tls(false);
        assert_eq!(parse("redis://[::1]:7000/").unwrap(), local);
        assert_eq!(local.to_string(), "[::1]:7000");
        for wrong in [
            "contoso:6380",
            "https://contoso",
            "rediss://user@contoso",
            "rediss://:hunter2@contoso",
            "rediss://contoso/3",
            "rediss://contoso?protocol=resp3",
        ] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains("expected `rediss://host:port`"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
