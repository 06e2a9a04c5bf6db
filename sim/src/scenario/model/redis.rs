//! Redis with Entra ID: the simulated server, and what is expected of its clients.

pub use crate::service::redis::{Redis, RedisMatch, RedisVersion};
