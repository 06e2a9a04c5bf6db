//! What can happen between a Redis client and its server. No event holds a token or a password.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Facts, Fingerprint, SharedStr,
    time::{clock, maybe_nanoseconds, nanoseconds, span},
};

/// Something that happened to Redis.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(
    tag = "redis",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum RedisEvent {
    /// A connection reached the server.
    Opened {
        /// The node's host name.
        node: String,
        /// The connection's number in this run, from 1.
        connection: u64,
    },
    /// The server looked at credentials: of AUTH, of HELLO, or of either inside EXEC.
    SignedIn {
        /// The connection.
        connection: u64,
        /// The user name presented.
        user: SharedStr,
        /// The token presented.
        token: Fingerprint,
        /// Whether the server takes it.
        accepted: bool,
        /// Whether the token had ended when the client sent it, in true time.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ended: bool,
        /// Why, in words.
        why: SharedStr,
        /// When the server closes the connection, since the world began, if it took the token.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "maybe_nanoseconds"
        )]
        until: Option<Duration>,
    },
    /// The server took a command and answered it, queued it, or began to wait.
    Command {
        /// The connection.
        connection: u64,
        /// The command's number on its connection, from 1.
        number: u32,
        /// Its name in capitals: `AUTH`, `SET`, `CLIENT SETNAME`.
        name: SharedStr,
        /// Its arguments; credentials are never among them.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        args: SharedStr,
        /// The user name with which the connection is signed in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<SharedStr>,
        /// The token of that sign-in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Fingerprint>,
        /// The number of the transaction on this connection that it stands in, from 1; MULTI and
        /// EXEC are part of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transaction: Option<NonZeroU32>,
        /// Whether it signs in: AUTH, and HELLO with AUTH.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        signs_in: bool,
        /// The reply in short: `OK`, `QUEUED`, `WRONGPASS ...`, `[OK, OK]`; `(waits)` if there is
        /// none yet and `(nothing)` if there will be none.
        reply: SharedStr,
        /// The fault that decided, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<SharedStr>,
        /// What the server knows of it; for matchers.
        #[serde(skip)]
        facts: Facts,
        /// What it published: PUBLISH itself, and EXEC what the queued PUBLISH commands did. None
        /// if it is nothing. A pointer, because few commands have it and every event is as large as
        /// the largest.
        #[serde(skip)]
        published: Option<Arc<Vec<Published>>>,
    },
    /// A command that waited has its reply.
    Unblocked {
        /// The connection.
        connection: u64,
        /// The command's number on its connection.
        number: u64,
        /// The reply in short.
        reply: String,
    },
    /// A connection ended.
    Closed {
        /// The connection.
        connection: u64,
        /// Which side ended it, and why.
        because: RedisEnd,
        /// Why, in words.
        why: String,
        /// The transaction that was open, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transaction: Option<u64>,
    },
    /// A caller begins a piece of work.
    WorkStarted {
        /// The call's number in this run.
        call: u64,
        /// Which `[[call]]` of the scenario, from 1.
        step: usize,
        /// Which of several concurrent callers, from 1.
        caller: u32,
        /// The client.
        instance: u32,
        /// The name of the connection.
        on: String,
        /// The commands; how they are sent.
        send: String,
        /// Whether it subscribes, and then listens until the world's end.
        #[serde(skip)]
        is_subscription: bool,
    },
    /// A caller's piece of work is done, or has failed.
    WorkEnded {
        /// The call's number.
        call: u64,
        /// Which `[[call]]` of the scenario, from 1.
        step: usize,
        /// The client.
        instance: u32,
        /// How long the caller waited, thinking included.
        #[serde(with = "nanoseconds")]
        waited: Duration,
        /// The replies, in order; callers go on after an error, as scripts do.
        replies: Vec<RedisReply>,
    },
    /// A subscriber has a message.
    Received {
        /// The name of the subscriber.
        on: String,
        /// The channel.
        channel: String,
        /// The message.
        message: String,
    },
    /// A subscriber reports that messages may have been lost.
    Gap {
        /// The name of the subscriber.
        on: String,
        /// From when on, since the world began.
        #[serde(with = "nanoseconds")]
        from: Duration,
        /// Until when.
        #[serde(with = "nanoseconds")]
        until: Duration,
        /// Why, in words.
        why: String,
    },
    /// The client reports something about itself.
    Reported {
        /// The client.
        instance: u32,
        /// What.
        what: RedisReport,
        /// In its words.
        words: String,
    },
}

/// A message that subscribers of its channel get, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The channel.
    pub channel: Box<str>,
    /// The message.
    pub message: Box<str>,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisEnd {
    /// Its token ended, and the server closed it.
    Expired,
    /// The client closed it.
    Client,
    /// The server closed it for another reason: QUIT, a protocol error, too many clients.
    Server,
    /// The timeline broke it.
    Broken,
}

/// What a client can report about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisReport {
    /// It has a new token.
    Refreshed,
    /// It asked for a fresh token and got the one that it has.
    SameToken,
    /// A token request failed and will be tried again.
    Retrying,
    /// A token request failed after which no quick attempt follows: the attempts are used up, or
    /// the error cannot be repeated. Each request that fails from then on, at the longest wait,
    /// counts once more; requests that fail before it count as `retrying`.
    Failing,
    /// It has a token again.
    Recovered,
    /// A connection was made.
    Connected,
    /// A connection has signed in with the new token.
    Reauthenticated,
    /// A connection could not sign in with the new token.
    ReauthenticationFailed,
    /// A transaction was ended before the server could tear it.
    TransactionFailed,
    /// A connection was replaced by another one.
    Replaced,
    /// The server refuses a subscription to a connection that was made anew.
    SubscriptionRefused,
}

