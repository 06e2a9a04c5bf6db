//! Makes one connection, as the crate's `Client` does.

use std::{
    io,
    sync::{Arc, LazyLock},
    time::Duration,
};

use credsim::credential::Protocol;
use credsim_identity::platform::{BoxFuture, ByteStream, Platform, TaskHandle};
use futures_util::TryFutureExt as _;
use redis::{
    AsyncConnectionConfig, EntraIdCredentialsProvider, ProtocolVersion, PushInfo,
    RedisConnectionInfo, RedisResult, aio::MultiplexedConnection,
};
use tokio::sync::mpsc::UnboundedSender;

/// How long connecting, waiting for credentials and signing in may take together: the default of
/// the crate's `Client` (RD-30).
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

// The driver of a connection borrows what the connection was made with.
static RESP2: LazyLock<RedisConnectionInfo> = LazyLock::new(RedisConnectionInfo::default);
static RESP3: LazyLock<RedisConnectionInfo> =
    LazyLock::new(|| RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3));

/// What is needed to make a connection.
#[derive(Clone)]
pub struct Connector {
    /// The host that it is made from.
    pub platform: Platform,
    /// Where the credentials come from, now and later.
    pub provider: EntraIdCredentialsProvider,
    /// Host and port.
    pub to: (String, u16),
    /// The version spoken.
    pub protocol: Protocol,
    /// How long a reply may take; the crate's default if none.
    pub response_timeout: Option<Duration>,
}

/// A connection and the work that reads and writes for it. Clones are the same connection.
#[derive(Clone)]
pub struct Live {
    /// The crate's connection.
    pub connection: MultiplexedConnection,
    _driver: Arc<TaskHandle>,
}

impl Connector {
    /// Makes a connection that signs in, and signs in again with each further token (RA-14). With
    /// RESP3 what the server pushes goes to `pushes`.
    ///
    /// # Errors
    /// The crate's own.
    pub fn connect(
        self,
        pushes: UnboundedSender<PushInfo>,
    ) -> BoxFuture<'static, RedisResult<Live>> {
        let mut config =
            AsyncConnectionConfig::new().set_credentials_provider(self.provider.clone());
        if let Some(limit) = self.response_timeout {
            config = config.set_response_timeout(Some(limit));
        }
        let info: &'static RedisConnectionInfo = match self.protocol {
            Protocol::Resp2 => &RESP2,
            Protocol::Resp3 => &RESP3,
        };
        if self.protocol == Protocol::Resp3 {
            config = config.set_push_sender(pushes);
        }
        Box::pin(async move {
            let connecting = async {
                let stream = self.platform.streams.connect(&self.to.0, self.to.1).await?;
                sign_in(info, stream, config).await
            };
            let connected = self.platform.within(CONNECTION_TIMEOUT, connecting).await;
            let (connection, driver) = connected
                .unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()))?;
            let driver = self.platform.spawner.spawn(driver);
            Ok(Live {
                connection,
                _driver: Arc::new(driver),
            })
        })
    }
}

type SignedIn = RedisResult<(MultiplexedConnection, BoxFuture<'static, ()>)>;

fn sign_in(
    info: &'static RedisConnectionInfo,
    stream: ByteStream,
    config: AsyncConnectionConfig,
) -> BoxFuture<'static, SignedIn> {
    let made = MultiplexedConnection::new_with_config(info, stream, config);
    Box::pin(made.map_ok(|(connection, driver)| (connection, Box::pin(driver) as _)))
}
