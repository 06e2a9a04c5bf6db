//! The clock it sees, and that two runs are the same.

use credsim::{
    scenario::SignedSpan,
    service::{Reach, imds::IMDS_HOST as IMDS},
};

use super::world::{Left, REDIS, Setting, play};

/// Refused connections, so that the jitter of every retry policy matters: of the credential, and of
/// the manager that connects, which has its token long before Redis is there.
fn troubled(seed: u64) -> Left {
    let setting = Setting {
        seed,
        ..Setting::default()
    };
    play(setting, |cast| async move {
        for host in [IMDS, REDIS] {
            cast.state.set_reach(host, Reach::Refused);
        }
        cast.wait_until(2.0).await;
        cast.state.set_reach(IMDS, Reach::Reachable);
        cast.wait_until(10.0).await;
        let early = cast.clone();
        let connects = async move {
            let connection = early.client.connect().await.unwrap();
            early.send(&connection, &["GET a"]).await;
        };
        let _connects = cast.host.runtime.spawn(Box::pin(connects));
        cast.wait_until(12.0).await;
        cast.state.set_reach(REDIS, Reach::Reachable);
        cast.wait_until(9000.0).await;
    })
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let (one, two) = (troubled(7), troubled(7));
    assert!(one.token_requests().len() > 3, "{:?}", one.token_requests());
    assert_eq!(one.trace.hash(), two.trace.hash());
    assert_eq!(one.asked, two.asked);
    assert_eq!(one.notes, two.notes);
    let other = troubled(8);
    assert_ne!(one.token_requests(), other.token_requests());
    assert_ne!(one.notes, other.notes);
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
