//! Waiting callers and subscribers (PR-36, PR-37), and what ends with them (PR-24, PR-29).

use credsim_identity::ErrorKind;

use crate::{
    core_support::{HOUR, MINUTE, SECOND},
    support::{Answer::*, World, number, ok, refused, transient},
};

/// RD-13: one request for all waiting callers.
#[tokio::test(start_paused = true)]
async fn all_waiting_callers_share_one_request() {
    let world = World::new([Slow(SECOND, Box::new(Token(HOUR)))]);
    let clone = world.provider.clone();
    let mut subscription = world.provider.subscribe();
    let (a, b, c) = tokio::join!(
        world.provider.credentials(),
        clone.credentials(),
        subscription.next()
    );
    let a = a.unwrap();
    assert_eq!((&a, &a), (&b.unwrap(), &c.unwrap().unwrap()));
    assert_eq!(world.idp.count(), 1);
    assert_eq!(world.provider.credentials().await.unwrap(), a);
    assert_eq!(world.idp.count(), 1);
}

/// RD-13: all waiting callers get its error as well.
#[tokio::test(start_paused = true)]
async fn all_waiting_callers_get_the_error() {
    let world = World::new([Slow(SECOND, Box::new(Fails(refused())))]);
    let mut subscription = world.provider.subscribe();
    let (a, b, c) = tokio::join!(
        world.provider.credentials(),
        world.provider.credentials(),
        subscription.next()
    );
    for error in [a.unwrap_err(), b.unwrap_err(), c.unwrap().unwrap_err()] {
        assert_eq!(error.code(), Some("AADSTS7000215"));
    }
    assert_eq!(world.idp.count(), 1);
}

/// PR-24: the request ends with its last waiter.
#[tokio::test(start_paused = true)]
async fn a_request_ends_with_its_last_waiter() {
    let world = World::new([Hangs]);
    let platform = world.host.platform();
    let (one, other) = tokio::join!(
        platform.within(SECOND, world.provider.credentials()),
        platform.within(2 * SECOND, world.provider.credentials()),
    );
    assert!(one.is_none() && other.is_none());
    world.settle().await;
    assert_eq!((world.idp.count(), world.idp.under_way()), (1, 0));
    world.idp.will([Token(HOUR)]);
    world.provider.credentials().await.unwrap();
    assert_eq!(world.idp.count(), 2);
}

/// Without a subscription a token is renewed only by calls.
#[tokio::test(start_paused = true)]
async fn without_a_subscription_calls_renew() {
    let world = World::new([Token(HOUR)]);
    world.provider.credentials().await.unwrap();
    world.sleep_until(50 * MINUTE).await;
    assert_eq!(world.idp.count(), 1);
    let asked_at = world.host.elapsed();
    let credentials = world.provider.credentials().await.unwrap();
    assert_eq!(number(credentials.password()), "1");
    assert_eq!(
        world.host.elapsed(),
        asked_at,
        "no caller waits while a token is valid"
    );
    world.settle().await;
    let credentials = world.provider.credentials().await.unwrap();
    assert_eq!(
        (number(credentials.password()), world.idp.count()),
        ("2".to_owned(), 2)
    );
    world.sleep_until(24 * HOUR).await;
    assert_eq!(world.idp.count(), 2);
}

/// PR-37, RD-36: an idle subscriber delays no other, and gets only the newest credentials.
#[tokio::test(start_paused = true)]
async fn an_idle_subscriber_delays_no_other() {
    let world = World::new([Token(10 * MINUTE)]);
    let mut idle = world.provider.subscribe();
    let mut busy = world.provider.subscribe();
    world.settle().await;
    for expected in 1..=6 {
        assert_eq!(world.said(&mut busy).await, [ok(&expected.to_string())]);
        world.host.sleep(5 * MINUTE).await;
        world.settle().await;
    }
    assert_eq!(world.said(&mut idle).await, [ok("7")]);
}

