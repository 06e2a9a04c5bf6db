//! When the token is renewed (PR-25, PR-30, PR-32).

use std::time::Duration;

use credsim_identity::redis::{RedisEvent, TokenManagerConfig};

use crate::{
    core_support::{HOUR, MINUTE, SECOND},
    support::{Answer::*, World, number, ok},
};

fn config(ratio: f64, bound: Duration) -> TokenManagerConfig {
    TokenManagerConfig {
        expiration_refresh_ratio: ratio,
        lower_refresh_bound: bound,
        ..TokenManagerConfig::default()
    }
}

/// PR-30: at the ratio, at the bound, or at half of a short life: whichever comes first.
#[tokio::test(start_paused = true)]
async fn it_renews_in_time() {
    let five = 5 * MINUTE;
    for (life, ratio, bound, expected) in [
        (HOUR, 0.7, five, 42 * MINUTE),
        (HOUR, 0.9, five, 54 * MINUTE),
        (HOUR, 1.0, five, 55 * MINUTE),
        (HOUR, 1.0, Duration::ZERO, HOUR),
        (24 * HOUR, 0.7, five, 16 * HOUR + 48 * MINUTE),
        (12 * MINUTE, 0.7, five, 7 * MINUTE),
        (10 * MINUTE, 0.7, five, 5 * MINUTE),
        (4 * MINUTE, 0.7, five, 2 * MINUTE),
        (4 * MINUTE, 0.25, five, MINUTE),
    ] {
        let world = World::with([Token(life)], |b| b.config(config(ratio, bound)));
        let _subscription = world.provider.subscribe();
        world.sleep_until(expected - SECOND).await;
        assert_eq!(world.idp.count(), 1, "{life:?} {ratio} {bound:?}");
        world.sleep_until(expected).await;
        assert_eq!(world.idp.count(), 2, "{life:?} {ratio} {bound:?}");
        world.sleep_until(2 * expected).await;
        assert_eq!(world.idp.count(), 3, "and again");
    }
}

/// PR-30: the first may come from a cache, the others are wanted because they are newer.
#[tokio::test(start_paused = true)]
async fn renewals_force_the_caches() {
    let world = World::new([Token(HOUR)]);
    let _subscription = world.provider.subscribe();
    world.sleep_until(2 * HOUR).await;
    assert_eq!(world.idp.forced(), [false, true, true]);
}

/// PR-32: what is left of a token from a cache counts, not how long it lived before.
#[tokio::test(start_paused = true)]
async fn life_counts_from_the_receipt() {
    let world = World::new([Slow(MINUTE / 3, Box::new(Token(HOUR)))]);
    let _subscription = world.provider.subscribe();
    world.sleep_until(MINUTE / 3 + 42 * MINUTE).await;
    assert_eq!(world.idp.seconds(), [0.0, 42.0 * 60.0 + 20.0]);
}

/// PR-32: however short the life, requests are at least a second apart.
#[tokio::test(start_paused = true)]
async fn short_lives_make_no_loop() {
    for (life, distance) in [(5.0, 2.5), (1.0, 1.0), (0.2, 1.0)] {
        let life = Duration::from_secs_f64(life);
        let world = World::new([Token(life)]);
        let _subscription = world.provider.subscribe();
        world.sleep_until(MINUTE).await;
        let asked = world.idp.seconds();
        let distances: Vec<f64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(distances.len() > 20, "{life:?}: {asked:?}");
        for measured in distances {
            assert!((measured - distance).abs() < 0.01, "{life:?}: {asked:?}");
        }
    }
}

/// PR-32: a token that has ended is a failure, and is never handed out.
#[tokio::test(start_paused = true)]
async fn a_token_that_has_ended_is_a_failure() {
    let world = World::new([Token(Duration::ZERO)]);
    let mut subscription = world.provider.subscribe();
    let error = world.provider.credentials().await.unwrap_err();
    assert!(error.message().contains("already expired"), "{error}");
    world.sleep_until(10 * MINUTE).await;
    assert_eq!(world.provider.current(), None);
    let said = world.said(&mut subscription).await;
    assert!(said.iter().all(Result::is_err), "{said:?}");
    // 5 retries within 31 s, and then every 30 s.
    assert_eq!(world.idp.count(), 6 + 18);
    // Whatever cache it comes from is not asked twice.
    assert!(world.idp.forced().iter().skip(1).all(|forced| *forced));
    world.idp.will([Token(HOUR)]);
    world.host.sleep(MINUTE / 2).await;
    assert!(world.provider.current().is_some());
}

