//! A single connection that re-authenticates.

use std::{fmt, pin::pin, sync::Arc, time::Duration};

use redis::{
    Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};

use super::{
    blocking::Blocking,
    command::Verb,
    dial::{dial, multiplexed},
    endpoint::RedisEndpoint,
    error::{Ended, no_response},
    failure::Failure,
    gate::{Entry, Gate, Request},
    keeper::Keeper,
    options::ConnectionOptions,
    reauthentication::Reauthentication,
    tokens::Tokens,
    wire::{Wire, judged},
};
use crate::{
    platform::TaskHandle,
    redis::{EntraIdCredentialsProvider, RedisEvent, observer::notify},
};

/// A connection to Redis, authenticated with the provider's token and with each new one in time.
/// Clones share it, and commands of all clones are multiplexed.
///
/// # Re-authentication
/// A new token is sent at a random time within the spread (PR-35). During that round trip no other
/// command is under way: `AUTH` is sent after the commands under way were answered, and new
/// commands wait for its answer. The answer must be `OK` or an error; anything else closes the
/// connection (RA-09). If the server refuses the token, the observer is notified, another token is
/// requested, and attempts continue while the old token is valid. At its end the connection closes
/// itself, and waiting callers get an error that says so.
///
/// # Transactions
/// An atomic pipeline is sent as one packet. After a `MULTI` that the caller sends, `AUTH` waits
/// for `EXEC` or `DISCARD` (PR-34, RA-25). If that does not come in time, the transaction is
/// discarded before the token ends, and each of its commands up to `EXEC` or `DISCARD` fails with
/// an error that says so. A `WATCH` survives `AUTH` (RS-03). Use a connection of its own for
/// transactions by hand: commands of other callers would become part of them.
///
/// # Blocking commands
/// `BLPOP`, `XREAD BLOCK` and similar commands may have any timeout: a command that would outlast
/// the token is sent in slices, and the caller sees one command. With each slice the server puts it
/// at the end of the queue of waiting clients. The timeout starts when the first slice is sent.
/// `XREAD` from `$` and `WAIT` are not sliced; their timeout should end before the token.
///
/// The connection is not replaced when it breaks; see
/// [`EntraConnectionManager`](super::EntraConnectionManager).
#[derive(Clone)]
pub struct EntraConnection {
    gate: Arc<Gate>,
    inner: MultiplexedConnection,
    response_timeout: Option<Duration>,
    _owner: Arc<Owner>,
}

/// Ends the connection when its last clone is dropped.
struct Owner {
    gate: Arc<Gate>,
    _keeper: Option<TaskHandle>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.gate.end(Ended::Dropped);
    }
}

impl EntraConnection {
    /// Connects and authenticates.
    ///
    /// # Errors
    /// [`AuthenticationFailed`](redis::ErrorKind::AuthenticationFailed) when there is no token, or
    /// the server refuses it and another one; otherwise the error of the network or of TLS, or a
    /// time-out after [`connect_timeout`](ConnectionOptions::connect_timeout), 15 s by default.
    pub async fn connect(
        endpoint: RedisEndpoint,
        provider: &EntraIdCredentialsProvider,
        options: ConnectionOptions,
    ) -> RedisResult<Self> {
        let mut tokens = Tokens::of(provider);
        let (opened, keeper) = Self::open(&endpoint, provider, &options).await?;
        let keeper = (provider.platform().spawner)
            .spawn(Box::pin(async move { keeper.run(&mut tokens).await }));
        Ok(opened.kept(Some(keeper)))
    }

    /// Connects. The caller runs the keeper.
    pub(super) async fn open(
        endpoint: &RedisEndpoint,
        provider: &EntraIdCredentialsProvider,
        options: &ConnectionOptions,
    ) -> RedisResult<(Opened, Keeper)> {
        let handshake = |stream, credentials| multiplexed(stream, &credentials, options);
        let dialled = dial(endpoint, provider, options, &handshake).await?;
        let (inner, driver) = dialled.what;
        let gate = Gate::new(provider.platform().clone(), dialled.term);
        let at_its_end = Arc::clone(&gate);
        gate.own(provider.platform().spawner.spawn(Box::pin(async move {
            driver.await;
            at_its_end.end(Ended::Broken);
        })));
        let connection = endpoint.to_string();
        let connected = RedisEvent::Connected {
            connection: connection.clone(),
        };
        notify(provider.observer(), &connected);
        let reauthentication = Reauthentication::new(
            provider.clone(),
            options.clone(),
            connection.clone(),
            dialled.credentials,
            dialled.term,
        );
        let keeper = Keeper::new(
            Arc::clone(&gate),
            inner.clone(),
            provider.platform().clone(),
            options.clone(),
            connection,
            reauthentication,
        );
        let opened = Opened {
            gate,
            inner,
            response_timeout: options.response_timeout,
        };
        Ok((opened, keeper))
    }

    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Sends a command.
    pub(super) async fn command(&mut self, cmd: &Cmd) -> Result<Value, Failure> {
        let verbs = [Verb::of(cmd)];
        let blocking = Blocking::of(cmd).filter(|_| !cmd.is_no_response());
        if let Some(blocking) = blocking.filter(|blocking| blocking.sliceable) {
            // Boxed, so that the future of every other command stays small.
            return Box::pin(self.block(cmd, blocking)).await;
        }
        let (gate, mut wire) = self.parts();
        let request = Request::Plain(&verbs);
        let entered = match gate.try_enter(request) {
            Some(entered) => entered,
            // Boxed, because it is rare and the future of every command should be small.
            None => Box::pin(gate.enter(request)).await,
        };
        let Entry { pass, instead, .. } = entered?;
        if let Some(refusal) = instead {
            return Err(Box::pin(wire.discard(pass, refusal)).await);
        }
        let limit = match (blocking, wire.response_timeout) {
            (None, limit) => limit,
            (Some(blocking), limit) => {
                (blocking.timeout.zip(limit)).map(|(a, b)| a.saturating_add(b))
            }
        };
        Ok(wire.send(cmd, pass, limit).await?)
    }

