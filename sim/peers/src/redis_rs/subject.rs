//! The subject `redis-rs`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use credsim::{
    action::Action,
    call::CallDo,
    credential::{Credential, Protocol, RedisClientKind, RedisHow, RedisSubject, RetryOptions},
    engine::BoxFuture,
    judge::Visibility,
    story::Scenario,
    subject::{Built, Lent, MachineClock, RedisClient, RedisConnection, RedisSubscriber, Subject},
    world::World,
};
use credsim_identity::{Error, ErrorKind, Platform};
use futures_util::{FutureExt as _, StreamExt as _};
use redis::{EntraIdCredentialsProvider, auth::StreamingCredentialsProvider as _};

use super::{
    connector::Connector,
    managed::{Managed, Work},
    provider, reply,
    subscriber::Subscriber,
};
use crate::{interposed::Interposed, machine};

/// Its name and the version of the crate, as `[[known-failure]]` names it.
const NAME: &str = "redis-rs 1.8.1";

/// With one of these in the environment of this process, its credential leaves IMDS alone.
const OTHER_IDENTITIES: [&str; 2] = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"];

/// The crate `redis` with its own Entra provider.
#[derive(Clone, Copy, Debug)]
pub struct RedisRs;

impl Subject for RedisRs {
    fn name(&self) -> &str {
        NAME
    }

    /// It reports nothing of its renewals (RD-34), and its errors have words of their own.
    fn visibility(&self) -> Visibility {
        Visibility {
            reports: false,
            words: false,
            ..Visibility::everything()
        }
    }

    fn log_targets(&self) -> &[&str] {
        &["redis", "azure_identity", "azure_core", "typespec"]
    }

    fn build(&self, _: &Credential, _: &Lent) -> Result<Built, Error> {
        Err(configuration(format!(
            "{NAME} is a Redis client and no credential"
        )))
    }

    fn build_redis(
        &self,
        client: &RedisSubject,
        credential: &Credential,
        lent: &Lent,
    ) -> Result<Arc<dyn RedisClient>, Error> {
        let provider = provider::start(client, credential, lent)
            .map_err(|error| configuration(error.to_string()))?;
        let to = lent
            .redis
            .first()
            .cloned()
            .ok_or_else(|| configuration("the world has no Redis".to_owned()))?;
        Ok(Arc::new(Client {
            provider: Mutex::new(Some(provider)),
            platform: lent.platform.clone(),
            to,
            asked: client.clone(),
        }))
    }

    fn supports(&self, scenario: &Scenario) -> Result<(), String> {
        let Some(client) = &scenario.subject.redis else {
            return Err(format!(
                "{NAME} is a Redis client, and here a credential is played"
            ));
        };
        credential(&scenario.subject.credential)?;
        settings(client)?;
        hot_loop(&scenario.world)?;
        if let Some(name) = machine::first_set(&OTHER_IDENTITIES) {
            return Err(format!(
                "{name} is set here, and its credential would look for another kind of managed \
                 identity: unset it"
            ));
        }
        let sets_variables = |action: &Action| matches!(action, Action::SetVariable(_));
        if !scenario.world.environment.is_empty()
            || scenario.at.iter().any(|at| sets_variables(&at.action))
        {
            return Err("variables are set, and its credential reads those of this process".into());
        }
        let subscribes = |action: &CallDo| matches!(action, CallDo::RedisSubscribe(_));
        if client.protocol == Protocol::Resp2
            && scenario.call.iter().any(|call| subscribes(&call.action))
        {
            // RD-39
            return Err("its RESP2 connections that listen take no credentials provider".into());
        }
        Ok(())
    }

    fn machine_clock(&self) -> Option<Arc<dyn MachineClock>> {
        Some(Arc::new(Interposed))
    }
}

fn configuration(why: String) -> Error {
    Error::new(ErrorKind::Configuration, "redis-rs", why)
}

fn credential(credential: &Credential) -> Result<(), String> {
    let retry = match credential {
        Credential::ManagedIdentity(options) => &options.retry,
        Credential::ClientSecret(options) => &options.retry,
        _ => return Err("it is given a managed identity or a client secret only".to_owned()),
    };
    if *retry == RetryOptions::default() {
        return Ok(());
    }
    Err("retries of the credential are set, and its provider takes no such setting".to_owned())
}

/// Tokens that end within this time are renewed without any pause (RD-31).
const RENEWED_AT_ONCE: Duration = Duration::from_secs(240);

/// For how long that is shown: it is some 250 requests in a second of the world.
const LONGEST_LOOP: Duration = Duration::from_secs(90);

