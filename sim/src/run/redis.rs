//! What callers do with Redis: pieces of work on named connections, and subscribers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::OnceCell;

use super::{caller::Caller, scene::Scene};
use crate::{
    credential::BuiltSubject,
    scenario::{Call, RedisHow, RedisSubscribe, RedisWork, parse_command},
    subject::{Heard, RedisClient, RedisConnection},
    trace::{Kind, RedisEvent, RedisReply},
};

type Connecting = Arc<OnceCell<Result<Arc<dyn RedisConnection>, String>>>;

/// The connections of a run, by name. Each is made at its first use. When that fails, whoever
/// waits for it learns of it, and the next use tries again.
#[derive(Default)]
pub(super) struct Connections(Mutex<BTreeMap<(u32, String), Connecting>>);

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

    /// Forgets the connections, and so ends them.
    pub fn drop_all(&self) {
        let all = std::mem::take(&mut *self.all());
        drop(all);
    }
}

/// A piece of work.
pub(super) async fn work(caller: &Caller, call: &Call, work: &RedisWork) {
    let scene = &caller.scene;
    let on = if work.each_its_own {
        format!("{}-{}", work.connection, caller.number)
    } else {
        work.connection.clone()
    };
    let commands: Vec<Vec<String>> = work
        .send
        .iter()
        .filter_map(|text| parse_command(&caller.which().fill(text)).ok())
        .collect();
    let started = scene.state.elapsed();
    scene.record(Kind::Redis(RedisEvent::WorkStarted {
        call: caller.call,
        step: caller.step + 1,
        caller: caller.number,
        instance: caller.instance.number,
        on: on.clone(),
        send: describe(&commands, work),
        is_subscription: false,
    }));
    let doing = run(caller, &on, &commands, work);
    let replies = match call.gives_up_after {
        None => doing.await,
        Some(limit) => {
            let patience = scene.state.host.runtime.sleep(limit.0);
            tokio::select! { biased;
                replies = doing => replies,
                () = patience => vec![failed(&commands, 0, "the caller gave up".to_owned())],
            }
        }
    };
    scene.record(Kind::Redis(RedisEvent::WorkEnded {
        call: caller.call,
        step: caller.step + 1,
        instance: caller.instance.number,
        waited: scene.state.elapsed().saturating_sub(started),
        replies,
    }));
}

async fn run(
    caller: &Caller,
    on: &str,
    commands: &[Vec<String>],
    work: &RedisWork,
) -> Vec<RedisReply> {
    let scene = &caller.scene;
    let client = match &caller.instance.built {
        Ok(BuiltSubject::Redis(client)) => client,
        Ok(BuiltSubject::Credential(_)) => {
            return vec![failed(
                commands,
                0,
                "the subject has no Redis client".to_owned(),
            )];
        }
        Err(error) => return vec![failed(commands, 0, said(scene, error.to_string()))],
    };
    let connection = scene
        .connections
        .get(caller.instance.number, on, &**client)
        .await;
    let connection = match connection {
        Ok(connection) => connection,
        Err(error) => return vec![failed(commands, 0, said(scene, error))],
    };
    let mut replies = Vec::new();
    if work.how == RedisHow::OneByOne {
        for (index, command) in commands.iter().enumerate() {
            if index > 0 && work.pause.0 > Duration::ZERO {
                scene.state.host.runtime.sleep(work.pause.0).await;
            }
            let answers = connection.send(vec![command.clone()], work.how).await;
            for answer in answers {
                replies.push(reply(scene, command, answer));
            }
        }
    } else {
        let whole = match work.how {
            RedisHow::Transaction => vec!["EXEC".to_owned()],
            _ => vec!["pipeline".to_owned()],
        };
        for answer in connection.send(commands.to_vec(), work.how).await {
            replies.push(reply(scene, &whole, answer));
        }
    }
    replies
}

fn reply(scene: &Scene, command: &[String], answer: Result<String, String>) -> RedisReply {
    let error = answer.is_err();
    let (Ok(text) | Err(text)) = answer;
    RedisReply {
        command: name_of(command),
        reply: said(scene, text),
        error,
    }
}

fn failed(commands: &[Vec<String>], index: usize, why: String) -> RedisReply {
    RedisReply {
        command: commands
            .get(index)
            .map(|command| name_of(command))
            .unwrap_or_default(),
        reply: why,
        error: true,
    }
}

fn name_of(command: &[String]) -> String {
    command
        .first()
        .map(|name| name.to_uppercase())
        .unwrap_or_default()
}

/// Texts of the subject never bring a secret into the trace.
fn said(scene: &Scene, text: String) -> String {
    scene.watch.vetted("error", text)
}

/// A command without credentials.
fn shown(words: &[String]) -> String {
    let hides = words
        .iter()
        .position(|word| word.eq_ignore_ascii_case("AUTH"));
    match hides {
        // `AUTH user password`, `HELLO 3 AUTH user password`.
        Some(at) if at + 1 < words.len() => format!("{} ***", words[..=at].join(" ")),
        _ => words.join(" "),
    }
}

fn describe(commands: &[Vec<String>], work: &RedisWork) -> String {
    let commands: Vec<String> = commands.iter().map(|words| shown(words)).collect();
    let how = match work.how {
        RedisHow::OneByOne => "",
        RedisHow::Pipeline => " (one pipeline)",
        RedisHow::Transaction => " (one transaction)",
    };
    format!("{}{how}", commands.join("; "))
}

/// Listens until the world's end.
pub(super) async fn subscribe(caller: &Caller, wanted: &RedisSubscribe) {
    let scene = &caller.scene;
    let on = wanted.connection.clone();
    scene.record(Kind::Redis(RedisEvent::WorkStarted {
        call: caller.call,
        step: caller.step + 1,
        caller: caller.number,
        instance: caller.instance.number,
        on: on.clone(),
        send: format!("listen to {}", wanted.channels.join(", ")),
        is_subscription: true,
    }));
    let started = scene.state.elapsed();
    let made = match &caller.instance.built {
        Ok(BuiltSubject::Redis(client)) => client.subscribe(wanted.channels.clone()).await,
        Ok(BuiltSubject::Credential(_)) => Err("the subject has no Redis client".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let (mut subscriber, error, text) = match made {
        Ok(subscriber) => (Some(subscriber), false, "listening".to_owned()),
        Err(why) => (None, true, said(scene, why)),
    };
    scene.record(Kind::Redis(RedisEvent::WorkEnded {
        call: caller.call,
        step: caller.step + 1,
        instance: caller.instance.number,
        waited: scene.state.elapsed().saturating_sub(started),
        replies: vec![RedisReply {
            command: "SUBSCRIBE".to_owned(),
            reply: text,
            error,
        }],
    }));
    let Some(subscriber) = &mut subscriber else {
        return;
    };
    while let Some(heard) = subscriber.next().await {
        let on = on.clone();
        scene.record(Kind::Redis(match heard {
            Heard::Message { channel, message } => RedisEvent::Received {
                on,
                channel: said(scene, channel),
                message: said(scene, message),
            },
            Heard::Gap { from, until, why } => RedisEvent::Gap {
                on,
                from: scene.since_the_start(from),
                until: scene.since_the_start(until),
                why: said(scene, why),
            },
        }));
    }
}
