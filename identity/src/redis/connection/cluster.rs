//! Connections to a cluster.

use std::{fmt, sync::Arc};

use redis::{
    Cmd, ConnectionAddr, ErrorKind, IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError,
    RedisFuture, RedisResult, Value,
    aio::ConnectionLike,
    cluster::ClusterClient,
    cluster_async::{ClusterConnection, Connect},
};

use super::{
    EntraConnection,
    endpoint::RedisEndpoint,
    options::ConnectionOptions,
    registry::{Registered, Registration},
};
use crate::redis::EntraIdCredentialsProvider;

/// A connection to a Redis cluster: the cluster connection of the `redis` crate over one
/// [`EntraConnection`] to each node, so every node gets each new token once. Clones share it.
///
/// The crate finds the nodes, follows redirections and reconnects when a node is lost. `MULTI` by
/// hand has no key that names its node, so use atomic pipelines. Waits inside the crate, such as
/// those between its retries, use tokio's clock, and its choices among nodes are random.
#[derive(Clone)]
pub struct EntraCluster {
    connection: ClusterConnection<EntraConnection>,
    database: i64,
    _registration: Arc<Registration>,
}

impl EntraCluster {
    /// Connects to the cluster that `nodes` belong to; one that can be reached is enough. The other
    /// nodes are taken to speak TLS if the first one does.
    ///
    /// # Errors
    /// The error of the `redis` crate when no node can be reached, or the server is not a cluster.
    pub async fn connect(
        nodes: impl IntoIterator<Item = RedisEndpoint>,
        provider: &EntraIdCredentialsProvider,
        options: ConnectionOptions,
    ) -> RedisResult<Self> {
        let nodes: Vec<RedisEndpoint> = nodes.into_iter().collect();
        let Some(first) = nodes.first() else {
            return Err(RedisError::from((
                ErrorKind::InvalidClientConfig,
                "a cluster needs at least one node to begin with",
            )));
        };
        let database = options.database;
        let registration = Registration::new(Registered {
            provider: provider.clone(),
            options: options.clone(),
            tls: first.tls,
        });
        let settings = RedisConnectionInfo::default()
            .set_username(registration.marker())
            .set_protocol(options.protocol)
            .set_db(database);
        let infos = nodes.into_iter().map(|node| {
            let info = (node.host, node.port).into_connection_info()?;
            Ok(info.set_redis_settings(settings.clone()))
        });
        let infos: RedisResult<Vec<_>> = infos.collect();
        let client = ClusterClient::builder(infos?)
            .connection_timeout(options.connect_timeout)
            // The connections have limits of their own, and blocking commands may last.
            .overall_response_timeout(None)
            .build()?;
        Ok(Self {
            connection: client.get_async_generic_connection().await?,
            database,
            _registration: Arc::new(registration),
        })
    }

    /// Returns the connection of the `redis` crate, for its further methods, such as
    /// `route_command`. It makes no new connections once the last [`EntraCluster`] is dropped.
    pub fn inner(&self) -> &ClusterConnection<EntraConnection> {
        &self.connection
    }
}

impl ConnectionLike for EntraCluster {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        self.connection.req_packed_command(cmd)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.connection.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.database
    }
}

impl fmt::Debug for EntraCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntraCluster")
    }
}

/// For [`EntraCluster`], which registers what to connect with. Elsewhere it is an error.
impl Connect for EntraConnection {
    fn connect_with_config<'a, T>(info: T, _: redis::AsyncConnectionConfig) -> RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        Box::pin(async move {
            let info = info.into_connection_info()?;
            let wrong = |what| Err(RedisError::from((ErrorKind::InvalidClientConfig, what)));
            let Some(registered) = Registration::find(info.redis_settings().username()) else {
                return wrong("connections to a cluster are made by EntraCluster::connect");
            };
            let endpoint = match info.addr() {
                ConnectionAddr::Tcp(host, port) => RedisEndpoint::new(host, *port),
                ConnectionAddr::TcpTls { host, port, .. } => RedisEndpoint::new(host, *port),
                _ => return wrong("a node of a cluster has a host and a port"),
            };
            let endpoint = endpoint.tls(registered.tls);
            Self::connect(endpoint, &registered.provider, registered.options).await
        })
    }
}
