//! The clock it sees, and that two runs are the same.

use credsim::scenario::SignedSpan;

use super::world::{Left, Setting, play};

/// Refused requests, so that the jitter of both retry policies and the ids of requests matter.
fn troubled(seed: u64) -> Left {
    let setting = Setting {
        seed,
        ..Setting::default()
    };
    play(setting, |cast| async move {
        let refused = credsim::scenario::Reach::Refused;
        cast.state.set_reach("169.254.169.254", refused);
        cast.wait_until(4.0).await;
        let reachable = credsim::scenario::Reach::Reachable;
        cast.state.set_reach("169.254.169.254", reachable);
        for _ in 0..20 {
            if let Ok(connection) = cast.client.connect().await {
                cast.send(&connection, &["GET a"]).await;
                break;
            }
        }
        cast.wait_until(9000.0).await;
    })
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let (one, two) = (troubled(7), troubled(7));
    assert!(one.token_requests().len() > 4, "{:?}", one.token_requests());
    assert_eq!(one.trace.hash(), two.trace.hash());
    assert_eq!(one.asked, two.asked);
    assert_ne!(one.token_requests(), troubled(8).token_requests());
}

#[test]
fn a_wrong_clock_of_its_host_is_its_clock() {
    // An hour late: a token of an hour seems to live for two.
    let late = Setting {
        world: "token-life = \"1h\"\n[world.host]\nclock-skew = \"-1h\"".to_owned(),
        ..Setting::default()
    };
    let left = play(late, |cast| async move { cast.wait_until(8000.0).await });
    let asked: Vec<u128> = left.token_requests().iter().map(|at| at / 1000).collect();
    assert_eq!(asked, [0, 6960]);
}

#[test]
fn a_step_of_the_clock_is_seen() {
    let left = play(Setting::default(), |cast| async move {
        cast.wait_until(3000.0).await;
        let step: SignedSpan = "+1h".parse().unwrap();
        cast.state.clock.step(step);
        cast.wait_until(3361.0).await;
    });
    // It sleeps on a monotonic clock. The token that it gets then was issued by the true date, and
    // by its own one it has ended: from there on it spins.
    let asked = left.token_requests();
    assert!(
        asked[1] / 1000 == 3360 && asked.len() > 100,
        "{}",
        asked.len()
    );
}
