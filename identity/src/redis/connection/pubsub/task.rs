//! Reads one subscription, keeps it authenticated, and makes it anew.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use redis::{Cmd, RedisResult, Value, cmd};
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
        keeper::{Renewal, renewal},
        options::{ConnectionOptions, RedisEndpoint},
        schedule::Term,
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
pub(super) enum Expected {
    Change {
        left: usize,
        change: Change,
        /// The names that are subscriptions only since this change.
        added: BTreeSet<Vec<u8>>,
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
    pub current: RedisCredentials,
    pub next: Option<(RedisCredentials, Duration)>,
    pub refused: u32,
    /// The token that is to be exchanged because the server has refused it.
    pub unwanted: Option<RedisCredentials>,
    /// A request for another token.
    pub renewal: Option<Renewal>,
    pub channels: BTreeSet<Vec<u8>>,
    pub patterns: BTreeSet<Vec<u8>>,
    pub expected: VecDeque<Expected>,
    /// When the connection was last known to be whole.
    pub heard: Timestamp,
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
            unwanted: None,
            renewal: None,
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
            if !self.subscribed || self.provider.is_disposed() {
                self.queue.close();
                return;
            }
            self.come_back(&why).await;
        }
    }

    pub fn now(&self) -> Duration {
        self.provider.platform().clock.monotonic()
    }

    pub fn name(&self) -> String {
        format!("the subscription at {}", self.endpoint)
    }

    /// Listens until the connection is over. `Ok` when its owner is gone.
    async fn listen(&mut self) -> Result<(), Ended> {
        loop {
            if self.term.is_over(self.provider.platform()) {
                return Err(Ended::Expired);
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
                renewed = renewal(&mut self.renewal) => {
                    self.renewal = None;
                    if let Ok(credentials) = renewed {
                        self.plan(credentials);
                    }
                }
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

    async fn change(&mut self, change: Change) -> Result<(), Ended> {
        let command = change.verb.command(&change.names);
        let (set, adds) = match change.verb {
            Verb::Subscribe => (&mut self.channels, true),
            Verb::Unsubscribe => (&mut self.channels, false),
            Verb::PSubscribe => (&mut self.patterns, true),
            Verb::PUnsubscribe => (&mut self.patterns, false),
        };
        let mut added = BTreeSet::new();
        for name in &change.names {
            match adds {
                true if set.insert(name.clone()) => added.insert(name.clone()),
                true => false,
                false => set.remove(name),
            };
        }
        self.expected.push_back(Expected::Change {
            left: change.names.len(),
            change,
            added,
            by: self.now().saturating_add(self.options.auth_timeout),
        });
        self.send(&command).await
    }

    pub async fn send(&mut self, command: &Cmd) -> Result<(), Ended> {
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
        let Some(Expected::Change { change, added, .. }) = self.expected.pop_front() else {
            return;
        };
        if answer.is_err() {
            // Whoever comes back must not fail for it. What was subscribed to before still is.
            match change.verb {
                Verb::Subscribe => self.channels.retain(|name| !added.contains(name)),
                Verb::PSubscribe => self.patterns.retain(|name| !added.contains(name)),
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

    pub fn tell(&self, event: RedisEvent) {
        tell(self.provider.observer(), &event);
    }
}
