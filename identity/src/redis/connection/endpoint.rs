//! The address of a Redis server.

use std::fmt;

use crate::{Error, ErrorKind, redis::NAME};

/// The port of Azure Cache for Redis, which speaks TLS (RS-46).
pub const AZURE_CACHE_PORT: u16 = 6380;

/// The port of Azure Managed Redis, which speaks TLS (RS-46).
pub const AZURE_MANAGED_REDIS_PORT: u16 = 10_000;

/// A Redis server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisEndpoint {
    /// The host name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the connection uses TLS (1.2 or newer), which Azure requires (RS-40).
    /// [`new`](Self::new) sets `true`.
    pub tls: bool,
}

impl RedisEndpoint {
    /// Returns the endpoint of a server that uses TLS, as every one in Azure does.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            tls: true,
        }
    }

    /// Sets whether TLS is used. Without TLS the token is sent in clear text.
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Parses `rediss://host[:port]` or, without TLS, `redis://host[:port]`. The default ports are
    /// 6380 and 6379.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it is another URL, or one with a user name, a password, a
    /// path or a query: the identity comes from the provider (RA-19), the rest from
    /// [`ConnectionOptions`](super::ConnectionOptions).
    pub fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            // The URL is not quoted, because it may contain a password.
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
