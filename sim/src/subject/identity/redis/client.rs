//! Connections and subscribers of ours, as a run drives them.

use std::sync::Arc;

use credsim_identity::redis::{
    EntraIdCredentialsProvider,
    connection::{
        ConnectionOptions, EntraCluster, EntraConnection, EntraConnectionManager, EntraPubSub,
        PubSubEvent, RedisEndpoint,
    },
};
use redis::{ProtocolVersion, RedisResult, aio::ConnectionLike};

use super::time;
use crate::{
    credential::{Protocol, RedisClientKind, RedisHow, RedisSubject},
    engine::BoxFuture,
    subject::{
        Heard, Lent, RedisClient, RedisConnection, RedisSubscriber,
        redis::{said, send},
    },
};

/// The client that a scenario describes, on `provider`.
pub fn client(
    provider: EntraIdCredentialsProvider,
    described: &RedisSubject,
    lent: &Lent,
) -> Arc<dyn RedisClient> {
    let mut options = ConnectionOptions::default();
    options.protocol = match described.protocol {
        Protocol::Resp2 => ProtocolVersion::RESP2,
        Protocol::Resp3 => ProtocolVersion::RESP3,
    };
    super::set(&mut options.spread, described.spread.map(time));
    super::set(
        &mut options.transaction_margin,
        described.transaction_margin.map(time),
    );
    if let Some(limit) = described.response_timeout {
        options.response_timeout = Some(limit.0);
    }
    let nodes = lent.redis.iter();
    let nodes = nodes.map(|(host, port)| RedisEndpoint::new(host, *port).tls(false));
    Arc::new(Client {
        provider,
        nodes: nodes.collect(),
        kind: described.client,
        options,
    })
}

struct Client {
    provider: EntraIdCredentialsProvider,
    nodes: Vec<RedisEndpoint>,
    kind: RedisClientKind,
    options: ConnectionOptions,
}

impl Client {
    fn first_node(&self) -> Result<RedisEndpoint, String> {
        let node = self.nodes.first().cloned();
        node.ok_or_else(|| "there is no Redis in this world".to_owned())
    }
}

impl RedisClient for Client {
    fn name(&self) -> &str {
        "EntraIdCredentialsProvider"
    }

    fn connect(&self) -> BoxFuture<'static, Result<Arc<dyn RedisConnection>, String>> {
        let (provider, options) = (self.provider.clone(), self.options.clone());
        let (kind, node, nodes) = (self.kind, self.first_node(), self.nodes.clone());
        Box::pin(async move {
            let node = node?;
            match kind {
                RedisClientKind::Managed => {
                    shared(EntraConnectionManager::connect(node, &provider, options).await)
                }
                RedisClientKind::Single => {
                    shared(EntraConnection::connect(node, &provider, options).await)
                }
                RedisClientKind::Cluster => {
                    shared(EntraCluster::connect(nodes, &provider, options).await)
                }
            }
        })
    }

    fn subscribe(
        &self,
        channels: Vec<String>,
    ) -> BoxFuture<'static, Result<Box<dyn RedisSubscriber>, String>> {
        let (provider, options) = (self.provider.clone(), self.options.clone());
        let node = self.first_node();
        Box::pin(async move {
            let made = EntraPubSub::connect(node?, &provider, options).await;
            let subscriber = made.map_err(|error| said(&error))?;
            let listening = subscriber.subscribe(channels).await;
            listening.map_err(|error| said(&error))?;
            Ok(Box::new(Subscriber(subscriber)) as Box<dyn RedisSubscriber>)
        })
    }

    fn dispose(&self) {
        self.provider.dispose();
    }

    fn tokens(&self) -> usize {
        usize::from(self.provider.current().is_some())
    }
}

fn shared<C>(made: RedisResult<C>) -> Result<Arc<dyn RedisConnection>, String>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    match made {
        Ok(connection) => Ok(Arc::new(Shared(connection))),
        Err(error) => Err(said(&error)),
    }
}

struct Shared<C>(C);

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisConnection for Shared<C> {
    fn send(
        &self,
        commands: Vec<Vec<String>>,
        how: RedisHow,
    ) -> BoxFuture<'static, Vec<Result<String, String>>> {
        let mut connection = self.0.clone();
        Box::pin(async move { send(&mut connection, &commands, how).await })
    }
}

struct Subscriber(EntraPubSub);

impl RedisSubscriber for Subscriber {
    fn next(&mut self) -> BoxFuture<'_, Option<Heard>> {
        Box::pin(async move {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            loop {
                return Some(match self.0.next().await? {
                    PubSubEvent::Message {
                        channel, payload, ..
                    } => Heard::Message {
                        channel: text(&channel),
                        message: text(&payload),
                    },
                    PubSubEvent::Gap { from, until, why } => Heard::Gap { from, until, why },
                    // What has no name here yet says nothing about messages.
                    _ => continue,
                });
            }
        })
    }
}
