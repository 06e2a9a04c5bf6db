//! One unit of what the server sends to a subscriber.

use redis::{PushKind, Value};

use super::message::Message;

/// A frame of RESP2 or RESP3, as a subscriber understands it.
#[derive(Debug)]
pub(super) enum Frame {
    Message(Message),
    /// One name of a (P)SUBSCRIBE or (P)UNSUBSCRIBE is done.
    Confirmed,
    Pong,
    /// The answer to a command, an error included.
    Reply(Value),
    /// A push that was not asked for.
    Other,
}

impl From<Value> for Frame {
    fn from(value: Value) -> Self {
        match value {
            Value::Push { kind, data } => push(&kind, data),
            Value::SimpleString(text) if text == "PONG" => Self::Pong,
            // RESP2 has no pushes: the first item names the kind (RS-13).
            Value::Array(mut items) => match kind(&items) {
                Some(Kind::Push(kind)) => push(&kind, items.split_off(1)),
                Some(Kind::Pong) => Self::Pong,
                None => Self::Reply(Value::Array(items)),
            },
            value => Self::Reply(value),
        }
    }
}

enum Kind {
    Push(PushKind),
    Pong,
}

/// What the first item of a RESP2 array says. `None` if the array is an answer.
fn kind(items: &[Value]) -> Option<Kind> {
    let [Value::BulkString(kind), ..] = items else {
        return None;
    };
    Some(match kind.as_slice() {
        b"message" => Kind::Push(PushKind::Message),
        b"pmessage" => Kind::Push(PushKind::PMessage),
        b"subscribe" => Kind::Push(PushKind::Subscribe),
        b"psubscribe" => Kind::Push(PushKind::PSubscribe),
        b"unsubscribe" => Kind::Push(PushKind::Unsubscribe),
        b"punsubscribe" => Kind::Push(PushKind::PUnsubscribe),
        b"pong" => Kind::Pong,
        _ => return None,
    })
}

fn push(kind: &PushKind, data: Vec<Value>) -> Frame {
    let mut texts = data.into_iter().map(|value| match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    });
    let mut text = || texts.next().flatten();
    let message = match kind {
        PushKind::Message => (|| {
            Some(Message {
                pattern: None,
                channel: text()?,
                payload: text()?,
            })
        })(),
        PushKind::PMessage => (|| {
            Some(Message {
                pattern: Some(text()?),
                channel: text()?,
                payload: text()?,
            })
        })(),
        PushKind::Subscribe
        | PushKind::PSubscribe
        | PushKind::Unsubscribe
        | PushKind::PUnsubscribe => return Frame::Confirmed,
        _ => None,
    };
    message.map_or(Frame::Other, Frame::Message)
}
