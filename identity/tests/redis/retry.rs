//! Failures: retried, reported, and never the end (PR-12, PR-31).

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    Error, ErrorKind,
    platform::Clock as _,
    redis::{RedisEvent, TokenManagerConfig, TokenRetryPolicy},
};
use jiff::SignedDuration;

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    support::{Answer::*, World, ok, refused, transient},
};

fn with(retry: TokenRetryPolicy) -> TokenManagerConfig {
    TokenManagerConfig {
        retry,
        ..TokenManagerConfig::default()
    }
}

/// RD-10: the waits of the documented example, and retries are counted after the first failure.
#[tokio::test(start_paused = true)]
async fn the_documented_example() {
    let retry = TokenRetryPolicy {
        max_attempts: 3,
        initial_delay: Duration::from_millis(100),
        max_delay: SECOND,
        backoff_multiplier: 2.0,
        ..TokenRetryPolicy::default()
    };
    let world = World::with([Fails(transient())], |b| b.config(with(retry)));
    let error = world.provider.credentials().await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(world.idp.seconds(), [0.0, 0.1, 0.3, 0.7]);
    assert_eq!(
        world.notes.words(),
        ["retrying", "retrying", "retrying", "failing"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_token_is_retried_too() {
    let world = World::new([Fails(transient()), Fails(transient()), Token(HOUR)]);
    let credentials = world.provider.credentials().await.unwrap();
    assert_eq!(credentials.user_name(), "oid-1");
    assert_eq!(world.idp.seconds(), [0.0, 1.0, 3.0]);
    assert_eq!(world.notes.words(), ["retrying", "retrying", "refreshed"]);
}

/// PR-31: by default 5 retries, then every 30 s without end, and the recovery is reported.
#[tokio::test(start_paused = true)]
async fn it_goes_on_for_good_and_recovers() {
    let world = World::new([Token(HOUR), Fails(transient())]);
    let mut subscription = world.provider.subscribe();
    world.sleep_until(59 * MINUTE).await;
    let since = |at: f64| at - 42.0 * 60.0;
    let asked: Vec<f64> = world.idp.seconds()[1..]
        .iter()
        .map(|at| since(*at))
        .collect();
    assert_eq!(asked[..8], [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 61.0, 91.0]);
    assert!(world.provider.current().is_some(), "still valid");
    assert_eq!(
        world.said(&mut subscription).await,
        [ok("1"), Err("it is busy".to_owned())],
        "told once"
    );

    world.sleep_until(HOUR).await;
    assert_eq!(world.provider.current(), None);
    let said = world.said(&mut subscription).await;
    assert_eq!(said.len(), 1);
    let error = said[0].as_ref().unwrap_err();
    assert!(
        error.contains("ended at") && error.contains("it is busy"),
        "{error}"
    );

    world.sleep_until(24 * HOUR).await;
    assert!(world.said(&mut subscription).await.is_empty());
    let before = world.idp.count();
    world.idp.will([Token(HOUR)]);
    world.host.sleep(31 * SECOND).await;
    assert_eq!(world.idp.count(), before + 1);
    assert_eq!(
        world.said(&mut subscription).await,
        [ok(&(before + 1).to_string())]
    );
    let words = world.notes.words();
    assert_eq!(words[words.len() - 2..], ["refreshed", "recovered"]);
    assert_eq!(words.iter().filter(|word| **word == "recovered").count(), 1);
    // The attempts count anew.
    world.idp.will([Fails(transient()), Token(HOUR)]);
    world.host.sleep(43 * MINUTE).await;
    let words = world.notes.words();
    assert_eq!(words[words.len() - 2..], ["retrying", "refreshed"]);
}

#[tokio::test(start_paused = true)]
async fn failing_names_the_end_of_the_token() {
    let world = World::new([Token(HOUR), Fails(refused())]);
    let _subscription = world.provider.subscribe();
    world.sleep_until(61 * MINUTE).await;
    let mut failing = Vec::new();
    for (_, event) in world.notes.events() {
        if let RedisEvent::Failing {
            next_try,
            valid_until,
            ..
        } = event
        {
            failing.push((next_try.to_string(), valid_until.map(|end| end.to_string())));
        }
    }
    let end = Some("2026-01-01T01:00:00Z".to_owned());
    assert_eq!(failing[0], ("2026-01-01T00:42:30Z".to_owned(), end));
    assert_eq!(failing.last().unwrap().1, None);
}

/// PR-31: a wrong secret is reported at once, and tried again, because it may be rotated.
#[tokio::test(start_paused = true)]
async fn permanent_failures_are_reported_at_once() {
    let world = World::new([Fails(refused())]);
    let mut subscription = world.provider.subscribe();
    world.settle().await;
    assert_eq!(
        world.said(&mut subscription).await,
        [Err("wrong secret".to_owned())]
    );
    let error = world.provider.credentials().await.unwrap_err();
    assert_eq!(error.code(), Some("AADSTS7000215"));
    assert_eq!(world.idp.count(), 1, "calls do not add requests");
    world.sleep_until(90 * SECOND).await;
    assert_eq!(world.idp.seconds(), [0.0, 30.0, 60.0, 90.0]);
    world.idp.will([Token(HOUR)]);
    world.host.sleep(31 * SECOND).await;
    assert_eq!(world.said(&mut subscription).await, [ok("5")]);
}

#[tokio::test(start_paused = true)]
async fn the_caller_may_say_what_is_retried() {
    for (error, retried) in [(transient(), false), (refused(), true)] {
        let retry = TokenRetryPolicy {
            is_retryable: Arc::new(|error| error.status() == Some(401)),
            ..TokenRetryPolicy::default()
        };
        let world = World::with([Fails(error), Token(HOUR)], |b| b.config(with(retry)));
        assert_eq!(world.provider.credentials().await.is_ok(), retried);
    }
}

/// PR-31: a request that hangs is given up.
#[tokio::test(start_paused = true)]
async fn a_request_has_a_limit() {
    let config = TokenManagerConfig {
        request_timeout: 10 * SECOND,
        ..TokenManagerConfig::default()
    };
    let world = World::with([Hangs, Token(HOUR)], |b| b.config(config));
    world.provider.credentials().await.unwrap();
    assert_eq!(world.idp.seconds(), [0.0, 11.0]);
    assert_eq!(world.idp.under_way(), 0);
    let (_, event) = world.notes.events().remove(0);
    let RedisEvent::Retrying {
        attempt,
        wait,
        error,
    } = event
    else {
        panic!("{event}");
    };
    assert_eq!((attempt, wait), (1, SECOND));
    assert!(
        error.is_transient() && error.message() == "no token within 10 s",
        "{error}"
    );
}

/// PR-32: the end of the token is reported in time, although a request hangs.
#[tokio::test(start_paused = true)]
async fn the_end_is_reported_while_a_request_hangs() {
    let config = TokenManagerConfig {
        request_timeout: HOUR,
        ..TokenManagerConfig::default()
    };
    let world = World::with([Token(HOUR), Hangs], |b| b.config(config));
    let mut subscription = world.provider.subscribe();
    world.settle().await;
    subscription.next().await.unwrap().unwrap();
    let error = subscription.next().await.unwrap().unwrap_err();
    assert!(error.message().contains("ended at"), "{error}");
    let late = world.host.elapsed().saturating_sub(HOUR);
    assert!(late < SECOND / 100, "{late:?}");
}

/// PR-32, PR-36: each end is reported, and outdated errors are not.
#[tokio::test(start_paused = true)]
async fn every_end_is_reported_and_no_old_error() {
    let world = World::new([Fails(refused())]);
    let mut subscription = world.provider.subscribe();
    for _ in 0..2 {
        world.idp.will([Token(HOUR), Fails(refused())]);
        world.host.sleep(31 * SECOND).await;
        let mut late = world.provider.subscribe();
        let said = world.said(&mut late).await;
        assert!(matches!(&said[..], [Ok(_)]), "{said:?}");
        world.said(&mut subscription).await;
        world.host.sleep(50 * MINUTE).await;
        let said = world.said(&mut subscription).await;
        assert_eq!(said, [Err("wrong secret".to_owned())]);
        world.host.sleep(11 * MINUTE).await;
        let said = world.said(&mut subscription).await;
        assert!(
            matches!(&said[..], [Err(error)] if error.contains("ended at")),
            "{said:?}"
        );
    }
}

/// PR-12: a service that wants to be left alone is, however many attempts there are.
#[tokio::test(start_paused = true)]
async fn retry_at_is_respected() {
    let cases = [(20, [0.0, 20.0]), (600, [0.0, 600.0]), (0, [0.0, 1.0])];
    let cases = cases
        .into_iter()
        .flat_map(|case| [(case, false), (case, true)]);
    for ((seconds, expected), comes_again) in cases {
        let host = Host::new(0.5);
        let until = host.now() + SignedDuration::from_secs(seconds);
        let busy = transient().with_status(429).with_retry_at(until);
        let world = World::on(host, [Fails(busy), Token(HOUR)], |b| b);
        let mut subscription = world.provider.subscribe();
        world.settle().await;
        let said = world.said(&mut subscription).await;
        assert_eq!(
            !said.is_empty(),
            seconds == 600,
            "too long to wait in silence"
        );
        if comes_again {
            // Neither does a new subscription ask earlier.
            drop(subscription);
            subscription = world.provider.subscribe();
        }
        world.sleep_until(700 * SECOND).await;
        assert_eq!(world.idp.seconds(), expected);
        drop(subscription);
    }
}

/// PR-31: what has failed for good is not retried faster because it fails in another way.
#[tokio::test(start_paused = true)]
async fn at_the_cap_it_stays_there() {
    let world = World::new([Fails(refused()), Fails(transient())]);
    let _subscription = world.provider.subscribe();
    world.sleep_until(100 * SECOND).await;
    assert_eq!(world.idp.seconds(), [0.0, 30.0, 60.0, 90.0]);
}

/// PR-31: a member that is not there yet is no reason to give up for good.
#[tokio::test(start_paused = true)]
async fn no_kind_of_error_is_the_end() {
    use ErrorKind::*;
    for kind in [
        Unavailable,
        Failed,
        InteractionRequired,
        Configuration,
        Cancelled,
    ] {
        let error = Error::new(kind, "Test", "scripted");
        let world = World::new([Fails(error), Token(HOUR)]);
        let _subscription = world.provider.subscribe();
        world.sleep_until(31 * SECOND).await;
        assert!(world.provider.current().is_some(), "{kind}");
        assert_eq!(world.notes.words(), ["failing", "refreshed", "recovered"]);
    }
}
