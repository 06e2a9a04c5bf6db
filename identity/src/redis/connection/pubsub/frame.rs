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

/// Returns the meaning of the first item of a RESP2 array; `None` if the array is an answer.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    /// What the frame is, in both protocols; RS-13.
    fn read(value: Value) -> String {
        match Frame::from(value) {
            Frame::Message(Message {
                channel, pattern, ..
            }) => format!("message of {}, {}", channel.len(), pattern.is_some()),
            Frame::Confirmed => "confirmed".to_owned(),
            Frame::Pong => "pong".to_owned(),
            Frame::Reply(_) => "reply".to_owned(),
            Frame::Other => "other".to_owned(),
        }
    }

    #[test]
    fn rs_13_both_protocols_read_the_same() {
        use PushKind::{
            Invalidate, Message, PMessage, PSubscribe, PUnsubscribe, Subscribe, Unsubscribe,
        };
        for (kind, name, items, expected) in [
            (
                Message,
                "message",
                vec!["ch", "payload"],
                "message of 2, false",
            ),
            (
                PMessage,
                "pmessage",
                vec!["c*", "ch1", "payload"],
                "message of 3, true",
            ),
            (Message, "message", vec!["ch"], "other"),
            (PMessage, "pmessage", vec!["c*", "ch1"], "other"),
            (Subscribe, "subscribe", vec!["ch"], "confirmed"),
            (PSubscribe, "psubscribe", vec!["ch"], "confirmed"),
            (Unsubscribe, "unsubscribe", vec!["ch"], "confirmed"),
            (PUnsubscribe, "punsubscribe", vec!["ch"], "confirmed"),
        ] {
            let data: Vec<Value> = items.into_iter().map(text).collect();
            let array = [vec![text(name)], data.clone()].concat();
            assert_eq!(read(Value::Array(array)), expected, "{name} of RESP2");
            assert_eq!(
                read(Value::Push { kind, data }),
                expected,
                "{name} of RESP3"
            );
        }
        let push = Value::Push {
            kind: Invalidate,
            data: vec![text("x")],
        };
        assert_eq!(read(push), "other");
        let pong = Value::Array(vec![text("pong"), text("")]);
        assert_eq!(read(pong), "pong");
        assert_eq!(read(Value::SimpleString("PONG".to_owned())), "pong");
        for reply in [
            Value::SimpleString("OK".to_owned()),
            Value::Okay,
            Value::Array(vec![text("hello")]),
            Value::Array(Vec::new()),
        ] {
            assert_eq!(read(reply.clone()), "reply", "{reply:?}");
        }
    }
}
