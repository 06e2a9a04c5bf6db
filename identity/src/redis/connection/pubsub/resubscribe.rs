//! Subscribing on a new connection to all that the last one had subscribed to.

use std::{collections::VecDeque, time::Duration};

use redis::{RedisError, RedisResult, Value};

use super::{
    frame::Frame, link::Link, message::Message, names::Names, subscription_verb::SubscriptionVerb,
};
use crate::{Platform, redis::connection::error::Ended};

/// The outcome of subscribing on a new connection.
#[derive(Default)]
pub(super) struct Resubscribed {
    /// The messages that arrived before the last answer.
    pub early: Vec<Message>,
    /// The names that the server has refused.
    pub refused: Names,
    /// Why it has refused the last of them.
    pub error: Option<String>,
}

/// One command without its whole answer.
struct Sent {
    verb: SubscriptionVerb,
    names: Vec<Vec<u8>>,
    /// Number of names without a confirmation.
    left: usize,
}

/// Subscribes to `names`. A server refuses a command as a whole if it refuses one of its names, so
/// that command is repeated name by name: a refused name costs no other. `limit` is the longest
/// wait for one answer.
///
/// # Errors
/// When the connection is over, does not answer in time, or has not signed in.
pub(super) async fn resubscribe(
    link: &mut Link,
    names: &Names,
    platform: &Platform,
    limit: Duration,
) -> RedisResult<Resubscribed> {
    let mut sent = VecDeque::new();
    let mut done = Resubscribed::default();
    for (verb, names) in names.by_verb() {
        send(link, &mut sent, verb, names).await?;
    }
    while let Some(first) = sent.front_mut() {
        let frame = platform.within(limit, link.next()).await;
        let frame = frame.unwrap_or_else(|| Err((&Ended::Unresponsive("SUBSCRIBE")).into()))?;
        match frame {
            Frame::Confirmed => {
                first.left = first.left.saturating_sub(1);
                if first.left == 0 {
                    sent.pop_front();
                }
            }
            Frame::Reply(Value::ServerError(error)) if error.code() == "NOAUTH" => {
                return Err(error.into());
            }
            Frame::Reply(Value::ServerError(error)) => {
                let (verb, names) = (first.verb, std::mem::take(&mut first.names));
                sent.pop_front();
                if let [name] = names.as_slice() {
                    done.refused.insert(verb, name);
                    let details = error.details().unwrap_or_default();
                    done.error = Some(format!("{} {details}", error.code()));
                    continue;
                }
                for name in names {
                    send(link, &mut sent, verb, vec![name]).await?;
                }
            }
            Frame::Message(message) => done.early.push(message),
            Frame::Reply(_) | Frame::Pong | Frame::Other => {}
        }
    }
    Ok(done)
}

async fn send(
    link: &mut Link,
    sent: &mut VecDeque<Sent>,
    verb: SubscriptionVerb,
    names: Vec<Vec<u8>>,
) -> RedisResult<()> {
    let command = verb.command(&names);
    let over = |ended: Ended| RedisError::from(&ended);
    link.send(&command).await.map_err(over)?;
    let left = names.len();
    sent.push_back(Sent { verb, names, left });
    Ok(())
}
