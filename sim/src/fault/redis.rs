//! Commands for Redis, as faults look at them.

use crate::scenario::RedisMatch;

/// A command for Redis: what a matcher may look at.
#[derive(Clone, Copy, Debug)]
pub struct SeenCommand<'a> {
    /// Its name: `AUTH`, `CLIENT SETNAME`.
    pub name: &'a str,
    /// Whether it signs in.
    pub signs_in: bool,
    /// The connection's number.
    pub connection: u64,
    /// The node's number, from 0.
    pub node: usize,
    /// Whether it stands between MULTI and EXEC.
    pub in_transaction: bool,
}

/// Whether a command for Redis is one of those that `matcher` means: `CLIENT` means all its
/// subcommands too.
pub(super) fn matches_redis(matcher: &RedisMatch, command: &SeenCommand<'_>) -> bool {
    let family = command.name.split(' ').next().unwrap_or_default();
    let name = matcher.command.as_ref().is_none_or(|wanted| {
        wanted.eq_ignore_ascii_case(command.name) || wanted.eq_ignore_ascii_case(family)
    });
    let node = matcher
        .node
        .is_none_or(|wanted| wanted as usize == command.node + 1);
    let within = matcher.in_transaction;
    name && node
        && matcher
            .signs_in
            .is_none_or(|wanted| wanted == command.signs_in)
        && matcher
            .connection
            .is_none_or(|wanted| wanted == command.connection)
        && within.is_none_or(|wanted| wanted == command.in_transaction)
}