/// A loop without a pause is shown where it is short.
fn hot_loop(world: &World) -> Result<(), String> {
    let lives = [
        world.imds.as_ref().map(|imds| imds.token_life),
        world.entra.as_ref().map(|entra| entra.token_life),
    ];
    let is_hot = lives
        .into_iter()
        .flatten()
        .any(|life| life.0 <= RENEWED_AT_ONCE);
    if is_hot && world.lasts.0 > LONGEST_LOOP {
        return Err(format!(
            "tokens of 240s and less are renewed without a pause, and nobody waits for {} of that",
            world.lasts
        ));
    }
    Ok(())
}

/// What the crate has no setting for, or none that it reads (RD-32).
fn settings(client: &RedisSubject) -> Result<(), String> {
    let set = [
        (
            "expiration-refresh-ratio",
            client.expiration_refresh_ratio.is_some(),
        ),
        ("lower-refresh-bound", client.lower_refresh_bound.is_some()),
        ("request-timeout", client.request_timeout.is_some()),
        ("spread", client.spread.is_some()),
        ("transaction-margin", client.transaction_margin.is_some()),
        ("retry.jitter", client.retry.jitter.is_some()),
    ];
    if let Some((name, _)) = set.iter().find(|(_, is_set)| *is_set) {
        return Err(format!("`{name}` is set, and it has no such setting"));
    }
    if client.client == RedisClientKind::Cluster {
        return Err("its cluster client connects by itself, to real TCP only".to_owned());
    }
    Ok(())
}

struct Client {
    /// None when it has been disposed.
    provider: Mutex<Option<EntraIdCredentialsProvider>>,
    platform: Platform,
    to: (String, u16),
    asked: RedisSubject,
}

impl Client {
    fn provider(&self) -> Option<EntraIdCredentialsProvider> {
        let provider = self.provider.lock();
        provider.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What makes its connections, and whether they are made again.
    fn connector(&self) -> Result<(Connector, bool), String> {
        let provider = self
            .provider()
            .ok_or_else(|| "the provider has been dropped".to_owned())?;
        let connector = Connector {
            platform: self.platform.clone(),
            provider,
            to: self.to.clone(),
            protocol: self.asked.protocol,
            response_timeout: self.asked.response_timeout.map(|span| span.0),
        };
        Ok((connector, self.asked.client == RedisClientKind::Managed))
    }
}

impl RedisClient for Client {
    fn name(&self) -> &str {
        "EntraIdCredentialsProvider"
    }

    fn connect(&self) -> BoxFuture<'static, Result<Arc<dyn RedisConnection>, String>> {
        let connector = self.connector();
        Box::pin(async move {
            let (connector, again) = connector?;
            let made = Managed::new(connector, again).await;
            let (managed, _) = made.map_err(|error| error.to_string())?;
            Ok(Arc::new(Connection(Arc::new(managed))) as Arc<dyn RedisConnection>)
        })
    }

    fn subscribe(
        &self,
        channels: Vec<String>,
    ) -> BoxFuture<'static, Result<Box<dyn RedisSubscriber>, String>> {
        let connector = self.connector();
        Box::pin(async move {
            let (connector, again) = connector?;
            let made = Subscriber::new(connector, again, channels).await;
            let made = made.map_err(|error| error.to_string())?;
            Ok(Box::new(made) as Box<dyn RedisSubscriber>)
        })
    }

    fn dispose(&self) {
        let mut provider = self.provider.lock().unwrap_or_else(PoisonError::into_inner);
        provider.take();
    }

    fn tokens(&self) -> usize {
        // A stored token is what a new subscriber gets at once.
        let first = self.provider().and_then(|provider| {
            let mut credentials = provider.subscribe();
            credentials.next().now_or_never().flatten()
        });
        usize::from(matches!(first, Some(Ok(_))))
    }
}

struct Connection(Arc<Managed>);

impl RedisConnection for Connection {
    fn send(
        &self,
        commands: Vec<Vec<String>>,
        how: RedisHow,
    ) -> BoxFuture<'static, Vec<Result<String, String>>> {
        let managed = self.0.clone();
        Box::pin(async move {
            let work = match how {
                RedisHow::OneByOne => commands
                    .iter()
                    .map(|words| Work::One(command(words)))
                    .collect(),
                RedisHow::Pipeline => vec![Work::Whole(pipeline(redis::pipe(), &commands))],
                RedisHow::Transaction => {
                    let mut whole = redis::pipe();
                    whole.atomic();
                    vec![Work::Whole(pipeline(whole, &commands))]
                }
            };
            let mut replies = Vec::new();
            for work in work {
                let reply = managed.send(work).await;
                let failed = reply.is_err();
                replies.push(match reply {
                    Ok(value) => Ok(reply::text(&value)),
                    Err(error) => Err(error.to_string()),
                });
                if failed {
                    break;
                }
            }
            replies
        })
    }
}

fn command(words: &[String]) -> redis::Cmd {
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(word);
    }
    command
}

fn pipeline(mut pipeline: redis::Pipeline, commands: &[Vec<String>]) -> redis::Pipeline {
    for words in commands {
        pipeline.add_command(command(words));
    }
    pipeline
}
