//! The Redis client that takes the tokens of the credential under test: its options in a scenario,
//! and how a run drives it.

mod commands;
mod options;

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{engine::BoxFuture, trace::RedisReport};

pub use commands::{said, send, short};
pub use options::{Protocol, RedisClientKind, RedisSubject, TokenRetry};

/// How commands are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisHow {
    /// Each when the one before has its reply, be it an error.
    #[default]
    OneByOne,
    /// All at once.
    Pipeline,
    /// All at once between MULTI and EXEC, through the client's own way to do that.
    Transaction,
}

/// A Redis client around a credential: whatever makes connections and keeps them signed in.
pub trait RedisClient: Send + Sync + 'static {
    /// What it is, for the trace.
    fn name(&self) -> &str;

    /// Makes a connection and signs in.
    fn connect(&self) -> BoxFuture<'static, Result<Arc<dyn RedisConnection>, String>>;

    /// Makes a subscriber that listens to `channels`.
    fn subscribe(
        &self,
        channels: Vec<String>,
    ) -> BoxFuture<'static, Result<Box<dyn RedisSubscriber>, String>>;

    /// Ends all background work and forgets every token.
    fn dispose(&self);

    /// How many tokens it would still hand out.
    fn tokens(&self) -> usize;
}

/// A connection that callers share.
pub trait RedisConnection: Send + Sync + 'static {
    /// Sends commands, each a list of words, and gives their replies in short: as many as there are
    /// commands one by one, one for the whole otherwise. Callers go on after an error, as scripts
    /// do.
    fn send(
        &self,
        commands: Vec<Vec<String>>,
        how: RedisHow,
    ) -> BoxFuture<'static, Vec<Result<String, String>>>;
}

/// A subscriber.
pub trait RedisSubscriber: Send + 'static {
    /// What it hears next; none when it has ended for good.
    fn next(&mut self) -> BoxFuture<'_, Option<Heard>>;
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message.
    Message {
        /// Its channel.
        channel: String,
        /// Its text.
        message: String,
    },
    /// Messages may have been lost.
    Gap {
        /// From when on, by the host's wall clock.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// Why, in words.
        why: String,
    },
}

/// Hears what a client reports about itself, with its own words for it.
pub type RedisReporter = Arc<dyn Fn(RedisReport, String) + Send + Sync>;
