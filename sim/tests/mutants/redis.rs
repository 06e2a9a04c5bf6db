//! Redis clients with the mistakes of a first attempt.

use std::sync::Arc;

use credsim::{
    credential::{Credential, Protocol, RedisHow, RedisSubject},
    engine::BoxFuture,
    subject::{
        Built, Heard, Identity, Lent, RedisClient, RedisConnection, RedisSubscriber, Subject,
        identity::redis::{client, provider_on},
        redis::{said, send},
    },
};
use credsim_identity::{
    Error, TokenCredential, TokenRequest,
    platform::TaskHandle,
    redis::{EntraIdCredentialsProvider, REDIS_SCOPE_DEFAULT},
};
use redis::{
    AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo, aio::MultiplexedConnection,
};
use tokio::sync::{Mutex, OnceCell};

type Made = Result<Arc<dyn RedisClient>, Error>;
type MakeClient = dyn Fn(&RedisSubject, Arc<dyn TokenCredential>, &Lent) -> Made + Send + Sync;

/// A subject whose Redis client is wrong; its credentials are those of `identity`.
pub struct WrongRedis(Box<MakeClient>);

impl WrongRedis {
    pub fn makes<F>(make: F) -> Arc<dyn Subject>
    where
        F: Fn(&RedisSubject, Arc<dyn TokenCredential>, &Lent) -> Made + Send + Sync + 'static,
    {
        Arc::new(Self(Box::new(make)))
    }

    /// The client of `identity`, with other options than the scenario's.
    pub fn options(change: fn(&mut RedisSubject)) -> Arc<dyn Subject> {
        Self::makes(move |described, credential, lent| {
            let mut described = described.clone();
            change(&mut described);
            ours(&described, credential, lent)
        })
    }

    /// The `redis` crate on the credentials provider of `identity`.
    pub fn bare(renews: Renews) -> Arc<dyn Subject> {
        Self::makes(move |described, credential, lent| {
            let provider = provider_on(credential.clone(), described, lent)?;
            Ok(Arc::new(Bare {
                provider,
                credential,
                renews,
                described: described.clone(),
                lent: lent.clone(),
                first: Arc::default(),
            }))
        })
    }
}

impl Subject for WrongRedis {
    fn name(&self) -> &str {
        "wrong"
    }

    fn log_targets(&self) -> &[&str] {
        &["credsim_identity", "redis"]
    }

    fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
        Identity.build(credential, lent)
    }

    fn build_redis(&self, described: &RedisSubject, credential: &Credential, lent: &Lent) -> Made {
        let credential = Identity.build(credential, lent)?.credential;
        (self.0)(described, credential, lent)
    }
}

pub fn ours(described: &RedisSubject, credential: Arc<dyn TokenCredential>, lent: &Lent) -> Made {
    let provider = provider_on(credential, described, lent)?;
    Ok(client(provider, described, lent))
}

/// What happens to a connection of the bare crate when there is a new token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Renews {
    /// The default of the crate: AUTH at once, also inside a transaction.
    AtOnce,
    /// Nothing.
    Never,
    /// Nothing; and it signs in as user `default` where the token names no user.
    AsDefault,
    /// Nothing; and it signs in with its first token for each piece of work.
    WithItsFirst,
}

#[derive(Clone)]
struct Bare {
    provider: EntraIdCredentialsProvider,
    credential: Arc<dyn TokenCredential>,
    renews: Renews,
    described: RedisSubject,
    lent: Lent,
    first: Arc<OnceCell<(String, String)>>,
}

impl Bare {
    async fn dial(&self) -> Result<(MultiplexedConnection, TaskHandle), String> {
        let protocol = match self.described.protocol {
            Protocol::Resp2 => ProtocolVersion::RESP2,
            Protocol::Resp3 => ProtocolVersion::RESP3,
        };
        let platform = &self.lent.platform;
        let (host, port) = self.lent.redis.first().ok_or("no Redis")?;
        let stream = platform.streams.connect(host, *port).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let mut info = RedisConnectionInfo::default().set_protocol(protocol);
        let mut config = AsyncConnectionConfig::new().set_response_timeout(None);
        if self.renews == Renews::AtOnce {
            config = config.set_credentials_provider(self.provider.clone());
        } else {
            let first = self.first.get_or_try_init(|| self.sign_in()).await?;
            info = info.set_username(&first.0).set_password(&first.1);
        }
        let made = MultiplexedConnection::new_with_config(&info, stream, config).await;
        let (connection, driver) = made.map_err(|error| said(&error))?;
        Ok((connection, platform.spawner.spawn(Box::pin(driver))))
    }

