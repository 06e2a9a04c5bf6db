//! One connection: reads, runs, writes, and ends when it must.

mod recorded;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
};

use recorded::{Arrived, Signed};

use super::{
    Redis,
    command::shown,
    entra::EntraGate,
    redis_service::{RedisService, record_end},
    resp::{ProtocolError, Reply, Requests},
    server::{Client, ClientId, Ending, Server},
};
use crate::{
    backend::Backend,
    engine::{Host, Runtime, Stream},
    fault::effect::{FaultThen, RedisEffect, ResetWhen},
    scenario::Range,
    trace::{Kind, RedisEnd, RedisEvent},
};

/// How much is read at once.
const PIECE: usize = 16 * 1024;

/// How many bytes of replies to pipelined commands are collected before they are sent.
const MOST_PENDING: usize = 1 << 20;

/// How a TLS connection begins: a record of the type handshake, of any version since SSL 3.
const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// One connection.
pub struct Session {
    pub(crate) backend: Backend,
    service: Arc<RedisService>,
    runtime: Arc<dyn Runtime>,
    pub(crate) id: ClientId,
    notify: Arc<Notify>,
    pub(crate) node: usize,
    requests: Requests,
    /// Nothing has arrived yet.
    is_new: bool,
    /// How many commands there were.
    pub(crate) number: u64,
    /// The number of the command that waits, and what of its words hides the reply.
    waiting: (u64, Vec<Bytes>),
    /// Its last good login.
    pub(crate) signed: Option<Signed>,
    /// Nothing more is sent.
    is_mute: bool,
}

/// The end of a connection, as the error of its session.
struct End(Ending);

impl End {
    fn by_client(why: &str) -> Self {
        Self(Ending {
            because: RedisEnd::Client,
            why: why.to_owned(),
            resets: false,
        })
    }
}

impl Session {
    pub fn new(
        backend: &Backend,
        service: &Arc<RedisService>,
        host: &Host,
        id: ClientId,
        notify: Arc<Notify>,
        node: usize,
    ) -> Self {
        Self {
            backend: backend.clone(),
            service: service.clone(),
            runtime: host.runtime.clone(),
            id,
            notify,
            node,
            requests: Requests::default(),
            is_new: true,
            number: 0,
            waiting: (0, Vec::new()),
            signed: None,
            is_mute: false,
        }
    }

    /// Serves the connection to its end.
    pub async fn run(mut self, mut stream: Stream) {
        let Err(End(ending)) = self.serve(&mut stream).await;
        let gone = self.service.state().disconnect(self.id);
        // If it went with its host, the trace has it already.
        if let Some(client) = gone {
            record_end(&self.backend, self.runtime.elapsed(), &client, &ending);
        }
        if ending.resets {
            stream.reset();
        }
    }

    async fn serve(&mut self, stream: &mut Stream) -> Result<std::convert::Infallible, End> {
        let mut piece = vec![0; PIECE];
        loop {
            self.process(stream).await?;
            self.flush(stream).await?;
            let deadline = self.deadline()?;
            let wait = self.until(deadline);
            tokio::select! {
                biased;
                () = wait => {}
                () = self.notify.notified() => {}
                read = stream.read(&mut piece) => match read {
                    Ok(0) => return Err(End::by_client("the client hung up")),
                    Ok(length) => {
                        let arrived = piece.get(..length).unwrap_or_default();
                        if std::mem::take(&mut self.is_new) && arrived.starts_with(&TLS_HANDSHAKE) {
                            self.record_tls();
                        }
                        self.requests.feed(arrived);
                    }
                    Err(_) => return Err(End::by_client("the client broke the connection")),
                },
            }
        }
    }

    /// Records that the client speaks TLS, which the port does not. As at a real server, it waits
    /// for an answer that never comes.
    fn record_tls(&self) {
        let host = self.service.hosts().get(self.node).cloned();
        let event = Kind::HandshakeFailed {
            host: host.unwrap_or_default(),
            why: format!(
                "connection {} begins a TLS handshake on the plain port; clients connect without TLS \
                 here, as redis:// does",
                self.id
            ),
            direct: true,
        };
        self.backend.journal().record(self.runtime.elapsed(), event);
    }

    /// Time since the world began.
    pub fn elapsed(&self) -> Duration {
        self.runtime.elapsed()
    }

    fn now(&self) -> Timestamp {
        self.backend.time(self.runtime.elapsed())
    }

