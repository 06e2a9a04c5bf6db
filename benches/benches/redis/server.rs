//! A real redis-server, and a token source whose tokens it accepts.

use std::{
    fmt, io,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credsim_identity::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRequest,
    platform::BoxFuture,
    redis::{
        EntraIdCredentialsProvider, RedisObserver, TokenManagerConfig, connection::RedisEndpoint,
    },
};
use jiff::{SignedDuration, Timestamp};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo,
    RedisResult, aio::MultiplexedConnection, cmd, io::tcp::TcpSettings,
};

use crate::Outcome;

const OID: &str = "5e29463d-0000-0000-0000-000000000001";

const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// A running server. It ends when this is dropped.
pub struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
    admin: MultiplexedConnection,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// `None` where it is not installed.
    pub async fn start() -> Outcome<Option<Self>> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = tempfile::tempdir()?;
        let started = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        for _ in 0..200 {
            if child.try_wait()?.is_some() {
                break;
            }
            if let Ok(admin) = bare(port, RedisConnectionInfo::default()).await {
                return Ok(Some(Self {
                    child,
                    port,
                    _folder: folder,
                    admin,
                }));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let _ = child.kill();
        let _ = child.wait();
        Err("redis-server does not start".into())
    }

    pub fn endpoint(&self) -> RedisEndpoint {
        RedisEndpoint::new("127.0.0.1", self.port).tls(false)
    }

    /// A provider of tokens that last an hour. They are renewed after `ratio` of their life.
    pub fn provider(
        &self,
        ratio: f64,
        observer: Arc<dyn RedisObserver>,
    ) -> Outcome<EntraIdCredentialsProvider> {
        let entra = Entra {
            admin: self.admin.clone(),
            issued: AtomicU32::new(0),
        };
        let config = TokenManagerConfig {
            expiration_refresh_ratio: ratio,
            ..TokenManagerConfig::default()
        };
        let provider = EntraIdCredentialsProvider::builder(entra)
            .config(config)
            .observer(observer);
        Ok(provider.build()?)
    }

    /// A connection of the `redis` crate.
    pub async fn bare(&self, settings: RedisConnectionInfo) -> RedisResult<MultiplexedConnection> {
        bare(self.port, settings).await
    }
}

async fn bare(port: u16, settings: RedisConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let at = ConnectionAddr::Tcp("127.0.0.1".to_owned(), port).into_connection_info()?;
    // The same as in our layer: commands are small and wait for their answers.
    let at = at.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let client = Client::open(at.set_redis_settings(settings))?;
    let config = config();
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// The defaults of the crate, except for the time limit of an answer, which is that of our layer.
pub fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(10)))
}

/// Issues tokens, and registers each as a password on the server.
struct Entra {
    admin: MultiplexedConnection,
    issued: AtomicU32,
}

impl fmt::Debug for Entra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entra")
    }
}

impl TokenCredential for Entra {
    fn name(&self) -> &str {
        "Entra"
    }

    fn get_token<'a>(&'a self, _: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async {
            let number = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
            let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
            let claims = format!(r#"{{"oid":"{OID}","jti":"{number}"}}"#);
            let token = format!("{}.{}.c2ln", encode(r#"{"alg":"none"}"#), encode(&claims));
            let mut user = cmd("ACL");
            user.arg("SETUSER").arg(OID).arg("on");
            user.arg(format!(">{token}"));
            user.arg("~*").arg("&*").arg("+@all");
            let told = user.exec_async(&mut self.admin.clone()).await;
            told.map_err(|error| Error::new(ErrorKind::Failed, "Entra", error.to_string()))?;
            let expires_on = Timestamp::now() + TOKEN_LIFE;
            Ok(AccessToken::new(token, expires_on, "Entra"))
        })
    }
}
