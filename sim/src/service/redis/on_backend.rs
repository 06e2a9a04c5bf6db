//! Redis as a part of a world: installed there, and served on its hosts.

use std::sync::Arc;

use super::{Redis, redis_service::RedisService, serve};
use crate::{
    backend::Backend,
    engine::{BoxFuture, HostMain},
};

impl Backend {
    /// The Redis, if there is one.
    pub(crate) fn redis(&self) -> Option<Arc<RedisService>> {
        self.state().parts.get::<Arc<RedisService>>().cloned()
    }

    /// Installs what the connections of `redis` share.
    pub(crate) fn install_redis(&self, redis: &Redis) {
        let service = Arc::new(RedisService::new(redis));
        self.state().parts.insert(service);
    }

    /// The nodes of Redis, replicas too.
    pub(crate) fn redis_nodes(&self) -> Vec<(String, HostMain)> {
        let Some(service) = self.redis() else {
            return Vec::new();
        };
        let main = |node: usize| -> HostMain {
            let (backend, service) = (self.clone(), service.clone());
            Arc::new(move |host| -> BoxFuture<'static, ()> {
                Box::pin(serve(backend.clone(), service.clone(), node, host))
            })
        };
        let hosts = service.hosts().iter().enumerate();
        hosts
            .map(|(node, host)| (host.clone(), main(node)))
            .collect()
    }

    /// The hosts of Redis, replicas too; the first is where clients begin.
    pub fn redis_hosts(&self) -> Vec<String> {
        self.redis()
            .map_or_else(Vec::new, |service| service.hosts().to_vec())
    }

    /// From now on the nodes of a Redis cluster send clients here when they mean `host`.
    pub fn announce_redis(&self, host: &str, address: &str, port: u16) {
        if let Some(service) = self.redis() {
            service.announce(host, address, port);
        }
    }
}
