//! No token in logs, in `Debug`, in events.

use credsim_identity::redis::{EntraIdCredentialsProvider, EntraIdProviderOptions, RedisEvent};

use crate::{
    core_support::{HOUR, MINUTE},
    support::{Answer::*, World, refused},
};

#[tokio::test(start_paused = true)]
#[tracing_test::traced_test]
async fn nothing_shows_a_token() {
    let world = World::new([Token(HOUR), Same, Fails(refused()), Token(HOUR)]);
    let subscription = world.provider.subscribe();
    let credentials = world.provider.credentials().await.unwrap();
    let token = credentials.password().to_owned();
    world.sleep_until(53 * MINUTE).await;
    let newer = world.provider.current().unwrap().password().to_owned();
    assert_ne!(token, newer);

    let mut shown = format!("{:?} {subscription:?} {credentials:?}", world.provider);
    for (_, event) in world.notes.events() {
        shown += &format!("\n{event} {event:?}");
    }
    for secret in [&token, &newer] {
        let claims = secret.split('.').nth(1).unwrap();
        assert!(!shown.contains(claims), "{shown}");
        assert!(!logs_contain(claims));
    }
    for part in [
        "oid-1",
        "CredentialsSubscription",
        "RedisCredentials",
        "expires_on",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let end = credentials.expires_on();
    assert!(credentials.is_valid(end - jiff::SignedDuration::from_nanos(1)));
    assert!(!credentials.is_valid(end));
    // Nevertheless every event is reported.
    for said in [
        "a new token for oid-1",
        "nothing newer",
        "requests keep failing",
        "succeed again",
    ] {
        assert!(logs_contain(said), "{said}");
        assert!(shown.contains(said), "{said}");
    }
    logs_assert(|lines: &[&str]| {
        let bad = lines.iter().filter(|line| line.contains("WARN")).count();
        (bad == 1)
            .then_some(())
            .ok_or_else(|| format!("{bad} warnings: {lines:?}"))
    });
}

#[tokio::test(start_paused = true)]
async fn what_is_configured_is_shown() {
    let world = World::new([Token(HOUR)]);
    let builder = EntraIdCredentialsProvider::builder_shared(world.idp.clone());
    let debug = format!("{:?}", builder.platform(world.host.platform()));
    for part in [
        "https://redis.azure.com/.default",
        "initial_delay",
        "max_attempts",
        "jitter",
    ] {
        assert!(debug.contains(part), "{part}: {debug}");
    }
    let debug = format!("{:?}", EntraIdProviderOptions::default());
    for part in ["scopes", "credential_retry", "request_timeout"] {
        assert!(debug.contains(part), "{part}: {debug}");
    }
}

#[test]
fn events_read_well() {
    let connection = || "redis.example:6380 #1".to_owned();
    let at = |text: &str| text.parse().unwrap();
    let said = [
        RedisEvent::Connected {
            connection: connection(),
        },
        RedisEvent::Reauthenticated {
            connection: connection(),
            expires_on: at("2026-01-01T01:00:00Z"),
        },
        RedisEvent::ReauthenticationFailed {
            connection: connection(),
            error: "WRONGPASS".to_owned(),
        },
        RedisEvent::TransactionFailed {
            connection: connection(),
            why: "the token was about to end".to_owned(),
        },
        RedisEvent::Replaced {
            connection: connection(),
            why: "the server closed it".to_owned(),
            gap: Some((at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:01Z"))),
        },
    ]
    .map(|event| event.to_string());
    assert_eq!(
        said,
        [
            "redis.example:6380 #1 is connected",
            "redis.example:6380 #1 runs on the token that ends at 2026-01-01T01:00:00Z",
            "redis.example:6380 #1 was not re-authenticated: WRONGPASS",
            "a transaction on redis.example:6380 #1 was given up: the token was about to end",
            "redis.example:6380 #1 was replaced: the server closed it; messages between \
             2026-01-01T00:00:00Z and 2026-01-01T00:00:01Z may be lost",
        ]
    );
}
