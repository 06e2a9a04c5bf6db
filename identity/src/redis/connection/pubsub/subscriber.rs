//! The task of one subscriber: it reads the connection, keeps it authenticated and makes it anew.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::Timestamp;
use redis::{RedisResult, Value};
use tokio::sync::mpsc;

use super::{
    change::Change,
    event::PubSubEvent,
    expected::{Awaited, Expected},
    frame::Frame,
    handover::{Handed, Handover, NewFailed},
    link::Link,
    names::Names,
    queue::Queue,
    refused::Refused,
    resubscribe::{Resubscribed, resubscribe},
    subscription_verb::SubscriptionVerb,
};
use crate::{
    Platform,
    redis::{
        EntraIdCredentialsProvider, RedisCredentials, RedisEvent,
        connection::{
            backoff::Backoff,
            dial::{Dialled, dial},
            endpoint::RedisEndpoint,
            error::{Ended, no_connection},
            options::ConnectionOptions,
            reauthentication::Reauthentication,
            tokens::Tokens,
        },
    },
};

/// The interval at which an idle subscriber checks the wall clock, which may have been set.
const LOOK: Duration = Duration::from_secs(60);

/// The subscriber behind an [`EntraPubSub`](super::EntraPubSub).
pub(super) struct Subscriber {
    endpoint: RedisEndpoint,
    provider: EntraIdCredentialsProvider,
    platform: Platform,
    options: ConnectionOptions,
    queue: Arc<Queue>,
    changes: mpsc::UnboundedReceiver<Change>,
    tokens: Tokens,
    link: Link,
    /// When `link` was made, by the monotonic clock.
    began: Duration,
    backoff: Backoff,
    reauthentication: Reauthentication,
    /// The names that are subscribed to, or are being subscribed to.
    held: Names,
    refused: Refused,
    /// What was sent and not answered yet, in order.
    expected: VecDeque<Expected>,
    /// When the connection was last known to be whole.
    heard: Timestamp,
}

impl Subscriber {
    /// Connects and authenticates.
    pub async fn connect(
        endpoint: RedisEndpoint,
        provider: &EntraIdCredentialsProvider,
        options: ConnectionOptions,
        queue: Arc<Queue>,
        changes: mpsc::UnboundedReceiver<Change>,
    ) -> RedisResult<Self> {
        let tokens = Tokens::of(provider);
        let dialled = open(&endpoint, provider, &options).await?;
        let (link, reauthentication) = started(dialled, &endpoint, provider, &options);
        let platform = provider.platform().clone();
        reauthentication.notify(RedisEvent::Connected {
            connection: name(&endpoint),
        });
        Ok(Self {
            heard: platform.clock.now(),
            began: platform.clock.monotonic(),
            endpoint,
            provider: provider.clone(),
            platform,
            options,
            queue,
            changes,
            tokens,
            link,
            backoff: Backoff::new("redis/reconnect-subscriber"),
            reauthentication,
            held: Names::default(),
            refused: Refused::none(),
            expected: VecDeque::new(),
        })
    }

    /// Runs until its owner is gone, or the provider is disposed and the connection over.
    pub async fn run(mut self) {
        loop {
            let Err(why) = self.listen().await else {
                return;
            };
            for expected in self.expected.drain(..) {
                match expected.what {
                    Awaited::Change { change, .. } => {
                        let _ = change.done.send(Err((&why).into()));
                    }
                    Awaited::Again { .. } | Awaited::Auth(_) => {}
                }
            }
            if self.tokens.are_over() {
                self.queue.close();
                return;
            }
            self.come_back(&why).await;
        }
    }

    fn now(&self) -> Duration {
        self.platform.clock.monotonic()
    }

