//! A connection that subscribes: commands in, frames out.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use redis::{Cmd, ErrorKind, ProtocolVersion, RedisError, RedisResult, Value, cmd};
use tokio_util::codec::Framed;

use super::frame::Frame;
use crate::{
    Platform,
    platform::{BoxFuture, ByteStream},
    redis::{RedisCredentials, connection::error::Ended},
};

/// One authenticated connection.
pub(super) struct Link {
    framed: Framed<ByteStream, redis::ValueCodec>,
    platform: Platform,
    /// How long the network may take to accept a command.
    limit: Duration,
}

impl Link {
    /// Authenticates on `stream`. The answer is awaited before anything else is sent (RA-18).
    /// Sending a command may take up to `limit`.
    pub fn open(
        stream: ByteStream,
        credentials: &RedisCredentials,
        protocol: ProtocolVersion,
        platform: Platform,
        limit: Duration,
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
            platform,
            limit,
        };
        Box::pin(async move {
            link.framed.send(first.get_packed_command()).await?;
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

    /// Sends a command. A peer that does not read, and whose buffers are full, must not hold up the
    /// subscriber: the connection is over then (PR-37).
    ///
    /// # Errors
    /// Why the connection is over.
    pub async fn send(&mut self, cmd: &Cmd) -> Result<(), Ended> {
        let sent = self.framed.send(cmd.get_packed_command());
        match self.platform.within(self.limit, sent).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(Ended::Broken),
            None => Err(Ended::Unresponsive("a subscriber")),
        }
    }

    /// The next frame. Cancel-safe.
    ///
    /// # Errors
    /// When the connection is over, or does not speak RESP.
    pub async fn next(&mut self) -> RedisResult<Frame> {
        match self.framed.next().await {
            Some(value) => Ok(Frame::from(value?)),
            None => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
        }
    }
}
