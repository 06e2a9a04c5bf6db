//! After the loss of a connection.

use jiff::Timestamp;
use redis::{Cmd, RedisError, RedisResult, Value};

use super::{
    PubSubEvent,
    link::{Frame, Message},
    task::{Subscriber, Verb},
};
use crate::redis::{
    RedisEvent,
    connection::{error::Ended, manager::reconnect_wait},
};

impl Subscriber {
    /// Makes the connection anew. What was published meanwhile is lost, and told.
    pub(super) async fn come_back(&mut self, why: &Ended) {
        let from = self.heard;
        let mut failures = 0;
        let early = loop {
            match self.try_to_come_back().await {
                Ok(early) => break early,
                // `run` sees to it.
                Err(_) if self.provider.is_disposed() => return,
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
        (self.next, self.refused, self.renewal) = (None, 0, None);
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
    pub(super) fn all(&self, channels: Verb, patterns: Verb) -> Vec<Cmd> {
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
    pub(super) fn report(&self, gap: Option<(Timestamp, Timestamp)>, why: &str) {
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
}
