//! Both clocks of the host (PR-20, PR-32).

use jiff::SignedDuration;

use crate::{
    core_support::{HOUR, MINUTE, SECOND},
    support::{Answer::*, World, number},
};

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_stretches_no_token() {
    let world = World::new([Token(HOUR), Fails(crate::support::refused())]);
    let mut subscription = world.provider.subscribe();
    world.settle().await;
    world.host.step(SignedDuration::from_hours(-5));
    world.sleep_until(42 * MINUTE).await;
    assert_eq!(world.idp.count(), 2, "renewed by the monotonic clock");
    world.sleep_until(HOUR - SECOND).await;
    let credentials = world.provider.current().unwrap();
    let remaining = || credentials.remaining(&*world.provider.platform().clock);
    assert!(remaining() <= SECOND && remaining() > SECOND / 2);
    world.sleep_until(HOUR).await;
    assert_eq!(world.provider.current(), None);
    assert!(remaining().is_zero());
    let said = world.said(&mut subscription).await;
    assert!(
        said.last().unwrap().as_ref().unwrap_err().contains("ended"),
        "{said:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_token_does_not_live_anew() {
    let world = World::new([Token(HOUR), Same]);
    let _subscription = world.provider.subscribe();
    world.settle().await;
    world.host.step(SignedDuration::from_hours(-5));
    world.sleep_until(HOUR + SECOND).await;
    assert_eq!(world.provider.current(), None);
    assert!(world.provider.credentials().await.is_err());
}

/// The wall clock at its receipt makes no token look longer than a newer one.
#[tokio::test(start_paused = true)]
async fn a_newer_token_is_taken_though_the_clock_was_set_back() {
    let world = World::new([Token(HOUR)]);
    let _subscription = world.provider.subscribe();
    world.settle().await;
    world.host.step(SignedDuration::from_hours(-5));
    world.sleep_until(42 * MINUTE).await;
    assert_eq!(world.notes.words(), ["refreshed", "refreshed"]);
    world.sleep_until(HOUR + MINUTE).await;
    assert!(world.provider.current().is_some());
}

/// A jump of the wall clock is noticed within 30 s, and at once by a call.
#[tokio::test(start_paused = true)]
async fn a_clock_set_forward_is_noticed() {
    let world = World::new([Token(HOUR)]);
    let _subscription = world.provider.subscribe();
    world.sleep_until(10 * MINUTE).await;
    world.host.step(SignedDuration::from_mins(45));
    world.sleep_until(10 * MINUTE + 30 * SECOND).await;
    assert_eq!(world.idp.count(), 2, "5 minutes were left");
    world.sleep_until(11 * MINUTE).await;
    world.host.step(SignedDuration::from_hours(2));
    assert_eq!(world.provider.current(), None);
    let asked_at = world.host.elapsed();
    let credentials = world.provider.credentials().await.unwrap();
    assert_eq!(number(credentials.password()), "3");
    assert_eq!(world.host.elapsed(), asked_at, "at once");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_slept_hands_out_nothing_old() {
    let world = World::new([Token(HOUR)]);
    let mut subscription = world.provider.subscribe();
    world.settle().await;
    world.host.suspend(2 * HOUR).await;
    world.settle().await;
    let credentials = world.provider.credentials().await.unwrap();
    assert!(credentials.is_valid(credsim_identity::platform::Clock::now(&world.host)));
    let next = subscription.next().await.unwrap().unwrap();
    assert_eq!(next, credentials, "the old one is not even shown");
}

/// PR-32: the end of the old token is no answer to a caller whose request is under way.
#[tokio::test(start_paused = true)]
async fn a_caller_after_a_sleep_gets_the_answer_to_its_request() {
    for renews in [false, true] {
        let slow = Slow(5 * SECOND, Box::new(Token(HOUR)));
        let world = World::new([Token(HOUR), slow]);
        let mut subscription = world.provider.subscribe();
        world.sleep_until(10 * MINUTE).await;
        assert_eq!(world.said(&mut subscription).await.len(), 1);
        // A host that sleeps: its wall clock goes on, its timers and its monotonic clock do not.
        world.host.step(SignedDuration::from_hours(2));
        let credentials = match renews {
            false => world.provider.credentials().await,
            true => world.provider.renew().await,
        };
        assert_eq!(number(credentials.unwrap().password()), "2");
        assert_eq!(world.idp.count(), 2);
        let said = world.said(&mut subscription).await;
        assert_eq!(
            said,
            [crate::support::ok("2")],
            "the end is outdated by now"
        );
    }
}

/// PR-31: a caller whose request fails gets that failure, not the end of the old token.
#[tokio::test(start_paused = true)]
async fn a_caller_after_a_sleep_gets_the_failure_of_its_request() {
    let refused = Slow(5 * SECOND, Box::new(Fails(crate::support::refused())));
    let world = World::new([Token(HOUR), refused]);
    let mut subscription = world.provider.subscribe();
    world.sleep_until(10 * MINUTE).await;
    world.host.step(SignedDuration::from_hours(2));
    let asked_at = world.host.elapsed();
    let error = world.provider.credentials().await.unwrap_err();
    assert_eq!(error.code(), Some("AADSTS7000215"), "{error}");
    assert_eq!(world.host.elapsed(), asked_at + 5 * SECOND);
    let said = world.said(&mut subscription).await;
    assert!(said.iter().any(Result::is_err), "{said:?}");
}
