//! `redis-fail-over`: a node of the Redis cluster goes down, and its replica takes over.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ActionContext, Consequences, TimelineAction, TimelineState};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// A node of a cluster goes down, and its replica takes over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisFailOver {
    /// Which, from 1.
    pub node: u32,
}

impl TimelineAction for RedisFailOver {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        if !check.service("redis", place) {
            return;
        }
        if check.rest.redis_nodes == 1 {
            check
                .at_key(place, "a single server has no replica")
                .label("`world.redis` is not a cluster")
                .help("add `nodes = 3` to `[world.redis]`");
        } else {
            check.redis_node(self.node, &place.key("node"));
        }
    }

    fn describe(&self) -> String {
        format!(
            "node {} of redis goes down, and its replica takes over",
            self.node
        )
    }

    fn apply(&self, context: &ActionContext<'_>) {
        let redis = context.backend.redis();
        let node = (self.node as usize).checked_sub(1);
        let taken_over = redis
            .zip(node)
            .and_then(|(redis, node)| redis.fail_over(node));
        context.record_change(match taken_over {
            Some((from, to)) => format!("{from} goes down, and {to} takes over"),
            None => format!("nobody can take over from node {} of redis", self.node),
        });
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
    fn a_replica_takes_over_once() {
        let played = Played::new("[redis]\nnodes = 2");
        let fail_over = "redis-fail-over = { node = 1 }";
        let replica = "redis-1-replica.contoso.example";
        assert_eq!(
            played.act(fail_over, 1),
            [format!(
                "1s redis-1.contoso.example goes down, and {replica} takes over"
            )]
        );
        assert_eq!(
            played.act(fail_over, 2),
            ["2s nobody can take over from node 1 of redis"]
        );
    }
}
