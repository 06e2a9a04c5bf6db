//! What a stage says of its Redis.

use std::sync::Arc;

use super::serve;
use crate::{
    backend::Stage,
    engine::{BoxFuture, HostMain},
};

impl Stage {
    /// The nodes of Redis, replicas too.
    pub(crate) fn redis_nodes(&self) -> Vec<(String, HostMain)> {
        let Some(hub) = self.redis() else {
            return Vec::new();
        };
        let main = |node: usize| -> HostMain {
            let (stage, hub) = (self.clone(), hub.clone());
            Arc::new(move |host| -> BoxFuture<'static, ()> {
                Box::pin(serve(stage.clone(), hub.clone(), node, host))
            })
        };
        let hosts = hub.hosts().iter().enumerate();
        hosts
            .map(|(node, host)| (host.clone(), main(node)))
            .collect()
    }

    /// The hosts of Redis, replicas too; the first is where clients begin.
    pub fn redis_hosts(&self) -> &[String] {
        self.redis().map_or(&[], |hub| hub.hosts())
    }

    /// From now on the nodes of a Redis cluster send clients here when they mean `host`.
    pub fn announce_redis(&self, host: &str, address: &str, port: u16) {
        if let Some(hub) = self.redis() {
            hub.announce(host, address, port);
        }
    }
}