    /// Listens until the connection is over. `Ok` when its owner is gone.
    async fn listen(&mut self) -> Result<(), Ended> {
        loop {
            let term = self.reauthentication.term();
            if term.is_over(&self.platform) {
                return Err(Ended::Expired);
            }
            let now = self.now();
            let first = self.expected.front().map(|first| first.by);
            if first.is_some_and(|by| now >= by) {
                return Err(Ended::Unresponsive("a subscriber"));
            }
            let (next_token, next_try) = (self.reauthentication.due(), self.refused.due());
            let is_over = |at: Option<Duration>| at.is_some_and(|at| now >= at);
            if first.is_none() && is_over(next_token) {
                self.reauthenticate().await?;
                continue;
            }
            if first.is_none() && is_over(next_try) {
                self.try_again().await?;
                continue;
            }
            let due = is_over(next_token) || is_over(next_try);
            // What is due waits for the answers to come.
            let wake = match first {
                Some(by) => Some(by),
                None => next_token.into_iter().chain(next_try).min(),
            };
            let wake = wake
                .unwrap_or(Duration::MAX)
                .min(term.end())
                .min(now + LOOK);
            let sleep = self.platform.clock.sleep(wake.saturating_sub(now));
            tokio::select! { biased;
                token = self.tokens.news() => {
                    if let Some(token) = token {
                        self.reauthentication.offer(token);
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
        let mut added = Names::default();
        for name in &change.names {
            // A caller's own command takes the place of further tries.
            self.refused.remove(change.verb, name);
            if !change.verb.adds() {
                self.held.remove(change.verb, name);
            } else if self.held.insert(change.verb, name) {
                added.insert(change.verb, name);
            }
        }
        self.expect(Awaited::Change {
            left: change.names.len(),
            change,
            added,
        });
        self.link.send(&command).await
    }

    fn expect(&mut self, what: Awaited) {
        let by = self.now().saturating_add(self.options.auth_timeout);
        self.expected.push_back(Expected { what, by });
    }

    /// Takes what the server sent.
    fn take(&mut self, frame: Frame) -> Result<(), Ended> {
        self.heard = self.platform.clock.now();
        match frame {
            Frame::Message(message) => self.queue.deliver(message),
            Frame::Other | Frame::Pong => {}
            Frame::Confirmed => match self.expected.front_mut().map(|first| &mut first.what) {
                Some(Awaited::Change { left, .. }) => {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.answer(Ok(()));
                    }
                }
                Some(Awaited::Again { .. }) => self.tried_again(true),
                Some(Awaited::Auth(_)) | None => return Err(Ended::Desynchronised("a subscriber")),
            },
            Frame::Reply(value) => match (self.expected.front().map(|first| &first.what), value) {
                (Some(Awaited::Change { .. }), Value::ServerError(error)) => {
                    self.answer(Err(error.into()));
                }
                (Some(Awaited::Again { .. }), Value::ServerError(_)) => self.tried_again(false),
                (Some(Awaited::Auth(_)), value) => self.authenticated(&value)?,
                _ => return Err(Ended::Desynchronised("a subscriber")),
            },
        }
        Ok(())
    }

    /// Gives a caller the answer to the first change.
    fn answer(&mut self, answer: RedisResult<()>) {
        let Some(Awaited::Change { change, added, .. }) = self.pop_expected() else {
            return;
        };
        if answer.is_err() {
            // A reconnect must not repeat the refused names. Older subscriptions are unaffected.
            for (verb, name) in added.each() {
                self.held.remove(verb, name);
            }
        }
        let _ = change.done.send(answer);
    }

    fn pop_expected(&mut self) -> Option<Awaited> {
        self.expected.pop_front().map(|expected| expected.what)
    }

    /// Tries the refused subscriptions again, each on its own.
    async fn try_again(&mut self) -> Result<(), Ended> {
        self.refused.plan(self.now());
        let names: Vec<(SubscriptionVerb, Vec<u8>)> = (self.refused.names().each())
            .map(|(verb, name)| (verb, name.clone()))
            .collect();
        for (verb, name) in names {
            let command = verb.command([&name]);
            self.expect(Awaited::Again { verb, name });
            self.link.send(&command).await?;
        }
        Ok(())
    }

    /// Takes the answer to another try of a refused subscription.
    fn tried_again(&mut self, accepted: bool) {
        let Some(Awaited::Again { verb, name }) = self.pop_expected() else {
            return;
        };
        let from = self.refused.since;
        // A caller may have unsubscribed meanwhile.
        if accepted && self.refused.remove(verb, &name) {
            self.held.insert(verb, &name);
            self.queue.push(PubSubEvent::Gap {
                from,
                until: self.heard,
                why: "the server had refused a subscription, and accepts it again".to_owned(),
            });
        }
    }
}

/// From one token to the next.
impl Subscriber {
    async fn reauthenticate(&mut self) -> Result<(), Ended> {
        if !self.options.protocol.supports_resp3() {
            return self.hand_over().await;
        }
        let auth = self.reauthentication.authenticate();
        let command = auth.command.clone();
        self.expect(Awaited::Auth(auth));
        self.link.send(&command).await
    }

    fn authenticated(&mut self, answer: &Value) -> Result<(), Ended> {
        let Some(Awaited::Auth(auth)) = self.pop_expected() else {
            return Ok(());
        };
        match answer {
            Value::Okay => {
                self.reauthentication.accepted(auth.credentials, auth.term);
            }
            Value::ServerError(error) => {
                let error = error.to_string();
                if self.reauthentication.refused(&auth.credentials, &error) {
                    self.tokens.ask_for_another();
                }
            }
            _ => return Err(Ended::Desynchronised("AUTH")),
        }
        Ok(())
    }

    /// Lets a new connection take over. If that fails, the old one stays in use while its token
    /// lasts.
    async fn hand_over(&mut self) -> Result<(), Ended> {
        let Some(planned) = self.reauthentication.next().cloned() else {
            return Ok(());
        };
        self.reauthentication.sent(planned);
        let dialled = match self.dial_while_listening().await? {
            Ok(dialled) => dialled,
            Err(error) => {
                self.reauthentication.failed(&error.to_string());
                return Ok(());
            }
        };
        let mut new = dialled.what;
        let before = self.heard;
        let handover = Handover {
            old: &mut self.link,
            new: &mut new,
            names: &self.held,
            queue: &self.queue,
            platform: &self.platform,
            limit: self.options.auth_timeout,
        };
        let Handed { rest, doubt } = match handover.run().await {
            Ok(handed) => handed,
            Err(NewFailed { old_is_over: true }) => return Err(Ended::Broken),
            Err(NewFailed { old_is_over: false }) => {
                self.reauthentication
                    .failed("the new connection did not subscribe");
                return Ok(());
            }
        };
        self.link = new;
        self.reauthentication
            .accepted(dialled.credentials, dialled.term);
        self.heard = self.platform.clock.now();
        let gap = doubt.map(|_| (before, self.heard));
        self.report(
            gap,
            doubt.unwrap_or("a RESP2 subscription needs a new connection for a new token"),
        );
        rest.into_iter()
            .for_each(|message| self.queue.deliver(message));
        Ok(())
    }

    /// Makes a new connection, and listens to the old one meanwhile.
    async fn dial_while_listening(&mut self) -> Result<RedisResult<Dialled<Link>>, Ended> {
        let (endpoint, provider) = (self.endpoint.clone(), self.provider.clone());
        let options = self.options.clone();
        let mut dialling = Box::pin(open(&endpoint, &provider, &options));
        // It may wait for another token. Callers do not wait for that, and the old one ends.
        let left = self
            .reauthentication
            .term()
            .end()
            .saturating_sub(self.now());
        let limit = options.connect_timeout.min(left);
        let mut out_of_time = self.platform.clock.sleep(limit);
        loop {
            tokio::select! { biased;
                dialled = &mut dialling => return Ok(dialled),
                frame = self.link.next() => self.take(frame.map_err(|_| Ended::Broken)?)?,
                () = &mut out_of_time => return Ok(Err(no_connection(limit))),
            }
        }
    }
}

/// After the loss of a connection.
impl Subscriber {
    /// Replaces the connection. Messages published meanwhile are lost, which is reported.
    async fn come_back(&mut self, why: &Ended) {
        let lifetime = self.now().saturating_sub(self.began);
        let from = self.heard.min(self.refused.since);
        let mut wait = self.backoff.lost(&self.platform, lifetime);
        let resubscribed = loop {
            if !wait.is_zero() {
                self.platform.clock.sleep(wait).await;
            }
            match self.try_to_come_back().await {
                Ok(resubscribed) => break resubscribed,
                // `run` sees to it.
                Err(_) if self.provider.is_disposed() => return,
                Err(_) => wait = self.backoff.failed(&self.platform),
            }
        };
        let listens = !self.held.is_empty() || !resubscribed.refused.is_empty();
        self.report(listens.then_some((from, self.heard)), &why.to_string());
        self.note_refused(&resubscribed, from);
        for message in resubscribed.early {
            self.queue.deliver(message);
        }
    }

    async fn try_to_come_back(&mut self) -> RedisResult<Resubscribed> {
        let dialled = open(&self.endpoint, &self.provider, &self.options).await?;
        let (link, reauthentication) =
            started(dialled, &self.endpoint, &self.provider, &self.options);
        (self.link, self.reauthentication) = (link, reauthentication);
        self.tokens.need_no_other();
        self.began = self.now();
        let mut names = self.held.clone();
        names.extend(self.refused.names().clone());
        let limit = self.options.auth_timeout;
        let resubscribed = resubscribe(&mut self.link, &names, &self.platform, limit).await?;
        self.held = names.without(&resubscribed.refused);
        self.heard = self.platform.clock.now();
        Ok(resubscribed)
    }

    /// Reports the names that the server has refused to the new connection, unless that was
    /// reported.
    fn note_refused(&mut self, resubscribed: &Resubscribed, since: Timestamp) {
        let now = self.now();
        let refused = resubscribed.refused.clone();
        let news = self.refused.replace(refused, since, now);
        if news.is_empty() {
            return;
        }
        let error = resubscribed.error.clone().unwrap_or_default();
        let (channels, patterns) = news.into_lists();
        self.reauthentication
            .notify(RedisEvent::SubscriptionRefused {
                connection: name(&self.endpoint),
                names: (channels.iter().chain(&patterns))
                    .map(|name| String::from_utf8_lossy(name).into_owned())
                    .collect(),
                error: error.clone(),
            });
        self.queue.push(PubSubEvent::Refused {
            channels,
            patterns,
            error,
        });
    }

    /// Notifies the subscriber and the observer that the connection was replaced.
    fn report(&self, gap: Option<(Timestamp, Timestamp)>, why: &str) {
        if let Some((from, until)) = gap {
            self.queue.push(PubSubEvent::Gap {
                from,
                until,
                why: why.to_owned(),
            });
        }
        self.reauthentication.notify(RedisEvent::Replaced {
            connection: name(&self.endpoint),
            why: why.to_owned(),
            gap,
        });
    }
}

/// How events call the subscription.
fn name(endpoint: &RedisEndpoint) -> String {
    format!("the subscription at {endpoint}")
}

/// Connects and signs in.
async fn open(
    endpoint: &RedisEndpoint,
    provider: &EntraIdCredentialsProvider,
    options: &ConnectionOptions,
) -> RedisResult<Dialled<Link>> {
    let (protocol, limit) = (options.protocol, options.auth_timeout);
    let handshake = |stream, credentials: RedisCredentials| {
        let platform = provider.platform().clone();
        Link::open(stream, &credentials, protocol, platform, limit)
    };
    dial(endpoint, provider, options, &handshake).await
}

/// A new connection, and the beginning of its re-authentication.
fn started(
    dialled: Dialled<Link>,
    endpoint: &RedisEndpoint,
    provider: &EntraIdCredentialsProvider,
    options: &ConnectionOptions,
) -> (Link, Reauthentication) {
    let reauthentication = Reauthentication::new(
        provider.clone(),
        options.clone(),
        name(endpoint),
        dialled.credentials,
        dialled.term,
    );
    (dialled.what, reauthentication)
}
