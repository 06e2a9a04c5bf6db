//! Commands for Redis: what is known of them, and which of them a scenario means.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::wording::Number;
use crate::{
    check::Check,
    fault::{Matcher, effect::TargetKind},
    scenario::document::Place,
    trace::Facts,
};

/// What is known of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisFacts {
    /// Its name: `AUTH`, `CLIENT SETNAME`.
    pub name: String,
    /// Whether it signs in.
    pub signs_in: bool,
    /// The connection's number.
    pub connection: u64,
    /// The node's number, from 0.
    pub node: usize,
    /// Whether it belongs to a transaction: MULTI, and what follows it up to EXEC or DISCARD.
    pub in_transaction: bool,
}

/// Which commands; what is not given matches all.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisMatch {
    /// Of this name: `AUTH`, `EXEC`.
    pub command: Option<String>,
    /// Commands that sign in: AUTH, and HELLO with AUTH. Default: either way.
    pub signs_in: Option<bool>,
    /// On this connection, counted from 1 in the order of connecting.
    pub connection: Option<u64>,
    /// On this node of a cluster, from 1.
    pub node: Option<u32>,
    /// In a transaction, to which MULTI and EXEC belong. Default: either way.
    pub in_transaction: Option<bool>,
}

impl Matcher for RedisMatch {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        if let Some(command) = &self.command {
            check.text(
                command,
                &place.key("command"),
                "the name of a command, such as `AUTH`",
            );
        }
        if let Some(node) = self.node {
            check.redis_node(node, &place.key("node"));
        }
        check.redis_connection(self.connection, place);
    }

    fn lane(&self) -> Cow<'_, str> {
        "redis".into()
    }

    /// `CLIENT` means all its subcommands too.
    fn matches(&self, facts: &Facts) -> bool {
        let Some(facts) = facts.get::<RedisFacts>() else {
            return false;
        };
        let family = facts.name.split(' ').next().unwrap_or_default();
        let name = self.command.as_ref().is_none_or(|wanted| {
            wanted.eq_ignore_ascii_case(&facts.name) || wanted.eq_ignore_ascii_case(family)
        });
        let node = self.node;
        name && node.is_none_or(|wanted| wanted as usize == facts.node + 1)
            && self.signs_in.is_none_or(|wanted| wanted == facts.signs_in)
            && self
                .connection
                .is_none_or(|wanted| wanted == facts.connection)
            && self
                .in_transaction
                .is_none_or(|wanted| wanted == facts.in_transaction)
    }

    fn kind(&self) -> TargetKind {
        TargetKind::Redis
    }

    fn describe(&self, number: Number) -> String {
        let mut text = match (&self.command, self.signs_in) {
            (Some(command), _) => {
                let noun = number.pick("command", "commands");
                format!("{} {noun}", command.to_uppercase())
            }
            (None, Some(true)) => number
                .pick("sign-in at redis", "sign-ins at redis")
                .to_owned(),
            (None, Some(false)) => number
                .pick(
                    "redis command that does not sign in",
                    "redis commands that do not sign in",
                )
                .to_owned(),
            (None, None) => number.pick("redis command", "redis commands").to_owned(),
        };
        match self.in_transaction {
            Some(true) => text += " within a transaction",
            Some(false) => text += " outside of transactions",
            None => {}
        }
        if let Some(connection) = self.connection {
            text += &format!(" on connection {connection}");
        }
        if let Some(node) = self.node {
            text += &format!(" on node {node}");
        }
        text
    }
}
