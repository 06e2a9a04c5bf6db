//! How the timeline ends connections to Redis.

use super::{redis_service::RedisService, server::Ending};
use crate::scenario::RedisEnd;

impl RedisService {
    /// Closes the connection of this number, counted from 1 in the order of connecting, or all.
    pub fn close_connection(&self, number: Option<u64>) {
        let ending = broken("the server closed it".to_owned());
        self.kill(&ending, |client| number.is_none_or(|id| id == client.id));
    }

    /// Closes the connections that are signed in as `object_id`.
    pub fn close_connections_of(&self, object_id: &str) {
        let ending = broken(format!("{object_id} may no longer sign in"));
        self.kill(&ending, |client| client.user.as_deref() == Some(object_id));
    }
}

fn broken(why: String) -> Ending {
    Ending {
        because: RedisEnd::Broken,
        why,
    }
}