/// The reply to one command, as its caller gets it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RedisReply {
    /// The command's name.
    pub command: String,
    /// The reply in short; an error's text if it is one.
    pub reply: String,
    /// Whether it is an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub error: bool,
}

impl RedisEvent {
    /// Whether the server saw or did it.
    pub(super) fn is_seen_by_server(&self) -> bool {
        match self {
            Self::Opened { .. }
            | Self::SignedIn { .. }
            | Self::Command { .. }
            | Self::Unblocked { .. }
            | Self::Closed { .. } => true,
            Self::WorkStarted { .. }
            | Self::WorkEnded { .. }
            | Self::Received { .. }
            | Self::Gap { .. }
            | Self::Reported { .. } => false,
        }
    }

    /// Sets to nothing what counts up: what is left makes two events alike.
    pub(super) fn forget_numbers(&mut self) {
        match self {
            Self::SignedIn { token, until, .. } => (*token, *until) = (Fingerprint::MIN, None),
            Self::Command {
                number,
                token,
                transaction,
                ..
            } => {
                (*number, *token) = (0, None);
                *transaction = transaction.map(|_| NonZeroU32::MIN);
            }
            Self::Unblocked { number, .. } => *number = 0,
            Self::WorkStarted { call, caller, .. } => (*call, *caller) = (0, 0),
            Self::WorkEnded { call, .. } => *call = 0,
            // They count nothing but connections, which are told apart.
            Self::Opened { .. }
            | Self::Closed { .. }
            | Self::Received { .. }
            | Self::Gap { .. }
            | Self::Reported { .. } => {}
        }
    }

    /// The number of the client that the event belongs to, if it belongs to one.
    pub(super) fn instance(&self) -> Option<u32> {
        match self {
            Self::WorkStarted { instance, .. }
            | Self::WorkEnded { instance, .. }
            | Self::Reported { instance, .. } => Some(*instance),
            Self::Opened { .. }
            | Self::SignedIn { .. }
            | Self::Command { .. }
            | Self::Unblocked { .. }
            | Self::Closed { .. }
            | Self::Received { .. }
            | Self::Gap { .. } => None,
        }
    }

    /// The event as words, and who it is about.
    pub fn say(&self) -> (&'static str, String) {
        match self {
            Self::Opened { node, connection } => {
                ("redis", format!("connection {connection} to {node}"))
            }
            Self::SignedIn {
                connection,
                user,
                token,
                accepted,
                why,
                until,
                ..
            } => {
                let verdict = if *accepted { "accepted" } else { "refused" };
                let until =
                    until.map_or_else(String::new, |until| format!(", until {}", clock(until)));
                (
                    "redis",
                    format!(
                        "connection {connection} signs in as {user} with token {token}: {verdict}{until}: {why}"
                    ),
                )
            }
            Self::Command {
                connection,
                number,
                name,
                args,
                transaction,
                reply,
                fault,
                ..
            } => {
                let args = if args.is_empty() {
                    String::new()
                } else {
                    format!(" {args}")
                };
                let within = transaction
                    .map_or_else(String::new, |number| format!(" (transaction {number})"));
                let fault = fault
                    .as_ref()
                    .map_or_else(String::new, |fault| format!(" (fault: {fault})"));
                (
                    "redis",
                    format!(
                        "connection {connection} command {number}: {name}{args} -> {reply}{within}{fault}"
                    ),
                )
            }
            Self::Unblocked {
                connection,
                number,
                reply,
            } => (
                "redis",
                format!("connection {connection} command {number} has waited -> {reply}"),
            ),
            Self::Closed {
                connection,
                why,
                transaction,
                ..
            } => {
                let torn = transaction
                    .map_or_else(String::new, |number| format!(", in transaction {number}"));
                (
                    "redis",
                    format!("connection {connection} is closed{torn}: {why}"),
                )
            }
            Self::WorkStarted {
                call,
                instance,
                on,
                send,
                ..
            } => (
                "app",
                format!("call {call} asks #{instance} on {on}: {send}"),
            ),
            Self::WorkEnded {
                call,
                waited,
                replies,
                ..
            } => {
                let replies: Vec<_> = replies.iter().map(said).collect();
                let waited = span(*waited);
                (
                    "app",
                    format!("call {call} gets {} after {waited}", replies.join(", ")),
                )
            }
            Self::Received {
                on,
                channel,
                message,
            } => ("app", format!("{on} receives on {channel}: {message}")),
            Self::Gap {
                on,
                from,
                until,
                why,
            } => {
                let (from, until) = (clock(*from), clock(*until));
                (
                    "app",
                    format!("{on} may have lost messages from {from} to {until}: {why}"),
                )
            }
            Self::Reported {
                instance, words, ..
            } => ("app", format!("#{instance} reports: {words}")),
        }
    }
}

fn said(reply: &RedisReply) -> String {
    if reply.error {
        format!("the error of {}: {}", reply.command, reply.reply)
    } else {
        reply.reply.clone()
    }
}