    async fn sign_in(&self) -> Result<(String, String), String> {
        match (self.provider.credentials().await, self.renews) {
            (Ok(ready), _) => Ok((ready.user_name().to_owned(), ready.password().to_owned())),
            (Err(_), Renews::AsDefault) => {
                let request = TokenRequest::new([REDIS_SCOPE_DEFAULT]);
                let token = self.credential.get_token(&request).await;
                let token = token.map_err(|error| error.to_string())?;
                Ok(("default".to_owned(), token.secret().to_owned()))
            }
            (Err(error), _) => Err(error.to_string()),
        }
    }
}

impl RedisClient for Bare {
    fn name(&self) -> &str {
        "redis"
    }

    fn connect(&self) -> BoxFuture<'static, Result<Arc<dyn RedisConnection>, String>> {
        let bare = self.clone();
        Box::pin(async move {
            if bare.renews == Renews::WithItsFirst {
                return Ok(Arc::new(bare) as Arc<dyn RedisConnection>);
            }
            let (connection, driver) = bare.dial().await?;
            Ok(Arc::new(BareConnection(connection, driver)) as _)
        })
    }

    fn subscribe(
        &self,
        _: Vec<String>,
    ) -> BoxFuture<'static, Result<Box<dyn RedisSubscriber>, String>> {
        Box::pin(async { Err("it can't".to_owned()) })
    }

    fn dispose(&self) {
        self.provider.dispose();
    }

    fn tokens(&self) -> usize {
        0
    }
}

/// A connection for each piece of work.
impl RedisConnection for Bare {
    fn send(
        &self,
        commands: Vec<Vec<String>>,
        how: RedisHow,
    ) -> BoxFuture<'static, Vec<Result<String, String>>> {
        let bare = self.clone();
        Box::pin(async move {
            match bare.dial().await {
                Ok((mut connection, _driver)) => send(&mut connection, &commands, how).await,
                Err(why) => vec![Err(why)],
            }
        })
    }
}

struct BareConnection(
    MultiplexedConnection,
    #[expect(dead_code, reason = "owns the driver")] TaskHandle,
);

impl RedisConnection for BareConnection {
    fn send(
        &self,
        commands: Vec<Vec<String>>,
        how: RedisHow,
    ) -> BoxFuture<'static, Vec<Result<String, String>>> {
        let mut connection = self.0.clone();
        Box::pin(async move { send(&mut connection, &commands, how).await })
    }
}

/// A subscriber that does not report gaps.
pub fn keeps_gaps_to_itself(inner: Made) -> Made {
    Ok(Arc::new(Silent(inner?)))
}

struct Silent(Arc<dyn RedisClient>);

impl RedisClient for Silent {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn connect(&self) -> BoxFuture<'static, Result<Arc<dyn RedisConnection>, String>> {
        self.0.connect()
    }

    fn subscribe(
        &self,
        channels: Vec<String>,
    ) -> BoxFuture<'static, Result<Box<dyn RedisSubscriber>, String>> {
        let made = self.0.subscribe(channels);
        Box::pin(async move { Ok(Box::new(SilentSubscriber(made.await?)) as Box<_>) })
    }

    fn dispose(&self) {
        self.0.dispose();
    }

    fn tokens(&self) -> usize {
        self.0.tokens()
    }
}

struct SilentSubscriber(Box<dyn RedisSubscriber>);

impl RedisSubscriber for SilentSubscriber {
    fn next(&mut self) -> BoxFuture<'_, Option<Heard>> {
        Box::pin(async move {
            loop {
                match self.0.next().await? {
                    Heard::Gap { .. } => {}
                    message => return Some(message),
                }
            }
        })
    }
}

/// A client that runs one piece of work after the other, even on different connections.
pub fn does_one_thing_at_a_time(inner: Made) -> Made {
    Ok(Arc::new(OneByOne(inner?, Arc::default())))
}

struct OneByOne(Arc<dyn RedisClient>, Arc<Mutex<()>>);

impl RedisClient for OneByOne {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn connect(&self) -> BoxFuture<'static, Result<Arc<dyn RedisConnection>, String>> {
        let (made, turn) = (self.0.connect(), self.1.clone());
        Box::pin(async move { Ok(Arc::new(InTurn(made.await?, turn)) as Arc<_>) })
    }

    fn subscribe(
        &self,
        channels: Vec<String>,
    ) -> BoxFuture<'static, Result<Box<dyn RedisSubscriber>, String>> {
        self.0.subscribe(channels)
    }

    fn dispose(&self) {
        self.0.dispose();
    }

    fn tokens(&self) -> usize {
        self.0.tokens()
    }
}

struct InTurn(Arc<dyn RedisConnection>, Arc<Mutex<()>>);

impl RedisConnection for InTurn {
    fn send(
        &self,
        commands: Vec<Vec<String>>,
        how: RedisHow,
    ) -> BoxFuture<'static, Vec<Result<String, String>>> {
        let (inner, turn) = (self.0.clone(), self.1.clone());
        Box::pin(async move {
            let _turn = turn.lock().await;
            inner.send(commands, how).await
        })
    }
}
