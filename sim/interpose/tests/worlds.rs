//! Worlds and the threads around them.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "they are what is tested"
)]
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use credsim_interpose::{CREEP, PATIENCE, enter, is_inside, show};
use rand::RngExt as _;

/// 2000-01-01: no machine's clock shows it by accident.
const THEN: Duration = Duration::from_secs(946_684_800);

/// A thread that has done nothing yet.
fn fresh<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(work).join().unwrap()
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn is_real() -> bool {
    let before = Instant::now();
    let moves = (0..1_000_000).any(|_| Instant::now() > before);
    wall() > Duration::from_secs(1_700_000_000) && moves
}

#[test]
fn a_thread_is_in_the_machine_until_it_enters_and_again_when_it_leaves() {
    fresh(|| {
        assert!(is_real() && !is_inside());
        let world = enter(THEN, 1).unwrap();
        assert!(is_inside());
        assert_eq!(wall(), THEN);
        drop(world);
        assert!(is_real() && !is_inside());
    });
}

#[test]
fn both_clocks_stand_still_until_they_are_moved() {
    fresh(|| {
        let _world = enter(THEN, 1).unwrap();
        let (began, monotonic) = (wall(), Instant::now());
        thread::yield_now();
        assert_eq!((wall(), monotonic.elapsed()), (began, Duration::ZERO));
        let (minute, second) = (Duration::from_secs(60), Duration::from_secs(1));
        // A wall clock may be set; the other one only goes on.
        show(THEN - minute, second);
        assert_eq!((wall(), monotonic.elapsed()), (began - minute, second));
        show(THEN + minute, second + Duration::from_nanos(7));
        assert_eq!(wall(), began + minute);
        assert_eq!(monotonic.elapsed(), second + Duration::from_nanos(7));
        // Before the world began there was a day.
        assert!(
            Instant::now()
                .checked_sub(Duration::from_secs(80_000))
                .is_some()
        );
    });
}