    /// Returns the gate, and the connection behind it.
    fn parts(&mut self) -> (&Gate, Wire<'_>) {
        let wire = Wire {
            gate: &self.gate,
            inner: &mut self.inner,
            response_timeout: self.response_timeout,
        };
        (&self.gate, wire)
    }

    /// Sends a blocking command, in slices where it would outlast the token.
    async fn block(&mut self, cmd: &Cmd, blocking: Blocking) -> Result<Value, Failure> {
        let (gate, mut wire) = self.parts();
        let clock = &gate.platform().clock;
        // Counted from the first slice on: the server, too, counts from the receipt of the command.
        let mut end = None;
        let mut first = true;
        loop {
            let entered = enter(gate, Request::Blocking).await;
            let Entry {
                pass,
                in_transaction,
                slice,
                ..
            } = match entered {
                // Slices before this one were sent, so the caller's command was, too.
                Err(Failure::NotSent) if !first => {
                    let ended = gate.ended().unwrap_or(Ended::Broken);
                    return Err(RedisError::from(&ended).into());
                }
                entered => entered?,
            };
            if in_transaction {
                let limit = wire.response_timeout;
                return Ok(wire.send(cmd, pass, limit).await?);
            }
            let now = clock.monotonic();
            if first {
                end = (blocking.timeout).and_then(|timeout| now.checked_add(timeout));
            }
            let left = end.map(|end| end.saturating_sub(now));
            if !first && left.is_some_and(|left| left < Duration::from_millis(1)) {
                pass.unused();
                return Ok(Value::Nil);
            }
            let whole = left.filter(|left| *left <= slice);
            let time = whole.unwrap_or(slice);
            let limit = (wire.response_timeout).map(|limit| limit.saturating_add(time));
            let reply = match (whole, first) {
                (Some(_), true) => wire.send(cmd, pass, limit).await?,
                _ => {
                    let short = blocking.shortened(cmd, time);
                    wire.send(&short, pass, limit).await?
                }
            };
            if whole.is_some() || reply != Value::Nil {
                return Ok(reply);
            }
            first = false;
        }
    }

    /// Sends a pipeline.
    pub(super) async fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, Failure> {
        let (gate, mut wire) = self.parts();
        let entry = if pipeline.is_transaction() {
            enter(gate, Request::Atomic).await?
        } else {
            let verbs = Verb::of_pipeline(pipeline);
            enter(gate, Request::Plain(&verbs)).await?
        };
        let Entry { pass, instead, .. } = entry;
        if let Some(refusal) = instead {
            return Err(Box::pin(wire.discard(pass, refusal)).await);
        }
        // In a transaction nothing blocks; elsewhere the times of several commands may add up.
        let blocks = !pipeline.is_transaction()
            && pipeline.cmd_iter().any(|cmd| Blocking::of(cmd).is_some());
        let mut sent = pin!(wire.inner.send_packed_commands(pipeline, offset, count));
        let replies = match wire.response_timeout.filter(|_| !blocks) {
            None => sent.await,
            Some(limit) => match gate.platform().within(limit, sent.as_mut()).await {
                Some(replies) => replies,
                None => return Err(no_response(limit).into()),
            },
        };
        match replies {
            Ok(values) => {
                pass.answered(&values);
                Ok(values)
            }
            Err(error) => Err(judged(gate, error, pass).into()),
        }
    }
}

/// A connection whose keeper is not started yet.
pub(super) struct Opened {
    gate: Arc<Gate>,
    inner: MultiplexedConnection,
    response_timeout: Option<Duration>,
}

impl Opened {
    /// Returns the connection. It owns `keeper`, unless its caller runs the keeper.
    pub fn kept(self, keeper: Option<TaskHandle>) -> EntraConnection {
        let owner = Owner {
            gate: Arc::clone(&self.gate),
            _keeper: keeper,
        };
        EntraConnection {
            gate: self.gate,
            inner: self.inner,
            response_timeout: self.response_timeout,
            _owner: Arc::new(owner),
        }
    }
}

async fn enter<'a>(gate: &'a Gate, request: Request<'_>) -> Result<Entry<'a>, Failure> {
    gate.enter(request).await.map_err(Failure::from)
}

impl ConnectionLike for EntraConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let answered = self.command(cmd).await;
            answered.map_err(|failure| self.error_of(failure))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let answered = self.pipeline(pipeline, offset, count).await;
            answered.map_err(|failure| self.error_of(failure))
        })
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

impl EntraConnection {
    fn error_of(&self, failure: Failure) -> RedisError {
        match failure {
            Failure::Error(error) => error,
            Failure::NotSent => (&self.gate.ended().unwrap_or(Ended::Broken)).into(),
        }
    }
}

impl fmt::Debug for EntraConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraConnection")
            .field("ended", &self.gate.ended())
            .finish_non_exhaustive()
    }
}
