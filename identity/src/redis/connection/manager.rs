//! A connection that comes back.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value, aio::ConnectionLike};

use super::{
    EntraConnection,
    backoff::Backoff,
    command::Verb,
    error::{Ended, no_connection, no_credentials},
    options::{ConnectionOptions, RedisEndpoint},
    session::Session,
    single::Failure,
    tokens::Tokens,
};
use crate::{
    platform::TaskHandle,
    redis::{EntraIdCredentialsProvider, RedisEvent, event::tell, watch},
};

/// An [`EntraConnection`] that is replaced when it ends. Clones share it.
///
/// - It connects anew at once, then after 50 ms, doubled up to 2 s, plus up to 200 ms; each time
///   with a token that is valid (RD-14), and never with more than one handshake in a write (RA-18).
/// - Commands under way when a connection ends fail with its error. They are not sent again: nobody
///   knows whether they were executed. New commands wait for the next connection, up to
///   [`connect_timeout`](ConnectionOptions::connect_timeout).
/// - A transaction made by hand does not survive, and none of its commands is executed on its own: up
///   to `EXEC` or `DISCARD` they fail with an error that says so, but no longer than a minute after
///   the first of these errors, for others share the connection. After a `WATCH` it is `EXEC` that
///   fails.
/// - It subscribes to the provider once, however often it reconnects (RA-17).
#[derive(Clone)]
pub struct EntraConnectionManager {
    state: watch::Receiver<State>,
    left: Left,
    /// The connection that this clone used last. Used until it has ended.
    last: Option<EntraConnection>,
    provider: EntraIdCredentialsProvider,
    options: Arc<ConnectionOptions>,
    _worker: Arc<TaskHandle>,
}

/// The session that the last connection has left behind, until the next one takes it over.
type Left = Arc<Mutex<Session>>;

#[derive(Clone)]
enum State {
    Up(EntraConnection),
    /// With the last error.
    Down(Option<RedisError>),
}

impl EntraConnectionManager {
    /// Connects and authenticates. It tries again while
    /// [`connect_timeout`](ConnectionOptions::connect_timeout) lasts.
    ///
    /// # Errors
    /// That of the last try; see [`EntraConnection::connect`].
    pub async fn connect(
        endpoint: RedisEndpoint,
        provider: &EntraIdCredentialsProvider,
        options: ConnectionOptions,
    ) -> RedisResult<Self> {
        let sender = watch::Sender::new(State::Down(None));
        let state = sender.subscribe();
        let options = Arc::new(options);
        let left = Left::default();
        let worker = Worker {
            endpoint,
            provider: provider.clone(),
            options: Arc::clone(&options),
            state: sender,
            left: Arc::clone(&left),
        };
        let worker = provider
            .platform()
            .spawner
            .spawn(Box::pin(worker.run(Tokens::of(provider))));
        let mut manager = Self {
            state,
            left,
            last: None,
            provider: provider.clone(),
            options,
            _worker: Arc::new(worker),
        };
        manager.last = Some(manager.up().await?);
        Ok(manager)
    }

    /// The connection, as soon as there is one.
    async fn up(&self) -> RedisResult<EntraConnection> {
        if let Some(connection) = self.state.borrow().alive() {
            return Ok(connection.clone());
        }
        let limit = self.options.connect_timeout;
        let mut state = self.state.clone();
        let up = async {
            loop {
                if let Some(connection) = state.borrow_and_update().alive() {
                    return Some(connection.clone());
                }
                state.changed().await.ok()?;
            }
        };
        match self.provider.platform().within(limit, up).await {
            Some(Some(connection)) => Ok(connection),
            other => Err(match (self.provider.trouble(), other) {
                // Without a token nobody gets as far as the network.
                (Some(error), _) => no_credentials(&error),
                (None, Some(_)) => (&Ended::Dropped).into(),
                (None, None) => self.last_error().unwrap_or_else(|| no_connection(limit)),
            }),
        }
    }

    fn last_error(&self) -> Option<RedisError> {
        match &*self.state.borrow() {
            State::Down(error) => error.clone(),
            State::Up(_) => None,
        }
    }

