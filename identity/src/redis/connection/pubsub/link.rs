//! A connection that subscribes: commands in, frames out.

use futures_util::{SinkExt as _, StreamExt as _};
use redis::{Cmd, ErrorKind, ProtocolVersion, PushKind, RedisError, RedisResult, Value, cmd};
use tokio_util::codec::Framed;

use crate::{
    platform::{BoxFuture, ByteStream},
    redis::RedisCredentials,
};

/// What somebody published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub channel: Vec<u8>,
    pub pattern: Option<Vec<u8>>,
    pub payload: Vec<u8>,
}

/// What the server sends.
#[derive(Debug)]
pub(super) enum Frame {
    Message(Message),
    /// One name of a (P)SUBSCRIBE or (P)UNSUBSCRIBE is done.
    Confirmed,
    Pong,
    Reply(Value),
    /// A push that nobody asked for.
    Other,
}

pub(super) struct Link {
    framed: Framed<ByteStream, redis::ValueCodec>,
}

impl Link {
    /// Authenticates. The answer is awaited before anything else is sent (RA-18).
    pub fn open(
        stream: ByteStream,
        credentials: &RedisCredentials,
        protocol: ProtocolVersion,
    ) -> BoxFuture<'static, RedisResult<Self>> {
        let mut first = cmd("AUTH");
        if protocol.supports_resp3() {
            first = cmd("HELLO");
            first.arg(3).arg("AUTH");
        }
        first
            .arg(credentials.user_name())
            .arg(credentials.password());
        let mut link = Self {
            framed: Framed::new(stream, redis::ValueCodec::default()),
        };
        Box::pin(async move {
            link.send(&first).await?;
            match link.next().await? {
                Frame::Reply(Value::ServerError(error)) => Err(error.into()),
                Frame::Reply(Value::Okay | Value::Map(_)) => Ok(link),
                _ => Err(RedisError::from((
                    ErrorKind::UnexpectedReturnType,
                    "Redis answered the handshake with something else",
                ))),
            }
        })
    }

    pub async fn send(&mut self, cmd: &Cmd) -> RedisResult<()> {
        self.framed.send(cmd.get_packed_command()).await
    }

    /// The next frame. Dropping the future loses nothing.
    pub async fn next(&mut self) -> RedisResult<Frame> {
        match self.framed.next().await {
            Some(value) => Ok(read(value?)),
            None => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
        }
    }
}

fn read(value: Value) -> Frame {
    match value {
        Value::Push { kind, data } => push(&kind, data),
        Value::SimpleString(text) if text == "PONG" => Frame::Pong,
        // RESP2 has no pushes: what they are, their first item tells (RS-13).
        Value::Array(mut items) if !items.is_empty() => {
            let kind = match &items[..] {
                [Value::BulkString(kind), ..] => match kind.as_slice() {
                    b"message" => PushKind::Message,
                    b"pmessage" => PushKind::PMessage,
                    b"subscribe" => PushKind::Subscribe,
                    b"psubscribe" => PushKind::PSubscribe,
                    b"unsubscribe" => PushKind::Unsubscribe,
                    b"punsubscribe" => PushKind::PUnsubscribe,
                    b"pong" => return Frame::Pong,
                    _ => return Frame::Reply(Value::Array(items)),
                },
                _ => return Frame::Reply(Value::Array(items)),
            };
            push(&kind, items.split_off(1))
        }
        value => Frame::Reply(value),
    }
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
