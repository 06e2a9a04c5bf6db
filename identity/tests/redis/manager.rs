//! When the token manager ends, and what it leaves behind.

use std::sync::Arc;

use credsim_identity::{
    ErrorKind,
    platform::Clock as _,
    redis::{TokenManagerConfig, TokenRetryPolicy},
};
use jiff::SignedDuration;

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    support::{Answer::*, World, transient},
};

/// A request that no caller waits for ends with the last clone of its provider.
#[tokio::test(start_paused = true)]
async fn the_last_clone_takes_a_request_of_no_caller_with_it() {
    let world = World::new([Token(HOUR), Hangs]);
    world.provider.credentials().await.unwrap();
    world.sleep_until(50 * MINUTE).await;
    world.provider.credentials().await.unwrap();
    world.settle().await;
    assert_eq!(world.idp.under_way(), 1);
    let World {
        provider,
        idp,
        host,
        ..
    } = world;
    drop(provider);
    host.sleep(SECOND / 1000).await;
    assert_eq!(idp.under_way(), 0);
}

/// A caller that has got the token at hand does not wait for the request under way.
#[tokio::test(start_paused = true)]
async fn a_request_ends_with_the_last_subscription_although_a_caller_has_passed_by() {
    let world = World::new([Token(HOUR), Hangs]);
    let subscription = world.provider.subscribe();
    world.sleep_until(42 * MINUTE + SECOND).await;
    assert_eq!(world.idp.under_way(), 1);
    world.provider.credentials().await.unwrap();
    drop(subscription);
    world.settle().await;
    assert_eq!(world.idp.under_way(), 0);
}

/// A manager that has nothing more to do was not ended from outside: a subscriber gets the error of
/// the service.
#[tokio::test(start_paused = true)]
async fn a_manager_that_is_done_reports_nothing() {
    let host = Host::new(0.5);
    let at = host.now() + SignedDuration::from_hours(1);
    let forbidden = transient().with_status(429).with_retry_at(at);
    let world = World::on(host, [Fails(forbidden)], |builder| builder);
    world.provider.credentials().await.unwrap_err();
    world.settle().await;
    let mut subscription = world.provider.subscribe();
    let error = subscription.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    assert_eq!(error.status(), Some(429), "{error}");
}

/// A manager whose task has panicked wants nothing more: a subscription that comes and goes does
/// not ask the source.
#[tokio::test(start_paused = true)]
async fn a_manager_that_has_panicked_has_no_errand_left() {
    let world = World::with([Token(HOUR), Fails(transient())], |builder| {
        let retry = TokenRetryPolicy {
            is_retryable: Arc::new(|_| panic!("the policy of this test panics")),
            ..TokenRetryPolicy::default()
        };
        builder.config(TokenManagerConfig {
            retry,
            ..TokenManagerConfig::default()
        })
    });
    world.provider.credentials().await.unwrap();
    world.sleep_until(50 * MINUTE).await;
    world.provider.credentials().await.unwrap();
    world.settle().await;
    assert_eq!(world.idp.count(), 2);
    drop(world.provider.subscribe());
    world.settle().await;
    assert_eq!(world.idp.count(), 2);
}
