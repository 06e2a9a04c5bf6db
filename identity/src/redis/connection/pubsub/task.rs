//! Reads one subscription, keeps it authenticated, and makes it anew.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use redis::{Cmd, RedisError, RedisResult, Value, cmd};
use tokio::sync::{mpsc, oneshot};

use super::{
    PubSubEvent,
    link::{Frame, Link, Message},
    queue::Queue,
};
use crate::redis::{
    CredentialsSubscription, EntraIdCredentialsProvider, RedisCredentials, RedisEvent,
    connection::{
        dial::{Dialled, dial},
        error::Ended,
        manager::reconnect_wait,
        options::{ConnectionOptions, RedisEndpoint},
        schedule::{Term, retry_after},
    },
    event::tell,
};

/// How long a stepped wall clock may go unnoticed.
const LOOK: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Subscribe,
    Unsubscribe,
    PSubscribe,
    PUnsubscribe,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::PSubscribe => "PSUBSCRIBE",
            Self::PUnsubscribe => "PUNSUBSCRIBE",
        }
    }

    pub fn command<'a>(self, names: impl IntoIterator<Item = &'a Vec<u8>>) -> Cmd {
        let mut command = cmd(self.name());
        for name in names {
            command.arg(name.as_slice());
        }
        command
    }
}

/// What a caller wants.
pub(super) struct Change {
    pub verb: Verb,
    pub names: Vec<Vec<u8>>,
    pub done: oneshot::Sender<RedisResult<()>>,
}

/// What was sent and not answered yet, in order.
enum Expected {
    Change {
        left: usize,
        change: Change,
        by: Duration,
    },
    Auth {
        credentials: RedisCredentials,
        begun: Term,
        by: Duration,
    },
}

impl Expected {
    fn by(&self) -> Duration {
        match self {
            Self::Change { by, .. } | Self::Auth { by, .. } => *by,
        }
    }
}

pub(super) struct Subscriber {
    pub endpoint: RedisEndpoint,
    pub provider: EntraIdCredentialsProvider,
    pub options: ConnectionOptions,
    pub queue: Arc<Queue>,
    changes: mpsc::UnboundedReceiver<Change>,
    subscription: CredentialsSubscription,
    subscribed: bool,
    pub link: Link,
    pub term: Term,
    current: RedisCredentials,
    pub next: Option<(RedisCredentials, Duration)>,
    refused: u32,
    pub channels: BTreeSet<Vec<u8>>,
    pub patterns: BTreeSet<Vec<u8>>,
    expected: VecDeque<Expected>,
    /// When the connection was last known to be whole.
    heard: Timestamp,
}

impl Subscriber {
    pub async fn connect(
        endpoint: RedisEndpoint,
        provider: &EntraIdCredentialsProvider,
        options: ConnectionOptions,
        queue: Arc<Queue>,
        changes: mpsc::UnboundedReceiver<Change>,
    ) -> RedisResult<Self> {
        let subscription = provider.subscribe();
        let Dialled {
            what: link,
            credentials: current,
            term,
        } = Self::dial(&endpoint, provider, &options).await?;
        let subscriber = Self {
            heard: provider.platform().clock.now(),
            endpoint,
            provider: provider.clone(),
            options,
            queue,
            changes,
            subscription,
            subscribed: true,
            link,
            term,
            current,
            next: None,
            refused: 0,
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            expected: VecDeque::new(),
        };
        subscriber.tell(RedisEvent::Connected {
            connection: subscriber.name(),
        });
        Ok(subscriber)
    }

    pub async fn dial(
        endpoint: &RedisEndpoint,
        provider: &EntraIdCredentialsProvider,
        options: &ConnectionOptions,
    ) -> RedisResult<Dialled<Link>> {
        let protocol = options.protocol;
        let handshake =
            |stream, credentials: RedisCredentials| Link::open(stream, &credentials, protocol);
        dial(endpoint, provider, options, &handshake).await
    }

    pub async fn run(mut self) {
        loop {
            let Err(why) = self.listen().await else {
                return;
            };
            for expected in self.expected.drain(..) {
                if let Expected::Change { change, .. } = expected {
                    let _ = change.done.send(Err((&why).into()));
                }
            }
            if !self.subscribed {
                self.queue.close();
                return;
            }
            self.come_back(&why).await;
        }
    }

    pub fn now(&self) -> Duration {
        self.provider.platform().clock.monotonic()
    }

    fn name(&self) -> String {
        format!("the subscription at {}", self.endpoint)
    }