    /// The connection for a command, or for those of a plain pipeline.
    ///
    /// While there is none, what belongs to a transaction that went with the last one is refused at
    /// once: its caller has not to wait for the next one to learn of it, and his `EXEC` ends it even
    /// if that never comes.
    async fn up_for(&self, verbs: &[Verb]) -> RedisResult<EntraConnection> {
        if let Some(connection) = self.state.borrow().alive() {
            return Ok(connection.clone());
        }
        self.refuse(verbs)?;
        let up = self.up().await;
        if up.is_err() {
            // What the last one left behind may have become known only now.
            self.refuse(verbs)?;
        }
        up
    }

    fn refuse(&self, verbs: &[Verb]) -> RedisResult<()> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let now = || self.provider.platform().clock.monotonic();
        match left.refuses(verbs, now) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    async fn command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        loop {
            if let Some(connection) = &mut self.last {
                match connection.command(cmd).await {
                    Ok(value) => return Ok(value),
                    Err(Failure::Error(error)) => return Err(error),
                    Err(Failure::NotSent) => self.last = None,
                }
            }
            let verbs = [Verb::of(cmd)];
            self.last = Some(Box::pin(self.up_for(&verbs)).await?);
        }
    }

    async fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        loop {
            if let Some(connection) = &mut self.last {
                match connection.pipeline(pipeline, offset, count).await {
                    Ok(values) => return Ok(values),
                    Err(Failure::Error(error)) => return Err(error),
                    Err(Failure::NotSent) => self.last = None,
                }
            }
            self.last = Some(match pipeline.is_transaction() {
                // It is a transaction of its own.
                true => Box::pin(self.up()).await?,
                false => Box::pin(self.up_for(&Verb::of_pipeline(pipeline))).await?,
            });
        }
    }
}

impl State {
    fn alive(&self) -> Option<&EntraConnection> {
        match self {
            Self::Up(connection) if connection.gate().ended().is_none() => Some(connection),
            _ => None,
        }
    }
}

/// Connects, keeps the connection, and begins anew.
struct Worker {
    endpoint: RedisEndpoint,
    provider: EntraIdCredentialsProvider,
    options: Arc<ConnectionOptions>,
    state: watch::Sender<State>,
    left: Left,
}

impl Worker {
    fn left(&self) -> MutexGuard<'_, Session> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self, mut tokens: Tokens) {
        let platform = self.provider.platform();
        let mut lost = None;
        let mut backoff = Backoff::default();
        loop {
            let opened = EntraConnection::open(&self.endpoint, &self.provider, &self.options).await;
            let (why, wait) = match opened {
                Ok((opened, keeper)) => {
                    if let Some(why) = lost.take() {
                        let replaced = RedisEvent::Replaced {
                            connection: self.endpoint.to_string(),
                            why,
                            gap: None,
                        };
                        tell(self.provider.observer(), &replaced);
                    }
                    let connection = opened.kept(None);
                    let gate = Arc::clone(connection.gate());
                    let began = platform.clock.monotonic();
                    gate.inherit(std::mem::take(&mut *self.left()));
                    self.state.send_replace(State::Up(connection));
                    keeper.run(&mut tokens).await;
                    let ended = gate.ended().unwrap_or(Ended::Broken);
                    *self.left() = gate.session().after_loss();
                    lost = Some(ended.to_string());
                    let lifetime = platform.clock.monotonic().saturating_sub(began);
                    (RedisError::from(&ended), backoff.lost(platform, lifetime))
                }
                Err(error) => (error, backoff.failed(platform)),
            };
            self.state.send_replace(State::Down(Some(why)));
            if self.provider.is_disposed() {
                return;
            }
            if !wait.is_zero() {
                platform.clock.sleep(wait).await;
            }
        }
    }
}

impl ConnectionLike for EntraConnectionManager {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.command(cmd))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.pipeline(pipeline, offset, count))
    }

    fn get_db(&self) -> i64 {
        self.options.database
    }
}

impl fmt::Debug for EntraConnectionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraConnectionManager")
            .field("connected", &self.state.borrow().alive().is_some())
            .finish_non_exhaustive()
    }
}
