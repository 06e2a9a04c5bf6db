//! `redis-kill`: the Redis server closes connections.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ActionContext, Consequences, TimelineAction, TimelineState};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// Connections that the server closes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisKill {
    /// Only this one, counted from 1 in the order of connecting. Default: all.
    pub connection: Option<u64>,
}

impl TimelineAction for RedisKill {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check.service("redis", place);
        check.redis_connection(self.connection, place);
    }

    fn describe(&self) -> String {
        match self.connection {
            Some(number) => format!("redis closes connection {number}"),
            None => "redis closes all connections".to_owned(),
        }
    }

    fn apply(&self, context: &ActionContext<'_>) {
        context.record_change(self.describe());
        if let Some(redis) = context.backend.redis() {
            redis.close_connection(self.connection);
        }
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences::disturbance()
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use crate::action::testing::Played;

    #[test]
    fn it_is_told_which_connections_end() {
        let played = Played::new("[redis]");
        assert_eq!(
            played.act("redis-kill = {}", 1),
            ["1s redis closes all connections"]
        );
        assert_eq!(
            played.act("redis-kill = { connection = 4 }", 2),
            ["2s redis closes connection 4"]
        );
    }
}