/// PR-25: asked again after half of what is left, at least 30 s, and no connection is bothered.
#[tokio::test(start_paused = true)]
async fn the_same_token_is_no_news() {
    let world = World::new([Token(HOUR), Same]);
    let mut subscription = world.provider.subscribe();
    world.sleep_until(59 * MINUTE + 59 * SECOND).await;
    let minutes: Vec<f64> = world.idp.seconds().iter().map(|s| s / 60.0).collect();
    // 18 minutes are left at first, then half of that; below 30 s half, and at last a second.
    assert_eq!(minutes[..6], [0.0, 42.0, 51.0, 55.5, 57.75, 58.875]);
    let late: Vec<f64> = world.idp.seconds()[6..].to_vec();
    assert_eq!(late[0], 3566.25, "half of what is left");
    assert_eq!(late[1], 3596.25, "30 s");
    assert!(late[2] < 3600.0, "half of what is left: {late:?}");
    assert_eq!(world.said(&mut subscription).await, [ok("1")]);
    assert_eq!(world.notes.words()[..3], ["refreshed", "same", "same"]);
    let next_try = world
        .notes
        .events()
        .iter()
        .find_map(|(_, event)| match event {
            RedisEvent::SameToken { next_try } => Some(*next_try),
            _ => None,
        });
    assert_eq!(next_try.unwrap().to_string(), "2026-01-01T00:51:00Z");
    // Once it has ended, the same again is a failure.
    world.sleep_until(61 * MINUTE).await;
    assert_eq!(world.provider.current(), None);
    assert!(world.notes.words().contains(&"retrying"));
    world.idp.will([Token(HOUR)]);
    world.host.sleep(MINUTE).await;
    assert!(world.provider.current().is_some());
}

/// PR-25: nor is another token that ends sooner, unless it is of another user.
#[tokio::test(start_paused = true)]
async fn a_token_that_ends_sooner_replaces_none_of_the_same_user() {
    let world = World::new([Token(HOUR), Token(MINUTE), As("oid-2", MINUTE)]);
    let mut subscription = world.provider.subscribe();
    world.sleep_until(50 * MINUTE).await;
    assert_eq!(world.said(&mut subscription).await, [ok("1")]);
    assert_eq!(world.notes.words(), ["refreshed", "same"]);
    world.sleep_until(51 * MINUTE).await;
    let current = world.provider.current().unwrap();
    assert_eq!(
        (current.user_name(), number(current.password())),
        ("oid-2", "3".to_owned())
    );
}

/// PR-25: nor one that ends with it. The first is renewed after 42 minutes.
#[tokio::test(start_paused = true)]
async fn a_token_that_ends_at_the_same_moment_is_no_news() {
    let world = World::new([Token(HOUR), Token(18 * MINUTE), Token(HOUR)]);
    let mut subscription = world.provider.subscribe();
    world.sleep_until(43 * MINUTE).await;
    assert_eq!(world.said(&mut subscription).await, [ok("1")]);
    assert_eq!(world.notes.words(), ["refreshed", "same"]);
}

/// PR-30: for credentials that the server has refused.
#[tokio::test(start_paused = true)]
async fn renew_asks_now_but_not_in_a_loop() {
    let world = World::new([
        Token(HOUR),
        Slow(SECOND, Box::new(Token(MINUTE))),
        Token(HOUR),
    ]);
    let mut subscription = world.provider.subscribe();
    world.provider.credentials().await.unwrap();
    let renewed = world.provider.renew().await.unwrap();
    assert_eq!(
        (number(renewed.password()), world.idp.count()),
        ("1".to_owned(), 1),
        "just asked"
    );
    world.sleep_until(MINUTE).await;
    let (one, other) = tokio::join!(world.provider.renew(), world.provider.renew());
    // Even one that ends sooner: the one at hand is of no use.
    assert_eq!(one.as_ref().unwrap(), &other.unwrap());
    assert_eq!(
        (number(one.unwrap().password()), world.idp.count()),
        ("2".to_owned(), 2)
    );
    assert_eq!(world.said(&mut subscription).await, [ok("2")]);
    world.sleep_until(125 * SECOND).await;
    let newest = world.provider.renew().await.unwrap();
    assert_eq!(
        world.idp.count(),
        4,
        "one at the half of a minute, one now, and no loop"
    );
    assert_eq!(
        world.said(&mut subscription).await,
        [ok(&number(newest.password()))]
    );
    // PR-25: the same again is an answer, and no news.
    world.idp.will([Same]);
    world.sleep_until(3 * MINUTE).await;
    assert_eq!(world.provider.renew().await.unwrap(), newest);
    assert!(world.said(&mut subscription).await.is_empty());
    world.idp.will([Fails(crate::support::refused())]);
    world.sleep_until(4 * MINUTE).await;
    for _ in 0..2 {
        let error = world.provider.renew().await.unwrap_err();
        assert_eq!(error.code(), Some("AADSTS7000215"));
        assert_eq!(world.idp.count(), 6, "no request while it keeps failing");
    }
    assert!(world.provider.current().is_some(), "the one at hand stays");
}
