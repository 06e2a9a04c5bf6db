//! `do.redis`: a caller sends commands over a named connection of the subject's Redis client.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use credsim_identity::TokenRequest;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::{Call, CallKind, Caller, SubjectInstance, Subscription, Uses, Which};
use crate::{
    check::Check,
    credential::{
        BuiltSubject, RedisHow,
        redis_client::{RedisClient, RedisConnection},
    },
    redact::{self, MASK, masked_command},
    scenario::{Span, document::Place},
    service::redis::parse_command,
    trace::{Kind, RedisEvent, RedisReply},
    world::World,
};

/// Commands for Redis.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisWork {
    /// The commands as one types them: `SET greeting "hello world"`. `{n}` is the number of the
    /// repetition, from 1, and `{caller}` that of the caller.
    pub send: Vec<String>,
    /// How they are sent. Default: one-by-one.
    #[serde(default)]
    pub how: RedisHow,
    /// How long the caller thinks between two of them. Default: 0s.
    #[serde(default)]
    pub pause: Span,
    /// The name of the connection; it is made at first use and kept. Default: main.
    #[serde(default = "main_connection")]
    pub connection: String,
    /// Whether each of several callers has a connection of its own: `main-1`, `main-2`. Default:
    /// false.
    #[serde(default)]
    pub each_its_own: bool,
}

type Connecting = Arc<OnceCell<Result<Arc<dyn RedisConnection>, String>>>;

/// The connections of a run, by instance and name. Each is made at its first use. When that fails,
/// every caller that waits for it gets the error, and the next use tries again.
#[derive(Default)]
pub(crate) struct Connections(Mutex<BTreeMap<(u32, String), Connecting>>);