/// PR-36: an error does not hide the credentials that came before it, nor do they hide it.
#[tokio::test(start_paused = true)]
async fn neither_news_hides_the_other() {
    let world = World::new([Token(HOUR), Token(HOUR), Fails(refused())]);
    let mut idle = world.provider.subscribe();
    world.sleep_until(90 * MINUTE).await;
    assert_eq!(
        world.said(&mut idle).await,
        [ok("2"), Err("wrong secret".to_owned())]
    );
    // A late subscriber gets both, too.
    let mut late = world.provider.subscribe();
    assert_eq!(
        world.said(&mut late).await,
        [ok("2"), Err("wrong secret".to_owned())]
    );
    // Outdated news is not reported.
    world.idp.will([Token(HOUR)]);
    world.sleep_until(91 * MINUTE).await;
    let third = number(world.provider.current().unwrap().password());
    assert_eq!(world.said(&mut late).await, [ok(&third)]);
}

/// RD-18: the timers end with the last subscription; a valid token stays for the next one.
#[tokio::test(start_paused = true)]
async fn the_last_subscription_ends_the_timers() {
    let world = World::new([Token(HOUR)]);
    let (mut one, other) = (world.provider.subscribe(), world.provider.subscribe());
    assert_eq!(world.said(&mut one).await, [ok("1")]);
    drop(one);
    world.sleep_until(50 * MINUTE).await;
    assert_eq!(world.idp.count(), 2, "the other one is still there");
    drop(other);
    world.sleep_until(80 * MINUTE).await;
    assert_eq!(world.idp.count(), 2);
    let mut next = world.provider.subscribe();
    assert_eq!(world.said(&mut next).await, [ok("2")]);
    assert_eq!(world.idp.count(), 2, "still fresh enough");
    world.sleep_until(85 * MINUTE).await;
    assert_eq!(
        world.said(&mut next).await,
        [ok("3")],
        "and its schedule goes on"
    );
    drop(next);
    world.sleep_until(24 * HOUR).await;
    assert_eq!(world.provider.current(), None);
    let mut next = world.provider.subscribe();
    assert_eq!(world.said(&mut next).await, [ok("4")]);
}

/// RD-12, RD-34: after a failure a new subscription begins anew.
#[tokio::test(start_paused = true)]
async fn subscribing_again_restarts_cleanly() {
    let world = World::new([Fails(refused()), Fails(transient())]);
    let mut first = world.provider.subscribe();
    assert_eq!(world.said(&mut first).await.len(), 1);
    drop(first);
    world.sleep_until(2 * SECOND).await;
    let mut second = world.provider.subscribe();
    world.settle().await;
    assert_eq!(world.idp.count(), 2, "at once, not at the cap");
    assert!(
        world.said(&mut second).await.is_empty(),
        "the old error is not news"
    );
    assert_eq!(world.notes.words(), ["failing", "retrying"]);
}

/// PR-32: nor do subscriptions that come and go make a loop.
#[tokio::test(start_paused = true)]
async fn subscribing_often_asks_no_more_often() {
    let world = World::new([Fails(refused())]);
    while world.host.elapsed() < 10 * SECOND {
        drop(world.provider.subscribe());
        let _subscription = world.provider.subscribe();
        world.host.sleep(SECOND / 20).await;
    }
    let asked = world.idp.asked();
    assert!((5..=10).contains(&asked.len()), "{asked:?}");
    assert!(
        asked.windows(2).all(|pair| pair[1] - pair[0] >= SECOND),
        "{asked:?}"
    );
}