    /// Listens until the connection is over. `Ok` when its owner is gone.
    async fn listen(&mut self) -> Result<(), Ended> {
        loop {
            if self.term.is_over(self.provider.platform()) {
                return Err(Ended::TokenEnded);
            }
            let now = self.now();
            if self.expected.front().is_some_and(|first| now >= first.by()) {
                return Err(Ended::Unresponsive("a subscriber"));
            }
            let due = self.next.as_ref().is_some_and(|(_, at)| now >= *at);
            if due && self.expected.is_empty() {
                self.reauthenticate().await?;
                continue;
            }
            let mut wake = self.term.end().min(now + LOOK);
            if let Some(first) = self.expected.front() {
                wake = wake.min(first.by());
            } else if let Some((_, at)) = &self.next {
                wake = wake.min(*at);
            }
            let sleep = (self.provider.platform().clock).sleep(wake.saturating_sub(now));
            tokio::select! { biased;
                change = self.subscription.next(), if self.subscribed => match change {
                    Some(Ok(credentials)) => self.plan(credentials),
                    // The provider tells of it, and goes on.
                    Some(Err(_)) => {}
                    None => self.subscribed = false,
                },
                // What is due waits for no further command.
                change = self.changes.recv(), if !due => match change {
                    Some(change) => self.change(change).await?,
                    None => return Ok(()),
                },
                frame = self.link.next() => {
                    let frame = frame.map_err(|_| Ended::Broken)?;
                    self.take(frame)?;
                }
                () = sleep => {}
            }
        }
    }

    fn plan(&mut self, credentials: RedisCredentials) {
        if credentials == self.current {
            return;
        }
        let now = self.now();
        let at = match self.refused {
            0 => {
                let random = &self.provider.platform().random;
                self.term
                    .place(now, &self.options, random.unit("redis/reauthentication"))
            }
            _ => now,
        };
        let at = self.next.as_ref().map_or(at, |(_, due)| at.min(*due));
        self.next = Some((credentials, at));
    }

    async fn change(&mut self, change: Change) -> Result<(), Ended> {
        let command = change.verb.command(&change.names);
        let (set, adds) = match change.verb {
            Verb::Subscribe => (&mut self.channels, true),
            Verb::Unsubscribe => (&mut self.channels, false),
            Verb::PSubscribe => (&mut self.patterns, true),
            Verb::PUnsubscribe => (&mut self.patterns, false),
        };
        for name in &change.names {
            match adds {
                true => set.insert(name.clone()),
                false => set.remove(name),
            };
        }
        self.expected.push_back(Expected::Change {
            left: change.names.len(),
            change,
            by: self.now() + self.options.auth_timeout,
        });
        self.send(&command).await
    }

    async fn send(&mut self, command: &Cmd) -> Result<(), Ended> {
        let limit = self.options.auth_timeout;
        match self
            .provider
            .platform()
            .within(limit, self.link.send(command))
            .await
        {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(Ended::Broken),
            None => Err(Ended::Unresponsive("a subscriber")),
        }
    }

