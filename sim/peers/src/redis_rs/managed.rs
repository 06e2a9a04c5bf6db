//! Makes a connection again when it breaks, as the crate's `ConnectionManager` does.
//!
//! What is the same: the command that finds the connection broken fails, and a new connection is
//! begun in the background; commands sent meanwhile wait for it; if none can be made they fail,
//! and an I/O error begins another round. With RESP3 a broken connection is noticed at once, and
//! channels are listened to again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backon::{ExponentialBuilder, Retryable as _};
use credsim_identity::platform::TaskHandle;
use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use redis::{Cmd, Pipeline, PushInfo, PushKind, RedisResult, Value, aio::MultiplexedConnection};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::connector::{Connector, Live};

/// The defaults of `ConnectionManagerConfig`.
const STRATEGY: ExponentialBuilder = ExponentialBuilder::new()
    .with_factor(2.0)
    .with_min_delay(std::time::Duration::from_millis(100))
    .with_max_times(6)
    .with_jitter();

type Connecting = Shared<BoxFuture<'static, RedisResult<Live>>>;

/// A connection that is made again when it breaks, or that stays broken.
pub struct Managed {
    inner: Arc<Inner>,
    _watch: TaskHandle,
}

struct Inner {
    connector: Connector,
    again: bool,
    pushes: UnboundedSender<PushInfo>,
    current: Mutex<Current>,
}

struct Current {
    connecting: Connecting,
    /// Goes up with each new connection.
    number: u64,
    /// What is listened to again on a new connection.
    channels: Vec<String>,
    /// Keeps the attempt going, whoever waits for it.
    _attempt: Option<TaskHandle>,
}

/// What is sent at once.
pub enum Work {
    /// One command.
    One(Cmd),
    /// Many, or a transaction.
    Whole(Pipeline),
    /// Listening to channels.
    Listen(Vec<String>),
}

impl Managed {
    /// The first connection; it is made `again` when it breaks. What the server pushes comes out
    /// of the receiver; a break is the crate's own kind of push.
    ///
    /// # Errors
    /// The crate's own, when the tries are used up.
    pub async fn new(
        connector: Connector,
        again: bool,
    ) -> RedisResult<(Self, UnboundedReceiver<PushInfo>)> {
        let (pushes, mut pushed) = unbounded_channel();
        let (told, heard) = unbounded_channel();
        let first = connect(connector.clone(), again, Vec::new(), pushes.clone());
        let connecting = first.shared();
        connecting.clone().await?;
        let inner = Arc::new(Inner {
            connector,
            again,
            pushes,
            current: Mutex::new(Current {
                connecting,
                number: 0,
                channels: Vec::new(),
                _attempt: None,
            }),
        });
        let watched = Arc::downgrade(&inner);
        let watch = async move {
            while let Some(push) = pushed.recv().await {
                if push.kind == PushKind::Disconnection {
                    watched.upgrade().iter().for_each(|inner| inner.renew(None));
                }
                // Nobody has to listen.
                let _ = told.send(push);
            }
        };
        let watch = inner.connector.platform.spawner.spawn(Box::pin(watch));
        let managed = Self {
            inner,
            _watch: watch,
        };
        Ok((managed, heard))
    }

    /// Sends and waits for the reply.
    ///
    /// # Errors
    /// The crate's own.
    pub async fn send(&self, work: Work) -> RedisResult<Value> {
        let (number, connecting) = {
            let current = self.inner.lock();
            (current.number, current.connecting.clone())
        };
        let connected = connecting.await;
        if connected.as_ref().is_err_and(|error| error.is_io_error()) {
            self.inner.renew(Some(number));
        }
        let mut connection = connected?.connection;
        let reply = match work {
            Work::One(command) => command.query_async(&mut connection).await,
            Work::Whole(pipeline) => pipeline.query_async(&mut connection).await,
            Work::Listen(channels) => {
                let listening = listen(connection, channels.clone()).await;
                self.inner.lock().channels.extend(channels);
                listening.map(|()| Value::Okay)
            }
        };
        if reply
            .as_ref()
            .is_err_and(|error| error.is_unrecoverable_error())
        {
            self.inner.renew(Some(number));
        }
        reply
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a new connection, unless somebody else did so since `number`.
    fn renew(self: &Arc<Self>, number: Option<u64>) {
        let mut current = self.lock();
        if !self.again || number.is_some_and(|number| number != current.number) {
            return;
        }
        let attempt = connect(
            self.connector.clone(),
            true,
            current.channels.clone(),
            self.pushes.clone(),
        );
        current.connecting = attempt.shared();
        current.number += 1;
        let attempt = current.connecting.clone().map(drop).boxed();
        current._attempt = Some(self.connector.platform.spawner.spawn(attempt));
    }
}

fn connect(
    connector: Connector,
    again: bool,
    channels: Vec<String>,
    pushes: UnboundedSender<PushInfo>,
) -> BoxFuture<'static, RedisResult<Live>> {
    if !again {
        return connector.connect(pushes);
    }
    let clock = connector.platform.clock.clone();
    let once = move || connector.clone().connect(pushes.clone());
    let live: BoxFuture<'static, RedisResult<Live>> =
        Box::pin(once.retry(STRATEGY).sleep(move |wait| clock.sleep(wait)));
    Box::pin(async move {
        let live = live.await?;
        if !channels.is_empty() {
            // As in the crate, whose manager does not look at the outcome either.
            let _ = listen(live.connection.clone(), channels).await;
        }
        Ok(live)
    })
}

fn listen(
    mut connection: MultiplexedConnection,
    channels: Vec<String>,
) -> BoxFuture<'static, RedisResult<()>> {
    Box::pin(async move { connection.subscribe(channels).await })
}