/// PR-29: after dispose no request, no timer, no token, and no caller waits in vain.
#[tokio::test(start_paused = true)]
async fn dispose_ends_everything() {
    let world = World::new([Token(HOUR), Slow(HOUR, Box::new(Token(HOUR)))]);
    let mut subscription = world.provider.subscribe();
    assert_eq!(world.said(&mut subscription).await, [ok("1")]);
    world.sleep_until(42 * MINUTE).await;
    assert_eq!(world.idp.under_way(), 1);
    let clone = world.provider.clone();
    let (next, renewed, ()) = tokio::join!(subscription.next(), clone.renew(), async {
        world.settle().await;
        world.provider.dispose();
    });
    assert!(next.is_none());
    assert_eq!(renewed.unwrap_err().kind(), ErrorKind::Cancelled);
    world.settle().await;
    assert_eq!((world.idp.count(), world.idp.under_way()), (2, 0));
    assert!(world.idp.is_disposed());
    assert_eq!(clone.current(), None);
    let error = clone.credentials().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(
        clone.renew().await.unwrap_err().kind(),
        ErrorKind::Cancelled
    );
    assert!(clone.subscribe().next().await.is_none());
    world.sleep_until(24 * HOUR).await;
    assert_eq!(world.idp.count(), 2);
}

/// A credential that others use, too, is not the provider's to dispose of.
#[tokio::test(start_paused = true)]
async fn a_shared_credential_outlives_the_provider() {
    use credsim_identity::redis::EntraIdCredentialsProvider;
    let world = World::new([Token(HOUR)]);
    let provider = EntraIdCredentialsProvider::builder_shared(world.idp.clone())
        .platform(world.host.platform())
        .build()
        .unwrap();
    provider.credentials().await.unwrap();
    provider.dispose();
    assert!(!world.idp.is_disposed());
}

/// PR-24: the work ends with its owner.
#[tokio::test(start_paused = true)]
async fn nothing_outlives_the_provider() {
    let world = World::new([Token(HOUR), Hangs]);
    let subscription = world.provider.subscribe();
    let World {
        provider,
        idp,
        host,
        ..
    } = world;
    drop(provider);
    host.sleep(42 * MINUTE + SECOND).await;
    assert_eq!(
        (idp.count(), idp.under_way()),
        (2, 1),
        "a subscription keeps it alive"
    );
    drop(subscription);
    host.sleep(SECOND).await;
    assert_eq!(idp.under_way(), 0);
    // Only the test still knows the identity provider: no task is left over.
    assert_eq!(std::sync::Arc::strong_count(&idp), 1);
}

/// A caller that comes and goes meanwhile does not end it.
#[tokio::test(start_paused = true)]
async fn a_renewal_started_by_a_call_goes_on() {
    let world = World::new([Token(HOUR), Slow(SECOND, Box::new(Token(HOUR)))]);
    world.provider.credentials().await.unwrap();
    world.sleep_until(50 * MINUTE).await;
    world.provider.credentials().await.unwrap();
    world.settle().await;
    drop(world.provider.subscribe());
    world.host.sleep(2 * SECOND).await;
    let current = world.provider.current().unwrap();
    assert_eq!(number(current.password()), "2");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_waiters_ends_with_the_provider() {
    let world = World::new([Token(HOUR), Hangs]);
    world.provider.credentials().await.unwrap();
    world.sleep_until(50 * MINUTE).await;
    world.provider.credentials().await.unwrap();
    world.settle().await;
    let World {
        provider,
        idp,
        host,
        ..
    } = world;
    assert_eq!(idp.under_way(), 1);
    drop(provider);
    host.sleep(SECOND).await;
    assert_eq!(idp.under_way(), 0);
    assert_eq!(std::sync::Arc::strong_count(&idp), 1);
}

/// PR-24: a source that panics ends the task of the manager, and no caller waits for it in vain.
/// The next call starts the manager again.
#[tokio::test(start_paused = true)]
async fn a_source_that_panics_fails_the_waiting_callers() {
    // Without a plan it panics.
    let world = World::new([]);
    let platform = world.host.platform();
    let answer = platform.within(MINUTE, world.provider.credentials()).await;
    let error = answer.expect("an answer in time").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    world.idp.will([Token(HOUR)]);
    world.provider.credentials().await.unwrap();
}