    /// Completes at a date; never without one.
    fn until(&self, date: Option<Timestamp>) -> impl Future<Output = ()> + Send + use<> {
        let left = date
            .map(|date| Duration::try_from(date.duration_since(self.now())).unwrap_or_default());
        let runtime = self.runtime.clone();
        async move {
            match left {
                Some(left) => runtime.sleep(left).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Looks at the client, and at the server around it.
    fn with<T>(&self, look: impl FnOnce(&mut Client) -> T) -> Result<T, End> {
        let mut state = self.service.state();
        let client = state.server.client_mut(self.id);
        // It went with its host.
        client
            .map(look)
            .ok_or_else(|| End::by_client("the host went down"))
    }

    /// When something happens by itself: the token ends, or a wait.
    fn deadline(&self) -> Result<Option<Timestamp>, End> {
        let micros = self.with(|client| {
            let wait = client.blocked.as_ref().and_then(|blocked| blocked.until);
            [client.until, wait].into_iter().flatten().min()
        })?;
        Ok(micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
    }

    /// Whether the token has ended, or the connection is ended (RS-41).
    fn check(&self) -> Result<(), End> {
        let now = self.now().as_microsecond();
        self.service.state().server.tick(now);
        self.service.state().notify_touched(self.id);
        self.with(|client| {
            if client.until.is_some_and(|until| until <= now) {
                return Err(End(Ending {
                    because: RedisEnd::Expired,
                    why: "its token ended".to_owned(),
                    resets: false,
                }));
            }
            if client.slow_until().is_some_and(|until| until <= now) {
                return Err(End(Client::too_slow()));
            }
            Ok(())
        })?
    }

    /// Runs what has arrived, as far as nothing has to be waited for.
    async fn process(&mut self, stream: &mut Stream) -> Result<(), End> {
        loop {
            self.check()?;
            self.record_unblocked()?;
            let (closing, waits, signed_in) = self.with(|client| {
                (
                    client.closing.clone(),
                    client.blocked.is_some(),
                    client.user.is_some(),
                )
            })?;
            if let Some(ending) = closing {
                self.flush(stream).await?;
                return Err(End(ending));
            }
            if waits {
                return Ok(());
            }
            // Replies that are sent need no memory, and sending them lets others run.
            if self.with(|client| client.out.len())? > MOST_PENDING {
                self.flush(stream).await?;
            }
            match self.requests.next(signed_in) {
                Ok(None) => return Ok(()),
                Ok(Some(args)) => self.command(&args, stream).await?,
                Err(ProtocolError(line)) => {
                    let line = [b"ERR ", line.as_ref()].concat();
                    let reply = Reply::error(line);
                    let why = reply.short();
                    self.with(|client| {
                        client.write(&reply);
                        client.closing = Some(Ending::by_server(&why));
                    })?;
                }
            }
        }
    }

    /// Records the end of a blocking command.
    fn record_unblocked(&self) -> Result<(), End> {
        if let Some(reply) = self.with(|client| client.woken.take())? {
            let event = RedisEvent::Unblocked {
                connection: self.id,
                number: self.waiting.0,
                reply: shown::reply(&self.waiting.1, reply, false),
            };
            self.backend
                .journal()
                .record(self.runtime.elapsed(), Kind::Redis(event));
        }
        Ok(())
    }

    async fn command(&mut self, args: &[Bytes], stream: &mut Stream) -> Result<(), End> {
        self.number += 1;
        let at = self.runtime.elapsed();
        let within = self.with(|client| client.transaction.as_ref().map(|open| open.number))?;
        let facts = recorded::facts(self, args, within.is_some());
        let strike = self.backend.strike(&facts, at);
        let arrived = Arrived {
            at,
            facts: &facts,
            fault: strike.as_ref().map(|strike| strike.fault.as_str()),
        };
        let then = strike.as_ref().map(|strike| &strike.then);
        let done = self.serve_one(args, arrived, then, within, stream).await;
        if let Some(strike) = strike.filter(|strike| strike.last) {
            self.backend.retire(strike.rule, self.runtime.elapsed());
        }
        done
    }

    async fn serve_one(
        &mut self,
        args: &[Bytes],
        arrived: Arrived<'_>,
        then: Option<&FaultThen>,
        within: Option<u64>,
        stream: &mut Stream,
    ) -> Result<(), End> {
        let reset = || {
            End(Ending {
                because: RedisEnd::Broken,
                why: format!("the fault {}", arrived.fault.unwrap_or_default()),
                resets: true,
            })
        };
        let mut takes = Duration::ZERO;
        let effect = then.and_then(FaultThen::on_redis);
        match effect {
            Some(RedisEffect::Hang) => {
                recorded::command(self, args, &arrived, recorded::Outcome::nothing(within));
                return self.hang(stream).await;
            }
            Some(RedisEffect::Reset(ResetWhen::Before)) => {
                recorded::command(self, args, &arrived, recorded::Outcome::nothing(within));
                return Err(reset());
            }
            Some(RedisEffect::Error(text)) => {
                let reply = Reply::error(text.to_owned());
                self.with(|client| client.fail(args, &reply))?;
                recorded::command(self, args, &arrived, recorded::Outcome::of(&reply, within));
                return Ok(());
            }
            Some(RedisEffect::Delay(by)) => takes = self.backend.draw("redis delay", by),
            Some(RedisEffect::HalfClose) => {
                self.flush(stream).await?;
                self.is_mute = true;
                let _ = stream.shutdown().await;
            }
            Some(RedisEffect::Reset(ResetWhen::After)) | None => {}
        }
        takes += self.usual_time(args);
        if takes > Duration::ZERO {
            self.pause(takes, stream).await?;
        }
        self.execute(args, &arrived);
        let is_reset = matches!(effect, Some(RedisEffect::Reset(ResetWhen::After)));
        if is_reset { Err(reset()) } else { Ok(()) }
    }

    /// Runs a command and tells of it.
    fn execute(&mut self, args: &[Bytes], arrived: &Arrived<'_>) {
        let at = self.runtime.elapsed();
        let mut gate = EntraGate::new(&self.backend, at, arrived.at);
        let now = self.backend.time(at).as_microsecond();
        let (done, user) = {
            let mut state = self.service.state();
            let server: &mut Server = &mut state.server;
            let done = server.execute(self.id, args, now, &mut gate);
            let user = server
                .client(self.id)
                .and_then(|client| client.user.clone());
            state.notify_touched(self.id);
            (done, user)
        };
        let tried = gate.tried;
        for login in &tried {
            recorded::signed_in(self, login);
        }
        if user.is_none() {
            self.signed = None;
        }
        if let Some(done) = done {
            if done.blocked {
                self.waiting = (self.number, args.to_vec());
            }
            recorded::command(self, args, arrived, recorded::Outcome::done(&done));
        }
    }

    /// Sends what waits, unless the connection must end before it is sent.
    async fn flush(&mut self, stream: &mut Stream) -> Result<(), End> {
        let closing = self.with(|client| client.closing.clone())?;
        let mut was_notified = false;
        loop {
            let out = self.service.state().server.take_output(self.id);
            if out.is_empty() {
                if was_notified {
                    // The news was more than what there was to send.
                    self.notify.notify_one();
                }
                return Ok(());
            }
            if self.is_mute {
                self.with(|client| client.sends(0))?;
                continue;
            }
            let mut left = &out[..];
            while !left.is_empty() {
                let until = self.with(|client| {
                    let ends = [client.until, client.slow_until()];
                    ends.into_iter().flatten().min()
                })?;
                let until = until.and_then(|until| Timestamp::from_microsecond(until).ok());
                tokio::select! {
                    biased;
                    written = stream.write(left) => {
                        let written = written.unwrap_or_default();
                        if written == 0 {
                            return Err(End::by_client("the client broke the connection"));
                        }
                        left = left.get(written..).unwrap_or_default();
                        self.with(|client| client.sends(left.len()))?;
                    }
                    () = self.until(until) => self.check()?,
                    // A client that does not read can be closed all the same.
                    () = self.notify.notified() => {
                        was_notified = true;
                        let now = self.with(|client| client.closing.clone())?;
                        if now != closing && let Some(ending) = now {
                            return Err(End(ending));
                        }
                    }
                }
            }
        }
    }

    /// How long a command takes without a fault (RS-43).
    fn usual_time(&self, args: &[Bytes]) -> Duration {
        let (takes, auth_takes) = {
            let state = self.backend.state();
            let redis = state.parts.get::<Redis>();
            redis.map_or((None, None), |redis| (redis.takes, redis.auth_takes))
        };
        let draw = |range: Option<Range>, purpose: &str| {
            range.map_or(Duration::ZERO, |range| self.backend.draw(purpose, range))
        };
        let mut time = draw(takes, "redis takes");
        if shown::signs_in(args) {
            time += draw(auth_takes, "redis auth takes");
        }
        time
    }

    /// Lets time pass, unless the connection must end before.
    async fn pause(&mut self, time: Duration, stream: &mut Stream) -> Result<(), End> {
        let loses = self
            .backend
            .state()
            .parts
            .get::<Redis>()
            .is_some_and(|redis| redis.loses_failed_auth);
        // What a failed AUTH stands behind must still be there (RS-22).
        if !loses {
            self.flush(stream).await?;
        }
        let end = self.now().checked_add(time).unwrap_or(Timestamp::MAX);
        loop {
            let deadline = self.with(|client| client.until)?;
            let deadline = deadline.and_then(|until| Timestamp::from_microsecond(until).ok());
            let next = deadline.map_or(end, |deadline| deadline.min(end));
            tokio::select! {
                biased;
                () = self.until(Some(next)) => {}
                () = self.notify.notified() => {}
            }
            self.check()?;
            if let Some(ending) = self.with(|client| client.closing.clone())? {
                return Err(End(ending));
            }
            if self.now() >= end {
                return Ok(());
            }
        }
    }

    /// Sends nothing more, until the connection is ended.
    async fn hang(&mut self, stream: &mut Stream) -> Result<(), End> {
        let mut piece = vec![0; PIECE];
        loop {
            self.check()?;
            if let Some(ending) = self.with(|client| client.closing.clone())? {
                return Err(End(ending));
            }
            let wait = self.until(self.deadline()?);
            tokio::select! {
                biased;
                () = wait => {}
                () = self.notify.notified() => {}
                read = stream.read(&mut piece) => if !read.is_ok_and(|length| length > 0) {
                    return Err(End::by_client("the client hung up"));
                },
            }
        }
    }
}

/// Says one thing and hangs up.
pub async fn refuse(mut stream: Stream, line: &[u8]) {
    // A client that does not read has been refused all the same.
    let _ = stream.write_all(line).await;
}
