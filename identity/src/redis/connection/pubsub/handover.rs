//! From one RESP2 connection to the next, without losing a message.
//!
//! The new connection subscribes while the old one still listens, so for a while both get every
//! message. Markers (`PING`) on either tell which messages are surely among those: what the old one
//! gets after the new one has subscribed, and what the new one gets before the old one unsubscribes.

use std::time::Duration;

use redis::{Value, cmd};

use super::{
    align::overlap,
    link::{Frame, Link, Message},
    task::{Subscriber, Verb},
};
use crate::redis::connection::{
    dial::Dialled,
    error::{Ended, no_connection},
};

/// What both connections got since the new one began to subscribe.
#[derive(Default)]
struct Overlap {
    tail: Vec<Message>,
    head: Vec<Message>,
    /// The old connection is over.
    old_is_over: bool,
    /// The old connection listens no more.
    unsubscribed: bool,
    /// What is still awaited of each.
    old: usize,
    new: usize,
}

/// The new connection cannot take over.
struct NewFailed;

impl Subscriber {
    /// Lets a new connection take over. Where that fails the old one goes on while its token lasts.
    pub(super) async fn hand_over(&mut self) -> Result<(), Ended> {
        let Some((planned, _)) = self.next.take() else {
            return Ok(());
        };
        let (endpoint, provider) = (self.endpoint.clone(), self.provider.clone());
        let options = self.options.clone();
        let mut dialling = Box::pin(Self::dial(&endpoint, &provider, &options));
        // It may wait for another token. Callers do not wait for that, and the old one ends.
        let left = self.term.end().saturating_sub(self.now());
        let limit = options.connect_timeout.min(left);
        let mut out_of_time = provider.platform().clock.sleep(limit);
        let dialled = loop {
            tokio::select! { biased;
                dialled = &mut dialling => break dialled,
                frame = self.link.next() => {
                    self.take(frame.map_err(|_| Ended::Broken)?)?;
                }
                () = &mut out_of_time => break Err(no_connection(limit)),
            }
        };
        let Dialled {
            what: mut new,
            credentials,
            term,
        } = match dialled {
            Ok(dialled) => dialled,
            Err(error) => {
                self.refused(planned, &error.to_string());
                return Ok(());
            }
        };
        let before = self.heard;
        let mut both = Overlap::default();
        let limit = self.options.auth_timeout;
        let Ok(at_least) = self.subscribe_anew(&mut new, &mut both, limit).await else {
            if both.old_is_over || both.unsubscribed {
                return Err(Ended::Broken);
            }
            self.refused(planned, "the new connection did not subscribe");
            return Ok(());
        };
        let lost_before = at_least.is_none();
        let found = overlap(&both.tail, &both.head, at_least.unwrap_or(0));
        let skipped = found.unwrap_or(0);
        self.link = new;
        self.renewed(credentials, term);
        let now = self.heard;
        if lost_before || found.is_none() {
            let why = match lost_before {
                true => {
                    "the connection to Redis broke, or fell silent, before the next one had subscribed"
                }
                false => "two connections to Redis got messages in different orders",
            };
            self.report(Some((before, now)), why);
        } else {
            self.report(
                None,
                "a RESP2 subscription needs a new connection for a new token",
            );
        }
        for message in both.head.drain(..).skip(skipped) {
            self.deliver(message);
        }
        Ok(())
    }

    /// Subscribes on `new` and unsubscribes on the old connection. Tells how many messages surely
    /// arrived on both; `None` when the old one was not heard of after the new one had subscribed.
    async fn subscribe_anew(
        &mut self,
        new: &mut Link,
        both: &mut Overlap,
        limit: Duration,
    ) -> Result<Option<usize>, NewFailed> {
        let names = self.channels.len() + self.patterns.len();
        let ping = cmd("PING");
        for command in self.all(Verb::Subscribe, Verb::PSubscribe) {
            new.send(&command).await.map_err(|_| NewFailed)?;
        }
        both.new = names;
        self.read_both(new, both, limit).await?;

        both.old_is_over |= self.link.send(&ping).await.is_err();
        both.old = 1;
        self.read_both(new, both, limit).await?;
        let marked = (!both.old_is_over).then_some(both.tail.len());

        new.send(&ping).await.map_err(|_| NewFailed)?;
        both.new = 1;
        self.read_both(new, both, limit).await?;
        let on_new = both.head.len();

        both.unsubscribed = true;
        for command in self.all(Verb::Unsubscribe, Verb::PUnsubscribe) {
            both.old_is_over |= self.link.send(&command).await.is_err();
        }
        both.old = names;
        self.read_both(new, both, limit).await?;
        let broke = std::mem::replace(&mut both.old_is_over, true);

        new.send(&ping).await.map_err(|_| NewFailed)?;
        both.new = 1;
        self.read_both(new, both, limit).await?;
        let on_old = marked.map_or(0, |marked| both.tail.len() - marked);
        // What an old connection that broke would still have got, nobody knows.
        let surely = match broke {
            true => on_old,
            false => on_old.max(on_new),
        };
        // Only an old connection that was heard of after the new one had subscribed has delivered all
        // that came before.
        Ok(marked.is_some().then_some(surely))
    }

    /// Reads both connections until each has sent what is awaited of it. The old one delivers.
    async fn read_both(
        &mut self,
        new: &mut Link,
        both: &mut Overlap,
        limit: Duration,
    ) -> Result<(), NewFailed> {
        let by = self.now().saturating_add(limit);
        while both.new > 0 || (both.old > 0 && !both.old_is_over) {
            let left = by.saturating_sub(self.now());
            let out_of_time = self.provider.platform().clock.sleep(left);
            tokio::select! { biased;
                frame = self.link.next(), if !both.old_is_over => match frame {
                    Ok(Frame::Message(message)) => {
                        self.deliver(message.clone());
                        both.tail.push(message);
                    }
                    Ok(Frame::Confirmed | Frame::Pong) => both.old = both.old.saturating_sub(1),
                    Ok(_) => {}
                    Err(_) => both.old_is_over = true,
                },
                frame = new.next() => match frame.map_err(|_| NewFailed)? {
                    Frame::Message(message) => both.head.push(message),
                    Frame::Confirmed | Frame::Pong => both.new = both.new.saturating_sub(1),
                    Frame::Reply(Value::ServerError(_)) => return Err(NewFailed),
                    _ => {}
                },
                () = out_of_time => {
                    // A mute old connection is no reason to stay on it.
                    if both.new > 0 {
                        return Err(NewFailed);
                    }
                    both.old_is_over = true;
                }
            }
        }
        Ok(())
    }
}
