//! A subscriber on a RESP3 connection of the crate.

use credsim::{
    engine::BoxFuture,
    subject::{Heard, RedisSubscriber},
};
use jiff::Timestamp;
use redis::{PushInfo, PushKind, RedisResult};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    connector::Connector,
    managed::{Managed, Work},
    reply,
};

/// Listens until its connection ends for good.
pub struct Subscriber {
    connector: Connector,
    again: bool,
    _connection: Managed,
    pushes: UnboundedReceiver<PushInfo>,
    broken: Option<Timestamp>,
}

impl Subscriber {
    /// Makes a connection and listens to `channels` on it.
    ///
    /// # Errors
    /// The crate's own; with RESP2 always, since its connections for that take no provider (RD-39).
    pub async fn new(
        connector: Connector,
        again: bool,
        channels: Vec<String>,
    ) -> RedisResult<Self> {
        let (connection, pushes) = Managed::new(connector.clone(), again).await?;
        connection.send(Work::Listen(channels)).await?;
        Ok(Self {
            connector,
            again,
            _connection: connection,
            pushes,
            broken: None,
        })
    }

    async fn next(&mut self) -> Option<Heard> {
        loop {
            let push = self.pushes.recv().await?;
            let now = self.connector.platform.clock.now();
            match push.kind {
                PushKind::Message => {
                    let mut texts = push.data.iter().map(reply::text);
                    return Some(Heard::Message {
                        channel: texts.next()?,
                        message: texts.next()?,
                    });
                }
                PushKind::Disconnection if !self.again => return None,
                PushKind::Disconnection => self.broken = self.broken.or(Some(now)),
                PushKind::Subscribe => {
                    if let Some(from) = self.broken.take() {
                        return Some(Heard::Gap {
                            from,
                            until: now,
                            why: "a push of the kind Disconnection".to_owned(),
                        });
                    }
                }
                _ => {}
            }
        }
    }
}

impl RedisSubscriber for Subscriber {
    fn next(&mut self) -> BoxFuture<'_, Option<Heard>> {
        Box::pin(self.next())
    }
}
