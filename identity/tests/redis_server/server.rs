//! A real redis-server, and a source of tokens that it accepts.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credsim_identity::{
    AccessToken, Error, Platform, TokenCredential, TokenRequest,
    platform::BoxFuture,
    redis::{
        EntraIdCredentialsProvider, RedisEvent, RedisObserver,
        connection::{ConnectionOptions, RedisEndpoint},
    },
};
use jiff::{SignedDuration, Timestamp};
use redis::{ProtocolVersion, RedisResult, aio::MultiplexedConnection, cmd};

/// The object id of the identity, which is its user name (RD-01).
pub const OID: &str = "5e29463d-0000-0000-0000-000000000001";

/// A server of its own for one test. It ends with the value.
pub struct Server {
    child: Child,
    pub port: u16,
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
    /// `None` where there is no redis-server; with `CREDSIM_REQUIRE` that is a failure.
    pub async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    /// With further arguments.
    pub async fn start_with(args: &[&str]) -> Option<Self> {
        // Another process may take the port before the server does.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let folder = tempfile::tempdir().unwrap();
            let spawned = Command::new("redis-server")
                .args([
                    "--port",
                    &port.to_string(),
                    "--save",
                    "",
                    "--bind",
                    "127.0.0.1",
                ])
                .args(["--appendonly", "no", "--dir"])
                .arg(folder.path())
                .args(args)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let mut child = match spawned {
                Ok(child) => child,
                Err(_) if std::env::var_os("CREDSIM_REQUIRE").is_none() => {
                    eprintln!("skipped: no redis-server here; run sim/drivers/install first");
                    return None;
                }
                Err(error) => panic!("redis-server: {error}; run sim/drivers/install first"),
            };
            let client = redis::Client::open(("127.0.0.1", port)).unwrap();
            for _ in 0..200 {
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                if let Ok(admin) = client.get_multiplexed_async_connection().await {
                    return Some(Self {
                        child,
                        port,
                        _folder: folder,
                        admin,
                    });
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("redis-server does not start");
    }

    pub fn endpoint(&self) -> RedisEndpoint {
        RedisEndpoint::new("127.0.0.1", self.port).tls(false)
    }

    /// A user with all permissions and without a token.
    pub fn admin(&self) -> MultiplexedConnection {
        self.admin.clone()
    }

    /// Closes every connection of the identity, without an error line (RS-18).
    pub async fn evict(&self) -> i64 {
        let mut kill = cmd("CLIENT");
        kill.arg("KILL").arg("USER").arg(OID);
        kill.query_async(&mut self.admin()).await.unwrap()
    }

    /// A source whose tokens live for `life`.
    pub fn entra(&self, life: Duration) -> Entra {
        Entra(Arc::new(EntraInner {
            admins: Mutex::new(vec![self.admin()]),
            life,
            issued: AtomicU32::new(0),
            refused: Mutex::new(Vec::new()),
            held_back: Mutex::new(Vec::new()),
        }))
    }
}

/// Issues tokens, and sets them as passwords on the server.
#[derive(Clone)]
pub struct Entra(Arc<EntraInner>);

struct EntraInner {
    admins: Mutex<Vec<MultiplexedConnection>>,
    life: Duration,
    issued: AtomicU32,
    /// The tokens, counted from 1, that the server does not accept.
    refused: Mutex<Vec<u32>>,
    held_back: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Entra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entra")
    }
}

impl Entra {
    /// The server will not know these tokens, counted from 1.
    pub fn refuse(&self, numbers: impl IntoIterator<Item = u32>) -> &Self {
        self.0.refused.lock().unwrap().extend(numbers);
        self
    }

    /// The server learns of the tokens that it did not know.
    pub async fn accept(&self) {
        let held_back = std::mem::take(&mut *self.0.held_back.lock().unwrap());
        self.0.refused.lock().unwrap().clear();
        for token in held_back {
            self.tell(&token).await;
        }
    }

    async fn tell(&self, token: &str) {
        let mut user = cmd("ACL");
        user.arg("SETUSER")
            .arg(OID)
            .arg("on")
            .arg(format!(">{token}"));
        user.arg("~*").arg("&*").arg("+@all");
        let admins = self.0.admins.lock().unwrap().clone();
        for mut admin in admins {
            let told: RedisResult<()> = user.query_async(&mut admin).await;
            told.unwrap();
        }
    }

    /// Sets the tokens on another server, too.
    pub fn also(&self, server: &Server) {
        self.0.admins.lock().unwrap().push(server.admin());
    }

    /// A provider of these tokens, and its events.
    pub fn provider(&self) -> (EntraIdCredentialsProvider, Events) {
        let events = Events::default();
        let provider = EntraIdCredentialsProvider::builder(self.clone())
            .platform(Platform::system())
            .observer(Arc::new(events.clone()))
            .build()
            .unwrap();
        (provider, events)
    }
}

impl TokenCredential for Entra {
    fn name(&self) -> &str {
        "Entra"
    }

    fn get_token<'a>(&'a self, _: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async {
            let number = self.0.issued.fetch_add(1, Ordering::Relaxed) + 1;
            let life = SignedDuration::try_from(self.0.life).unwrap();
            let expires_on = Timestamp::now() + life;
            let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
            let claims = format!(r#"{{"oid":"{OID}","jti":"{number}"}}"#);
            let token = format!("{}.{}.c2ln", encode(r#"{"alg":"none"}"#), encode(&claims));
            if self.0.refused.lock().unwrap().contains(&number) {
                self.0.held_back.lock().unwrap().push(token.clone());
            } else {
                self.tell(&token).await;
            }
            Ok(AccessToken::new(token, expires_on, "Entra"))
        })
    }
}

/// The events, each in one line.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<RedisEvent>>>);

impl RedisObserver for Events {
    fn event(&self, event: &RedisEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Events {
    pub fn count(&self, is: impl Fn(&RedisEvent) -> bool) -> usize {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|event| is(event))
            .count()
    }

    pub fn refreshed(&self) -> usize {
        self.count(|event| matches!(event, RedisEvent::Refreshed { .. }))
    }

    pub fn reauthenticated(&self) -> usize {
        self.count(|event| matches!(event, RedisEvent::Reauthenticated { .. }))
    }

    pub fn refused(&self) -> usize {
        self.count(|event| matches!(event, RedisEvent::ReauthenticationFailed { .. }))
    }

    pub fn given_up(&self) -> usize {
        self.count(|event| matches!(event, RedisEvent::TransactionFailed { .. }))
    }

    pub fn replaced(&self) -> usize {
        self.count(|event| matches!(event, RedisEvent::Replaced { .. }))
    }

    /// Waits until `reached`, at most five seconds.
    pub async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        for _ in 0..1000 {
            if reached(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{what} did not happen; told: {:#?}", self.0.lock().unwrap());
    }
}

/// Options in which nothing waits for long.
pub fn options(protocol: ProtocolVersion) -> ConnectionOptions {
    let mut options = ConnectionOptions::default();
    options.protocol = protocol;
    options.spread = Duration::from_millis(100);
    options
}
