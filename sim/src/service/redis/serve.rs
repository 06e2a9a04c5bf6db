//! A node on its host: it listens, and serves each connection.

use std::sync::Arc;

use super::{REDIS_PORT, Redis};
use super::{
    redis_service::{RedisService, record_end},
    server::Ending,
    session::Session,
};
use crate::wording::{Number, counted};
use crate::{
    backend::Backend,
    engine::{Host, Stream},
    trace::{Kind, RedisEvent},
};

/// Serves node number `node` for as long as its host is up, or until another node takes its place.
pub async fn serve(backend: Backend, service: Arc<RedisService>, node: usize, host: Host) {
    let down = service.state().start(node);
    let mut listener = match host.network.bind(REDIS_PORT).await {
        Ok(listener) => listener,
        Err(error) => {
            let what = format!("redis cannot listen on port {REDIS_PORT}: {error}");
            backend.record_world(host.runtime.elapsed(), what);
            return;
        }
    };
    loop {
        let accepted = tokio::select! {
            biased;
            () = down.notified() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            return;
        };
        admit(&backend, &service, node, &host, stream, &peer);
    }
}

fn admit(
    backend: &Backend,
    service: &Arc<RedisService>,
    node: usize,
    host: &Host,
    stream: Stream,
    peer: &str,
) {
    let at = host.runtime.elapsed();
    let most = backend
        .state()
        .parts
        .get::<Redis>()
        .map_or(0, |redis| redis.max_clients);
    let now = backend.time(at).as_microsecond();
    let (id, notify, is_full) = {
        let mut state = service.state();
        let is_full = state.server.connected_to(node) >= most as usize;
        let (id, notify) = state.connect(node, peer, now);
        (id, notify, is_full)
    };
    let event = RedisEvent::Opened {
        node: service.hosts().get(node).cloned().unwrap_or_default(),
        connection: id,
    };
    backend.journal().record(at, Kind::Redis(event));
    if is_full {
        // It no longer counts, and does not keep another client out.
        if let Some(client) = service.state().disconnect(id) {
            let are = Number::of(most).pick("is", "are");
            let why = format!("there {are} {} already", counted(most, "connection"));
            record_end(backend, at, &client, &Ending::by_server(&why));
        }
        let work = super::session::refuse(stream, b"-ERR max number of clients reached\r\n");
        host.runtime.spawn(Box::pin(work)).detach();
        return;
    }
    let session = Session::new(backend, service, host, id, notify, node);
    host.runtime.spawn(Box::pin(session.run(stream))).detach();
}
