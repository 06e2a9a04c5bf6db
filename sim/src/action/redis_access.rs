//! `redis-allow` and `redis-deny`: which object ids may sign in at Redis.

use super::{ActionContext, Consequences, IdentityRef, TimelineAction, TimelineState};
use crate::{
    backend::Backend,
    check::Check,
    scenario::{Span, document::Place},
    service::redis::Redis,
};

action_with_keys! {
    /// An object id may sign in at Redis from now on.
    pub struct RedisAllow(IdentityRef);
}

action_with_keys! {
    /// An object id may no longer sign in at Redis, and its connections are closed.
    pub struct RedisDeny(IdentityRef);
}

impl TimelineAction for RedisAllow {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check_principal(&self.0, place, check);
    }

    fn describe(&self) -> String {
        format!("{} may sign in at redis", self.0.object_id)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        set_access(context.backend, &self.0.object_id, true);
        context.record_change(self.describe());
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences::improvement()
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

impl TimelineAction for RedisDeny {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check_principal(&self.0, place, check);
    }

    fn describe(&self) -> String {
        format!("{} may no longer sign in at redis", self.0.object_id)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        set_access(context.backend, &self.0.object_id, false);
        context.record_change(self.describe());
        if let Some(redis) = context.backend.redis() {
            redis.close_connections_of(&self.0.object_id);
        }
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences::loss()
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

fn check_principal(identity: &IdentityRef, place: &Place, check: &mut Check<'_>) {
    if check.service("redis", place) {
        check.principal(&identity.object_id, &place.key("object-id"));
    }
}

fn set_access(backend: &Backend, object_id: &str, allowed: bool) {
    if let Some(redis) = backend.state().parts.get_mut::<Redis>() {
        redis.principals.retain(|known| *known != object_id);
        if allowed {
            redis.principals.push(object_id.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{action::testing::Played, service::redis::Redis};

    #[test]
    fn an_id_may_sign_in_until_it_may_not() {
        let played = Played::new("[redis]\nprincipals = [\"a\"]");
        let principals = || {
            let state = played.backend.state();
            let redis = state.parts.get::<Redis>().expect("it is there");
            redis.principals.clone()
        };
        let allow = "redis-allow = { object-id = \"b\" }";
        assert_eq!(played.act(allow, 1), ["1s b may sign in at redis"]);
        played.act(allow, 2);
        assert_eq!(principals(), ["a", "b"]);
        assert_eq!(
            played.act("redis-deny = { object-id = \"a\" }", 3),
            ["3s a may no longer sign in at redis"]
        );
        assert_eq!(principals(), ["b"]);
    }
}