#[test]
fn to_show_something_outside_a_world_changes_nothing() {
    fresh(|| {
        show(THEN, Duration::from_secs(1));
        assert!(is_real());
        // Nor does it leave anything behind for the next world.
        let _world = enter(THEN, 1).unwrap();
        let began = Instant::now();
        assert_eq!(began.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_world_inside_another_one_hides_it() {
    fresh(|| {
        let outer = enter(THEN, 1).unwrap();
        show(THEN + Duration::from_secs(5), Duration::from_secs(5));
        {
            let _inner = enter(THEN * 2, 2).unwrap();
            assert_eq!(wall(), THEN * 2);
            show(THEN * 2 + Duration::from_secs(9), Duration::from_secs(9));
        }
        assert!(is_inside());
        assert_eq!(wall(), THEN + Duration::from_secs(5));
        drop(outer);
        assert!(is_real());
    });
}

#[test]
fn guards_that_end_out_of_order_leave_the_machine() {
    fresh(|| {
        let outer = enter(THEN, 1).unwrap();
        let inner = enter(THEN * 2, 2).unwrap();
        drop(outer);
        assert!(is_real() && !is_inside());
        drop(inner);
        assert!(is_real() && !is_inside());
        let _world = enter(THEN, 1).unwrap();
        assert_eq!(wall(), THEN);
    });
}

#[test]
fn a_panic_leaves_the_world() {
    fresh(|| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _world = enter(THEN, 1).unwrap();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        assert!(is_real() && !is_inside());
    });
}

#[test]
fn other_threads_see_the_machine() {
    let everybody = Arc::new(Barrier::new(2));
    let inside = thread::spawn({
        let everybody = everybody.clone();
        move || {
            let _world = enter(THEN, 1).unwrap();
            everybody.wait();
            // A thread that a world starts is another thread, too.
            assert!(thread::spawn(is_real).join().unwrap());
            assert_eq!(wall(), THEN);
            everybody.wait();
        }
    });
    everybody.wait();
    assert!(is_real());
    let before = Instant::now();
    thread::sleep(Duration::from_millis(2));
    assert!(before.elapsed() >= Duration::from_millis(2));
    everybody.wait();
    inside.join().unwrap();
}

#[test]
fn two_worlds_at_once_have_a_time_and_a_stream_each() {
    let everybody = Arc::new(Barrier::new(2));
    let world = |seed: u64| {
        let everybody = everybody.clone();
        thread::spawn(move || {
            let _world = enter(THEN + Duration::from_secs(seed), seed).unwrap();
            let mut seen = Vec::new();
            for minute in 1..=50 {
                everybody.wait();
                let passed = Duration::from_secs(60 * minute * seed);
                show(THEN + passed, passed);
                seen.push((wall(), rand::rng().random::<u64>()));
            }
            seen
        })
    };
    let (one, two) = (world(1), world(2));
    let (one, two) = (one.join().unwrap(), two.join().unwrap());
    assert_eq!(one[49].0, THEN + Duration::from_secs(3000));
    assert_eq!(two[49].0, THEN + Duration::from_secs(6000));
    assert_ne!(one[0].1, two[0].1);
}

/// What a world draws: for itself, through the generator of `rand`, and for the order of a map.
fn draws(seed: u64) -> (u64, [u8; 3], Vec<u32>) {
    fresh(move || {
        let _world = enter(THEN, seed).unwrap();
        let mut generator = rand::rng();
        let map: HashMap<u32, ()> = (0..100).map(|key| (key, ())).collect();
        (
            generator.random(),
            generator.random(),
            map.into_keys().collect(),
        )
    })
}

#[test]
fn the_same_seed_draws_the_same() {
    let one = draws(1);
    // Noise in between must not matter.
    let _: u64 = rand::rng().random();
    assert_eq!(one, draws(1));
    let two = draws(2);
    assert_ne!(one.0, two.0);
    assert_ne!(one.1, two.1);
    assert_ne!(one.2, two.2);
}

#[test]
fn outside_a_world_nothing_is_drawn_twice() {
    let draw = || fresh(|| rand::rng().random::<u64>());
    assert_ne!(draw(), draw());
}

#[test]
fn who_spins_on_a_clock_that_stands_still_sees_it_creep() {
    fresh(|| {
        let _world = enter(THEN, 1).unwrap();
        let spin = || {
            let began = Instant::now();
            let mut reads = 1_u64;
            while began.elapsed() < Duration::from_micros(50) {
                reads += 1;
                assert!(reads < 2 * PATIENCE, "it does not creep");
            }
            reads
        };
        let first = spin();
        assert!(first > PATIENCE);
        // It moves only when it is read, so it moves alike each time.
        assert_eq!(fresh_spin(), first);
        // The wall clock does not creep, and a move of the time ends the creeping.
        assert_eq!(wall(), THEN);
        let crept = Instant::now();
        show(THEN, Duration::from_secs(1));
        let moved = Instant::now().duration_since(crept);
        assert!(
            moved > Duration::from_millis(999) && moved < Duration::from_secs(1),
            "{moved:?}"
        );
        assert_eq!(CREEP, Duration::from_micros(1));
    });

    fn fresh_spin() -> u64 {
        fresh(|| {
            let _world = enter(THEN, 1).unwrap();
            let began = Instant::now();
            let mut reads = 1;
            while began.elapsed() < Duration::from_micros(50) {
                reads += 1;
            }
            reads
        })
    }
}

#[test]
fn tokio_keeps_its_own_time_in_a_world_and_real_time_beside_it() {
    let real = thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .unwrap();
        let before = Instant::now();
        runtime.block_on(async {
            tokio::spawn(tokio::time::sleep(Duration::from_millis(20)))
                .await
                .unwrap();
        });
        before.elapsed()
    });
    let virtually = fresh(|| {
        let _world = enter(THEN, 1).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let before = tokio::time::Instant::now();
            tokio::time::sleep(Duration::from_secs(86_400)).await;
            before.elapsed()
        })
    });
    assert_eq!(virtually, Duration::from_secs(86_400));
    let real = real.join().unwrap();
    assert!(
        real >= Duration::from_millis(20) && real < Duration::from_secs(20),
        "{real:?}"
    );
}
