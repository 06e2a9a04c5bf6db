//! What the timeline does to Redis.

use std::time::Duration;

use super::server::Ending;
use crate::{
    backend::Stage,
    scenario::{Action, RedisEnd},
};

/// Applies `action` and records it; none if it is not about Redis.
pub fn apply(stage: &Stage, action: &Action, at: Duration) -> Option<()> {
    let service = stage.redis()?;
    let what = match action {
        Action::RedisKill(kill) => match kill.connection {
            Some(number) => format!("redis closes connection {number}"),
            None => "redis closes all connections".to_owned(),
        },
        Action::RedisFailOver(of) => {
            let node = (of.node as usize).checked_sub(1)?;
            match service.fail_over(node) {
                Some((from, to)) => format!("{from} goes down, and {to} takes over"),
                None => format!("nobody can take over from node {} of redis", of.node),
            }
        }
        Action::RedisAllow(identity) => {
            let mut state = stage.state();
            let redis = state.world.redis.as_mut()?;
            redis
                .principals
                .retain(|known| *known != identity.object_id);
            redis.principals.push(identity.object_id.clone());
            format!("{} may sign in at redis", identity.object_id)
        }
        Action::RedisDeny(identity) => {
            let mut state = stage.state();
            let redis = state.world.redis.as_mut()?;
            redis
                .principals
                .retain(|known| *known != identity.object_id);
            format!("{} may no longer sign in at redis", identity.object_id)
        }
        _ => return None,
    };
    // Before what follows from it.
    stage.tell_world(at, what);
    let ending = |why: &str| Ending {
        because: RedisEnd::Broken,
        why: why.to_owned(),
    };
    match action {
        Action::RedisKill(kill) => {
            let is_it = |id| kill.connection.is_none_or(|number| number == id);
            service.kill(&ending("the server closed it"), |client| is_it(client.id));
        }
        Action::RedisDeny(identity) => {
            let why = format!("{} may no longer sign in", identity.object_id);
            let user = Some(identity.object_id.as_str());
            service.kill(&ending(&why), |client| client.user.as_deref() == user);
        }
        _ => {}
    }
    Some(())
}
