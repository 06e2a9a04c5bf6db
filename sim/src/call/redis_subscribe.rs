//! `do.redis-subscribe`: a subscriber listens to channels of Redis until the world's end.

use credsim_identity::TokenRequest;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, CallKind, Caller, Subscription, Uses, Which};
use crate::{
    check::Check,
    credential::{BuiltSubject, redis_client::Heard},
    redact::masked_message,
    scenario::document::Place,
    trace::{Kind, RedisEvent, RedisReply},
    world::World,
};

/// A subscriber that listens until the world's end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisSubscribe {
    /// The channels.
    pub channels: Vec<String>,
    /// The name of the subscriber. Default: subscriber.
    #[serde(default = "subscriber")]
    pub connection: String,
}

impl CallKind for RedisSubscribe {
    type State = ();

    fn check(&self, series: &Call, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        check.text(
            &self.connection,
            &place.key("connection"),
            "the name of a subscriber",
        );
        if self.channels.is_empty() {
            check
                .at_value(
                    &place.key("channels"),
                    "this subscriber listens to no channel",
                )
                .label("no channels")
                .expected("at least one channel");
        }
        if series.every.is_some() || series.callers > 1 {
            check
                .at_key(place, "a subscriber listens until the world's end")
                .label("once is enough")
                .help("remove `every` and `callers`");
        }
    }

    fn describe(&self, plural: &str) -> String {
        format!("listen{plural} to {}", self.channels.join(" and "))
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
        Vec::new()
    }

    fn subscription(&self) -> Option<Subscription<'_>> {
        Some(Subscription {
            connection: &self.connection,
            channels: &self.channels,
        })
    }

    async fn play(&self, caller: &Caller, (): &()) {
        let Some(instance) = &caller.instance else {
            return;
        };
        let on = self.connection.clone();
        caller.record(Kind::Redis(RedisEvent::WorkStarted {
            call: caller.call,
            step: caller.step,
            caller: caller.which.caller,
            instance: instance.number,
            on: on.clone(),
            send: format!("listen to {}", self.channels.join(", ")),
            is_subscription: true,
        }));
        let started = caller.elapsed();
        let made = match &instance.built {
            Ok(BuiltSubject::Redis(client)) => client.subscribe(self.channels.clone()).await,
            Ok(BuiltSubject::Credential(_)) => Err("the subject has no Redis client".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let (mut subscriber, error, text) = match made {
            Ok(subscriber) => (Some(subscriber), false, "listening".to_owned()),
            Err(why) => (None, true, caller.vetted(why)),
        };
        caller.record(Kind::Redis(RedisEvent::WorkEnded {
            call: caller.call,
            step: caller.step,
            instance: instance.number,
            waited: caller.elapsed().saturating_sub(started),
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
            caller.record(Kind::Redis(match heard {
                Heard::Message { channel, message } => RedisEvent::Received {
                    on,
                    message: caller.vetted(masked_message(&channel, &message)),
                    channel: caller.vetted(channel),
                },
                Heard::Gap { from, until, why } => RedisEvent::Gap {
                    on,
                    from: caller.since_the_start(from),
                    until: caller.since_the_start(until),
                    why: caller.vetted(why),
                },
            }));
        }
    }

    fn before_dispose((): &()) {}
}

fn subscriber() -> String {
    "subscriber".to_owned()
}