impl Connections {
    async fn get(
        &self,
        instance: u32,
        name: &str,
        client: &dyn RedisClient,
    ) -> Result<Arc<dyn RedisConnection>, String> {
        let key = (instance, name.to_owned());
        let cell = self.all().entry(key.clone()).or_default().clone();
        let made = cell.get_or_init(|| client.connect()).await.clone();
        if made.is_err() {
            let mut all = self.all();
            if all.get(&key).is_some_and(|now| Arc::ptr_eq(now, &cell)) {
                all.remove(&key);
            }
        }
        made
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(u32, String), Connecting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallKind for RedisWork {
    type State = Connections;

    fn check(&self, series: &Call, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        check.text(
            &self.connection,
            &place.key("connection"),
            "the name of a connection",
        );
        let send = place.key("send");
        if self.send.is_empty() {
            check
                .at_value(&send, "this sends nothing")
                .label("no commands")
                .expected("at least one command, such as \"SET greeting hello\"");
        }
        for (index, command) in self.send.iter().enumerate() {
            if let Err(why) = parse_command(command) {
                check
                    .at_value(&send.index(index), "this is not a command")
                    .label(why)
                    .expected("a command as one types it, such as \"SET greeting 'hello world'\"");
            }
        }
        if self.each_its_own && series.callers < 2 {
            check
                .at_key(&place.key("each-its-own"), "there is one caller only")
                .label("so no other caller could share its connection")
                .help("add `callers = 10` to the `[[call]]`, or remove this");
        }
    }

    fn describe(&self, plural: &str) -> String {
        let commands = self
            .send
            .iter()
            .map(|command| match parse_command(command) {
                Ok(command) => masked_command(&words(&command)),
                Err(_) => redact::masked(command).into_owned(),
            });
        let commands = commands.collect::<Vec<_>>().join("; ");
        let how = match self.how {
            RedisHow::OneByOne => "",
            RedisHow::Pipeline => " in one pipeline",
            RedisHow::Transaction => " in one transaction",
        };
        let pause = match self.pause {
            Span(pause) if pause.is_zero() => String::new(),
            pause => format!(", with {pause} between them"),
        };
        let on = if self.each_its_own {
            ", each on a connection of its own".to_owned()
        } else {
            format!(" on connection {}", self.connection)
        };
        format!("send{plural} {commands}{how}{on}{pause}")
    }

    fn uses(&self) -> Uses {
        Uses::RedisClient
    }

    fn token_request(&self, _: &World, _: Which) -> Option<TokenRequest> {
        None
    }

    fn request_options(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn resource(&self) -> Option<&str> {
        None
    }

    fn commands_in_transactions(&self) -> Vec<String> {
        let commands = self.send.iter().filter_map(|text| parse_command(text).ok());
        let names = commands.filter_map(|words| words.into_iter().next());
        let names: Vec<String> = names.map(|name| name.to_uppercase()).collect();
        let is_one = match self.how {
            RedisHow::Transaction => true,
            RedisHow::OneByOne | RedisHow::Pipeline => names.iter().any(|name| name == "MULTI"),
        };
        if is_one { names } else { Vec::new() }
    }

    fn subscription(&self) -> Option<Subscription<'_>> {
        None
    }

    async fn play(&self, caller: &Caller, connections: &Connections) {
        let Some(instance) = &caller.instance else {
            return;
        };
        let on = if self.each_its_own {
            format!("{}-{}", self.connection, caller.which.caller)
        } else {
            self.connection.clone()
        };
        let commands = self.send.iter();
        let commands: Vec<Vec<String>> = commands
            .filter_map(|text| parse_command(&caller.fill(text)).ok())
            .collect();
        let started = caller.elapsed();
        caller.record(Kind::Redis(RedisEvent::WorkStarted {
            call: caller.call,
            step: caller.step,
            caller: caller.which.caller,
            instance: instance.number,
            on: on.clone(),
            send: self.shown(&commands),
            is_subscription: false,
        }));
        let replies = caller
            .within_patience(self.send((caller, instance), &on, &commands, connections))
            .await;
        caller.record(Kind::Redis(RedisEvent::WorkEnded {
            call: caller.call,
            step: caller.step,
            instance: instance.number,
            waited: caller.elapsed().saturating_sub(started),
            replies: replies
                .unwrap_or_else(|| vec![failed(&commands, "the caller gave up".to_owned())]),
        }));
    }

    /// A connection keeps the client's background work alive.
    fn before_dispose(connections: &Connections) {
        let all = std::mem::take(&mut *connections.all());
        drop(all);
    }
}

impl RedisWork {
    async fn send(
        &self,
        (caller, instance): (&Caller, &SubjectInstance),
        on: &str,
        commands: &[Vec<String>],
        connections: &Connections,
    ) -> Vec<RedisReply> {
        let client = match &instance.built {
            Ok(BuiltSubject::Redis(client)) => client,
            Ok(BuiltSubject::Credential(_)) => {
                return vec![failed(
                    commands,
                    "the subject has no Redis client".to_owned(),
                )];
            }
            Err(error) => return vec![failed(commands, caller.vetted(error.to_string()))],
        };
        let connection = connections.get(instance.number, on, &**client).await;
        let connection = match connection {
            Ok(connection) => connection,
            Err(error) => return vec![failed(commands, caller.vetted(error))],
        };
        let whole = match self.how {
            RedisHow::OneByOne => {
                return self.send_one_by_one(caller, &*connection, commands).await;
            }
            RedisHow::Transaction => ["EXEC".to_owned()],
            RedisHow::Pipeline => ["pipeline".to_owned()],
        };
        let answers = connection.send(commands.to_vec(), self.how).await;
        let answers = answers.into_iter();
        answers
            .map(|answer| reply(caller, &whole, commands, answer))
            .collect()
    }

    async fn send_one_by_one(
        &self,
        caller: &Caller,
        connection: &dyn RedisConnection,
        commands: &[Vec<String>],
    ) -> Vec<RedisReply> {
        let mut replies = Vec::new();
        for (index, command) in commands.iter().enumerate() {
            if index > 0 && self.pause.0 > Duration::ZERO {
                caller.sleep(self.pause.0).await;
            }
            let answers = connection.send(vec![command.clone()], self.how).await;
            for answer in answers {
                let before = commands.get(..index).unwrap_or_default();
                replies.push(reply(caller, command, before, answer));
            }
        }
        replies
    }

    /// The commands as they stand in the trace.
    fn shown(&self, commands: &[Vec<String>]) -> String {
        let commands: Vec<String> = commands
            .iter()
            .map(|command| masked_command(&words(command)))
            .collect();
        let how = match self.how {
            RedisHow::OneByOne => "",
            RedisHow::Pipeline => " (one pipeline)",
            RedisHow::Transaction => " (one transaction)",
        };
        format!("{}{how}", commands.join("; "))
    }
}

/// The reply to `command` as it may be shown. That of EXEC, or to a whole pipeline, has the replies
/// of `others`.
fn reply(
    caller: &Caller,
    command: &[String],
    others: &[Vec<String>],
    answer: Result<String, String>,
) -> RedisReply {
    let error = answer.is_err();
    let (Ok(text) | Err(text)) = answer;
    let text = redact::without_echo(text, &words(command));
    let is_value = !error && !matches!(text.as_str(), "OK" | "QUEUED" | "nil");
    let is_of_others = matches!(name_of(command).as_str(), "EXEC" | "PIPELINE");
    let hides = |command: &[String]| redact::hides_reply(&words(command));
    let is_hidden = hides(command) || is_of_others && others.iter().any(|other| hides(other));
    let reply = if is_value && is_hidden {
        MASK.to_owned()
    } else {
        caller.vetted(text)
    };
    RedisReply {
        command: name_of(command),
        reply,
        error,
    }
}

/// The first of the commands has failed, and no other was sent.
fn failed(commands: &[Vec<String>], why: String) -> RedisReply {
    let first = commands.first();
    RedisReply {
        command: first.map(|command| name_of(command)).unwrap_or_default(),
        reply: why,
        error: true,
    }
}

fn name_of(command: &[String]) -> String {
    let name = command.first();
    name.map(|name| name.to_uppercase()).unwrap_or_default()
}

/// The words of a command as texts.
fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

fn main_connection() -> String {
    "main".to_owned()
}
