//! The hand-over from one RESP2 connection to the next, without losing a message.
//!
//! The new connection subscribes while the old one is still subscribed, so for a while both get
//! every message. Markers (`PING`) on both show which messages surely are among those: messages
//! that the old connection gets after the new one has subscribed, and messages that the new
//! connection gets before the old one unsubscribes.

use std::time::Duration;

use redis::{Cmd, Value, cmd};

use super::{
    align::overlap, frame::Frame, link::Link, message::Message, names::Names, queue::Queue,
};
use crate::Platform;

/// One hand-over. The old connection delivers its messages until it is over.
pub(super) struct Handover<'a> {
    pub old: &'a mut Link,
    pub new: &'a mut Link,
    /// What the old connection has subscribed to.
    pub names: &'a Names,
    pub queue: &'a Queue,
    pub platform: &'a Platform,
    /// The longest wait for the answers of one step.
    pub limit: Duration,
}

/// The new connection has taken over.
pub(super) struct Handed {
    /// The messages of the new connection that the old one has not delivered.
    pub rest: Vec<Message>,
    /// Why messages may be missing, if they may.
    pub doubt: Option<&'static str>,
}

/// The new connection cannot take over.
pub(super) struct NewFailed {
    /// Whether the old connection is of no use any more either.
    pub old_is_over: bool,
}

/// The messages of both connections since the new one began to subscribe.
#[derive(Default)]
struct Overlap {
    tail: Vec<Message>,
    head: Vec<Message>,
    /// The old connection is over.
    old_is_over: bool,
    /// `UNSUBSCRIBE` was sent on the old connection.
    unsubscribed: bool,
    /// Number of answers that are awaited of each.
    old: usize,
    new: usize,
}

/// The new connection did not complete a step.
struct Stuck;

impl Handover<'_> {
    /// Lets the new connection take over.
    pub async fn run(mut self) -> Result<Handed, NewFailed> {
        let mut both = Overlap::default();
        let Ok(at_least) = self.subscribe_anew(&mut both).await else {
            let old_is_over = both.old_is_over || both.unsubscribed;
            return Err(NewFailed { old_is_over });
        };
        let found = overlap(&both.tail, &both.head, at_least.unwrap_or(0));
        let doubt = match (at_least, found) {
            (None, _) => Some(
                "the connection to Redis broke, or fell silent, before the next one had subscribed",
            ),
            (Some(_), None) => Some("two connections to Redis got messages in different orders"),
            (Some(_), Some(_)) => None,
        };
        let rest = both.head.split_off(found.unwrap_or(0));
        Ok(Handed { rest, doubt })
    }

    /// Subscribes on the new connection and unsubscribes on the old one. Returns how many messages
    /// surely arrived on both; `None` when the old one was not heard of after the new one had
    /// subscribed.
    async fn subscribe_anew(&mut self, both: &mut Overlap) -> Result<Option<usize>, Stuck> {
        let ping = cmd("PING");
        for (verb, names) in self.names.by_verb() {
            let command = verb.command(&names);
            self.new.send(&command).await.map_err(|_| Stuck)?;
        }
        both.new = self.names.len();
        self.read_both(both).await?;

        self.send_to_old(&ping, both).await;
        both.old = 1;
        self.read_both(both).await?;
        let marked = (!both.old_is_over).then_some(both.tail.len());

        self.new.send(&ping).await.map_err(|_| Stuck)?;
        both.new = 1;
        self.read_both(both).await?;
        let on_new = both.head.len();

        both.unsubscribed = true;
        for command in self.names.unsubscribe() {
            self.send_to_old(&command, both).await;
        }
        both.old = self.names.len();
        self.read_both(both).await?;
        let broke = std::mem::replace(&mut both.old_is_over, true);

        self.new.send(&ping).await.map_err(|_| Stuck)?;
        both.new = 1;
        self.read_both(both).await?;
        let on_old = marked.map_or(0, |marked| both.tail.len() - marked);
        // The messages that a broken connection would still have got are unknown.
        let surely = match broke {
            true => on_old,
            false => on_old.max(on_new),
        };
        // Only an old connection that was heard of after the new one had subscribed has delivered
        // all that came before.
        Ok(marked.is_some().then_some(surely))
    }

    /// Sends a command on the old connection, unless that is over. One that accepts no command in
    /// time is over: its answers would have to be waited for once more.
    async fn send_to_old(&mut self, command: &Cmd, both: &mut Overlap) {
        if !both.old_is_over {
            both.old_is_over = self.old.send(command).await.is_err();
        }
    }

    /// Reads both connections until each has sent what is awaited of it. The old one delivers.
    async fn read_both(&mut self, both: &mut Overlap) -> Result<(), Stuck> {
        let clock = &self.platform.clock;
        let by = clock.monotonic().saturating_add(self.limit);
        while both.new > 0 || (both.old > 0 && !both.old_is_over) {
            let out_of_time = clock.sleep(by.saturating_sub(clock.monotonic()));
            tokio::select! { biased;
                frame = self.old.next(), if !both.old_is_over => match frame {
                    Ok(Frame::Message(message)) => {
                        self.queue.deliver(message.clone());
                        both.tail.push(message);
                    }
                    Ok(Frame::Confirmed | Frame::Pong) => both.old = both.old.saturating_sub(1),
                    Ok(Frame::Reply(_) | Frame::Other) => {}
                    Err(_) => both.old_is_over = true,
                },
                frame = self.new.next() => match frame.map_err(|_| Stuck)? {
                    Frame::Message(message) => both.head.push(message),
                    Frame::Confirmed | Frame::Pong => both.new = both.new.saturating_sub(1),
                    Frame::Reply(Value::ServerError(_)) => return Err(Stuck),
                    Frame::Reply(_) | Frame::Other => {}
                },
                () = out_of_time => {
                    // An old connection that does not answer is left.
                    if both.new > 0 {
                        return Err(Stuck);
                    }
                    both.old_is_over = true;
                }
            }
        }
        Ok(())
    }
}
