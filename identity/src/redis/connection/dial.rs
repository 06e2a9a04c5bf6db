//! Connecting and authenticating.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use redis::{
    AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, RedisResult,
    aio::MultiplexedConnection,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio_rustls::TlsConnector;

use super::{
    endpoint::RedisEndpoint,
    error::{no_connection, no_credentials},
    options::ConnectionOptions,
    schedule::Term,
};
use crate::{
    Platform,
    platform::{BoxFuture, ByteStream},
    redis::{EntraIdCredentialsProvider, RedisCredentials},
};

/// A connection that has just authenticated.
pub(super) struct Dialled<T> {
    pub what: T,
    pub credentials: RedisCredentials,
    pub term: Term,
}

/// The handshake on a new connection.
pub(super) type Handshake<'a, T> =
    dyn Fn(ByteStream, RedisCredentials) -> BoxFuture<'static, RedisResult<T>> + Send + Sync + 'a;

/// Connects with valid credentials, and a second time with other credentials if the server refuses
/// the first. A token that has ended is never sent (RD-14).
///
/// # Errors
/// `AuthenticationFailed` without a token; otherwise the error of the network, of TLS or of the
/// server, or a time-out after `connect_timeout`.
pub(super) async fn dial<T>(
    endpoint: &RedisEndpoint,
    provider: &EntraIdCredentialsProvider,
    options: &ConnectionOptions,
    handshake: &Handshake<'_, T>,
) -> RedisResult<Dialled<T>> {
    let platform = provider.platform();
    // No connection is made while there is no token to send on it.
    (provider.credentials().await).map_err(|error| no_credentials(&error))?;
    let mut again = true;
    loop {
        let limit = options.connect_timeout;
        let connected = platform.within(limit, async {
            let stream = connect(platform, endpoint, options).await?;
            // Connecting takes time, so the token may have ended meanwhile.
            let credentials = (provider.credentials().await).map_err(|e| no_credentials(&e))?;
            let term = Term::begin(platform, &credentials, options);
            let what = handshake(stream, credentials.clone()).await;
            Ok::<_, RedisError>((what, credentials, term))
        });
        let Some(connected) = connected.await else {
            return Err(no_connection(limit));
        };
        let (what, sent, term) = connected?;
        let refused = match what {
            Ok(what) => {
                return Ok(Dialled {
                    what,
                    credentials: sent,
                    term,
                });
            }
            Err(error) if again && is_refusal(&error) => veiled(error, &sent),
            Err(error) => return Err(veiled(error, &sent)),
        };
        again = false;
        match provider.renew().await {
            Ok(other) if other != sent => {}
            _ => return Err(refused),
        }
    }
}

/// Returns the error of the server, without the token if the server has quoted it.
fn veiled(error: RedisError, credentials: &RedisCredentials) -> RedisError {
    let text = error.to_string();
    let veiled = credentials.veil(&text);
    if veiled == text {
        return error;
    }
    RedisError::from((error.kind(), "Redis refused the handshake", veiled))
}

/// Whether the server has refused the token.
fn is_refusal(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || error.code() == Some("WRONGPASS")
}

/// The handshake of the `redis` crate. `AUTH` is the first command of its only write, so the server
/// answers it even if it refuses the token (RA-09).
pub(super) fn multiplexed(
    stream: ByteStream,
    credentials: &RedisCredentials,
    options: &ConnectionOptions,
) -> BoxFuture<'static, RedisResult<(MultiplexedConnection, BoxFuture<'static, ()>)>> {
    let info = RedisConnectionInfo::default()
        .set_username(credentials.user_name())
        .set_password(credentials.password())
        .set_protocol(options.protocol)
        .set_db(options.database);
    // This layer applies the time limits, by the clock of the platform.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None);
    Box::pin(async move {
        let made = MultiplexedConnection::new_with_config(&info, stream, config).await;
        let (inner, driver) = made?;
        Ok((inner, Box::pin(driver) as BoxFuture<'static, ()>))
    })
}

/// Opens a byte stream to the endpoint, with TLS if the endpoint uses it.
async fn connect(
    platform: &Platform,
    endpoint: &RedisEndpoint,
    options: &ConnectionOptions,
) -> io::Result<ByteStream> {
    let RedisEndpoint { host, port, tls } = endpoint;
    let stream = platform.streams.connect(host, *port).await?;
    if !tls {
        return Ok(stream);
    }
    let config = match &options.tls_config {
        Some(config) => Arc::clone(config),
        None => default_tls()?,
    };
    let name = ServerName::try_from(host.clone())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    Ok(Box::new(stream))
}

/// Returns the default TLS configuration: TLS 1.2 or newer, and the certificate verifier of the
/// operating system (RS-40).
fn default_tls() -> io::Result<Arc<ClientConfig>> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(io::Error::other)?
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}