    /// Takes what the server sent.
    pub fn take(&mut self, frame: Frame) -> Result<Option<Message>, Ended> {
        self.heard = self.provider.platform().clock.now();
        match frame {
            Frame::Message(message) => {
                self.deliver(message.clone());
                return Ok(Some(message));
            }
            Frame::Other | Frame::Pong => {}
            Frame::Confirmed => match self.expected.front_mut() {
                Some(Expected::Change { left, .. }) => {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.answer(Ok(()));
                    }
                }
                _ => return Err(Ended::Desynchronised("a subscriber")),
            },
            Frame::Reply(value) => match (self.expected.front(), value) {
                (Some(Expected::Change { .. }), Value::ServerError(error)) => {
                    self.answer(Err(error.into()));
                }
                (Some(Expected::Auth { .. }), value) => self.authenticated(&value)?,
                _ => return Err(Ended::Desynchronised("a subscriber")),
            },
        }
        Ok(None)
    }

    fn answer(&mut self, answer: RedisResult<()>) {
        let Some(Expected::Change { change, .. }) = self.expected.pop_front() else {
            return;
        };
        if answer.is_err() {
            // Whoever comes back must not fail for it.
            match change.verb {
                Verb::Subscribe => self.channels.retain(|name| !change.names.contains(name)),
                Verb::PSubscribe => self.patterns.retain(|name| !change.names.contains(name)),
                Verb::Unsubscribe | Verb::PUnsubscribe => {}
            }
        }
        let _ = change.done.send(answer);
    }

    pub fn deliver(&self, message: Message) {
        self.queue.push(PubSubEvent::Message {
            channel: message.channel,
            pattern: message.pattern,
            payload: message.payload,
        });
    }

    async fn reauthenticate(&mut self) -> Result<(), Ended> {
        if !self.options.protocol.supports_resp3() {
            return self.hand_over().await;
        }
        self.next = None;
        let credentials = self.provider.current();
        let credentials = credentials.unwrap_or_else(|| self.current.clone());
        let begun = Term::begin(
            self.provider.platform(),
            credentials.expires_on(),
            &self.options,
        );
        let mut auth = cmd("AUTH");
        auth.arg(credentials.user_name())
            .arg(credentials.password());
        self.expected.push_back(Expected::Auth {
            credentials,
            begun,
            by: self.now() + self.options.auth_timeout,
        });
        self.send(&auth).await
    }

    fn authenticated(&mut self, answer: &Value) -> Result<(), Ended> {
        let Some(Expected::Auth {
            credentials, begun, ..
        }) = self.expected.pop_front()
        else {
            return Ok(());
        };
        match answer {
            Value::Okay => self.renewed(credentials, begun),
            Value::ServerError(error) => self.refused(credentials, &error.to_string()),
            _ => return Err(Ended::Desynchronised("AUTH")),
        }
        Ok(())
    }

    pub fn renewed(&mut self, credentials: RedisCredentials, begun: Term) {
        self.tell(RedisEvent::Reauthenticated {
            connection: self.name(),
            expires_on: credentials.expires_on(),
        });
        (self.current, self.term, self.refused) = (credentials, begun, 0);
        self.heard = self.provider.platform().clock.now();
    }

    /// The old token goes on being good.
    pub fn refused(&mut self, credentials: RedisCredentials, error: &str) {
        self.tell(RedisEvent::ReauthenticationFailed {
            connection: self.name(),
            error: error.to_owned(),
        });
        self.refused = self.refused.saturating_add(1);
        self.next = Some((credentials, self.now() + retry_after(self.refused)));
    }

    fn tell(&self, event: RedisEvent) {
        tell(self.provider.observer(), &event);
    }

    /// Makes the connection anew. What was published meanwhile is lost, and told.
    async fn come_back(&mut self, why: &Ended) {
        let from = self.heard;
        let mut failures = 0;
        let early = loop {
            match self.try_to_come_back().await {
                Ok(early) => break early,
                Err(_) => {
                    let platform = self.provider.platform();
                    let wait = reconnect_wait(platform, failures);
                    platform.clock.sleep(wait).await;
                    failures = failures.saturating_add(1);
                }
            }
        };
        let until = self.provider.platform().clock.now();
        let listening = !self.channels.is_empty() || !self.patterns.is_empty();
        self.report(listening.then_some((from, until)), &why.to_string());
        for message in early {
            self.deliver(message);
        }
    }

    /// With the messages that arrived before the last name was confirmed.
    async fn try_to_come_back(&mut self) -> RedisResult<Vec<Message>> {
        let dialled = Self::dial(&self.endpoint, &self.provider, &self.options).await?;
        self.link = dialled.what;
        self.term = dialled.term;
        self.current = dialled.credentials;
        (self.next, self.refused) = (None, 0);
        for command in self.all(Verb::Subscribe, Verb::PSubscribe) {
            self.link.send(&command).await?;
        }
        let mut early = Vec::new();
        let mut left = self.channels.len() + self.patterns.len();
        let (platform, limit) = (self.provider.platform().clone(), self.options.auth_timeout);
        while left > 0 {
            let frame = platform.within(limit, self.link.next()).await;
            match frame
                .unwrap_or_else(|| Err(RedisError::from(&Ended::Unresponsive("SUBSCRIBE"))))?
            {
                Frame::Confirmed => left -= 1,
                Frame::Reply(Value::ServerError(error)) => return Err(error.into()),
                Frame::Message(message) => early.push(message),
                _ => {}
            }
        }
        self.heard = platform.clock.now();
        Ok(early)
    }

    /// The commands that name all subscriptions.
    pub fn all(&self, channels: Verb, patterns: Verb) -> Vec<Cmd> {
        let mut commands = Vec::new();
        if !self.channels.is_empty() {
            commands.push(channels.command(&self.channels));
        }
        if !self.patterns.is_empty() {
            commands.push(patterns.command(&self.patterns));
        }
        commands
    }

    /// Tells the subscriber and the observer that another connection has taken over.
    pub fn report(&self, gap: Option<(Timestamp, Timestamp)>, why: &str) {
        if let Some((from, until)) = gap {
            self.queue.push(PubSubEvent::Gap {
                from,
                until,
                why: why.to_owned(),
            });
        }
        self.tell(RedisEvent::Replaced {
            connection: self.name(),
            why: why.to_owned(),
            gap,
        });
    }

    pub fn heard(&self) -> Timestamp {
        self.heard
    }
}
