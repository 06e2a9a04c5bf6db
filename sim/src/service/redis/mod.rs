//! A Redis that lets people in by their Entra token: its wire, its commands, its cluster. No TLS
//! and no scripts.
//!
//! `server` is a Redis without sockets and clocks, the same as a real one byte for byte; around it
//! are the connections, with their tokens and their faults.

mod command;
mod command_text;
mod entra;
pub mod matcher;
mod on_backend;
mod redis_service;
pub mod resp;
mod serve;
mod server;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod world;

pub use command_text::parse_command;
pub use matcher::RedisMatch;
pub use redis_service::RedisService;
#[doc(hidden)]
pub use resp::survives as resp_survives;
pub use serve::serve;
pub use world::{Redis, RedisVersion};

/// The name of a Redis, and of what the nodes of a cluster belong to.
pub const REDIS_HOST: &str = "redis.contoso.example";
/// The port of Redis; the engines carry no TLS.
pub const REDIS_PORT: u16 = 6380;

/// Where Redis is: one host, or one for each node of a cluster; replicas are not among them.
pub fn redis_hosts(redis: Option<&Redis>) -> Vec<(String, u16)> {
    let nodes = redis.map_or(0, |redis| redis.nodes);
    match nodes {
        0 => Vec::new(),
        1 => vec![(REDIS_HOST.to_owned(), REDIS_PORT)],
        nodes => (1..=nodes)
            .map(|node| (format!("redis-{node}.contoso.example"), REDIS_PORT))
            .collect(),
    }
}
