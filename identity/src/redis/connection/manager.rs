//! A connection that is replaced when it ends.

use std::{fmt, sync::Arc};

use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value, aio::ConnectionLike};

use super::{
    EntraConnection,
    availability::Availability,
    command::Verb,
    endpoint::RedisEndpoint,
    error::{Ended, no_connection, no_credentials},
    failure::Failure,
    inheritance::Inheritance,
    options::ConnectionOptions,
    tokens::Tokens,
    worker::Worker,
};
use crate::{
    platform::TaskHandle,
    redis::{EntraIdCredentialsProvider, watch},
};

/// An [`EntraConnection`] that is replaced when it ends. Clones share it.
///
/// - It reconnects immediately. After a failure it waits for 50 ms, doubled with each further
///   failure up to 2 s, plus a jitter of up to 200 ms (RA-20, RA-21). Each attempt uses a token
///   that is valid (RD-14), and no write contains more than one handshake (RA-18).
/// - Commands under way when a connection ends fail with its error. They are not sent again,
///   because they may have been executed. New commands wait for the next connection, up to
///   [`connect_timeout`](ConnectionOptions::connect_timeout), 15 s by default.
/// - A transaction made by hand ends with its connection, and none of its commands is executed on
///   its own: up to `EXEC` or `DISCARD` they fail with an error that says so. This lasts for at
///   most 60 s after the first such error, because other callers share the connection. After a
///   `WATCH`, `EXEC` fails.
/// - It subscribes to the provider once, not with each connection (RA-17).
#[derive(Clone)]
pub struct EntraConnectionManager {
    state: watch::Receiver<Availability>,
    left: Inheritance,
    /// The connection that this clone used last; it is used until it has ended.
    last: Option<EntraConnection>,
    provider: EntraIdCredentialsProvider,
    options: Arc<ConnectionOptions>,
    _worker: Arc<TaskHandle>,
}

impl EntraConnectionManager {
    /// Connects and authenticates. Failed attempts are repeated while
    /// [`connect_timeout`](ConnectionOptions::connect_timeout) lasts.
    ///
    /// # Errors
    /// The error of the last attempt; see [`EntraConnection::connect`].
    pub async fn connect(
        endpoint: RedisEndpoint,
        provider: &EntraIdCredentialsProvider,
        options: ConnectionOptions,
    ) -> RedisResult<Self> {
        let sender = watch::Sender::new(Availability::Down(None));
        let state = sender.subscribe();
        let options = Arc::new(options);
        let left = Inheritance::default();
        let worker = Worker {
            endpoint,
            provider: provider.clone(),
            options: Arc::clone(&options),
            state: sender,
            left: left.clone(),
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

    /// Waits for a connection.
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
                // Without a token there is no attempt to connect.
                (Some(error), _) => no_credentials(&error),
                (None, Some(_)) => (&Ended::Dropped).into(),
                (None, None) => self.last_error().unwrap_or_else(|| no_connection(limit)),
            }),
        }
    }

    fn last_error(&self) -> Option<redis::RedisError> {
        match &*self.state.borrow() {
            Availability::Down(error) => error.clone(),
            Availability::Up(_) => None,
        }
    }

    /// Waits for a connection for a command, or for the commands of a plain pipeline.
    ///
    /// Without a connection, a command of a transaction that ended with the last connection is
    /// refused immediately: its caller gets the error without waiting for the next connection, and
    /// the caller's `EXEC` ends the transaction even if no connection comes.
    async fn up_for(&self, verbs: &[Verb]) -> RedisResult<EntraConnection> {
        if let Some(connection) = self.state.borrow().alive() {
            return Ok(connection.clone());
        }
        self.refuse(verbs)?;
        let up = self.up().await;
        if up.is_err() {
            // The last connection may have left its session behind meanwhile.
            self.refuse(verbs)?;
        }
        up
    }

    fn refuse(&self, verbs: &[Verb]) -> RedisResult<()> {
        let now = || self.provider.platform().clock.monotonic();
        Ok(self.left.admit(verbs, now)?)
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
                // An atomic pipeline is a transaction of its own.
                true => Box::pin(self.up()).await?,
                false => Box::pin(self.up_for(&Verb::of_pipeline(pipeline))).await?,
            });
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
