//! Whatever an identity provider answers, in whatever order (PR-31, PR-32).

use std::time::Duration;

use credsim_identity::platform::Clock as _;
use proptest::prelude::*;

use crate::{
    core_support::{HOUR, Host, SECOND},
    support::{Answer, World, refused, transient},
};

fn answer() -> impl Strategy<Value = Answer> {
    let life = prop_oneof![0_u64..3_000, 0_u64..60_000, 0_u64..4_000_000];
    let token = life.prop_map(|life| Answer::Token(Duration::from_millis(life)));
    let other =
        (0_u64..1_000_000).prop_map(|life| Answer::As("oid-2", Duration::from_millis(life)));
    let plain = prop_oneof![
        4 => token,
        1 => other,
        2 => Just(Answer::Same),
        3 => Just(Answer::Fails(transient())),
        1 => Just(Answer::Fails(refused())),
        1 => Just(Answer::Text("opaque".to_owned())),
        1 => Just(Answer::Hangs),
    ];
    (plain, prop::option::of(1_u64..20_000)).prop_map(|(answer, delay)| match delay {
        Some(delay) => Answer::Slow(Duration::from_millis(delay), Box::new(answer)),
        None => answer,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn it_never_spins_and_always_recovers(
        mut plan in prop::collection::vec(answer(), 1..25),
        unit in 0.0..1.0_f64,
        steps in prop::collection::vec(-7_200_i64..7_200, 0..3),
    ) {
        plan.push(Answer::Token(HOUR));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(play(plan, unit, steps))?;
    }
}

async fn play(plan: Vec<Answer>, unit: f64, steps: Vec<i64>) -> Result<(), TestCaseError> {
    let world = World::on(Host::new(unit), plan, |builder| builder);
    let provider = world.provider.clone();
    let mut subscription = provider.subscribe();
    let (host, platform) = (world.host.clone(), world.host.platform());
    let mut steps = steps.into_iter();
    // Longer than 25 answers can take: a token of 4000 s is renewed after 2800 s.
    while world.idp.plan_left() > 1 {
        prop_assert!(host.elapsed() < 30 * HOUR, "it has stopped asking");
        for _ in 0..50 {
            let pause = platform.within(13 * SECOND, subscription.next());
            if let Some(Some(Ok(news))) = pause.await {
                prop_assert!(news.is_valid(host.now()), "an ended token was told");
            }
            if let Some(current) = provider.current() {
                prop_assert!(
                    current.is_valid(host.now()),
                    "an ended token was handed out"
                );
            }
        }
        if let Some(step) = steps.next() {
            host.step(jiff::SignedDuration::from_secs(step));
        }
    }
    // All but the last answer, which is good, are asked for: what may still come before it is a
    // request of 30 s and a wait of 30 s.
    host.sleep(61 * SECOND).await;
    prop_assert!(provider.current().is_some(), "it has not recovered");
    prop_assert_eq!(world.idp.at_once(), 1);

    let (asked, landed) = (world.idp.asked(), world.idp.landed());
    for (index, pair) in asked.windows(2).enumerate() {
        prop_assert!(pair[1] - pair[0] >= SECOND * 8 / 10, "{index}: {asked:?}");
    }
    for (at, answer) in &landed {
        // Retries have their own, longer or shorter, distance (PR-31).
        let least = match answer {
            Answer::Fails(_) | Answer::Text(_) | Answer::Same => SECOND * 8 / 10,
            Answer::Token(life) | Answer::As(_, life) if life.is_zero() => SECOND * 8 / 10,
            _ => SECOND,
        };
        let next = asked.iter().find(|asked| *asked >= at && **asked != *at);
        if let Some(next) = next {
            // tokio's timer is as fine as a millisecond.
            prop_assert!(
                *next + SECOND / 500 >= *at + least,
                "{answer:?} at {at:?}: {asked:?}"
            );
        }
    }
    Ok(())
}
