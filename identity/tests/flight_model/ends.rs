//! Dispose, a panic, and the shutdown of the host: no caller waits for ever.

use credsim_identity::ErrorKind;
use loom::{future::block_on, thread};

use super::{Host, KEY, World, explore, model, outcome, single_flight::SingleFlight};

const CANCELLED: Result<usize, ErrorKind> = Err(ErrorKind::Cancelled);

#[test]
fn a_dispose_may_cross_all_else() {
    model(3, |world| {
        let other = world.clone();
        let closed = thread::spawn(move || other.flights.close());
        let mine = outcome(world.join());
        assert!(mine == Ok(1) || mine == CANCELLED, "{mine:?}");
        closed.join().unwrap();
        assert_eq!(outcome(world.join()), CANCELLED);
        assert!(!world.flights.adopt(&KEY), "nothing is under way");
    });
}

#[test]
fn a_dispose_ends_what_would_not_end() {
    model(3, |world| {
        let other = world.clone();
        let closed = thread::spawn(move || other.flights.close());
        let waiter = world.join_endless();
        world.flights.adopt(&KEY);
        assert_eq!(outcome(waiter), CANCELLED);
        closed.join().unwrap();
        world.host.settle();
    });
}

#[test]
fn a_dispose_may_cross_a_start_that_is_over_at_once() {
    explore(3, || {
        let world = World::on(Host::eager());
        let other = world.clone();
        let closed = thread::spawn(move || other.flights.close());
        let mine = outcome(world.join());
        assert!(mine == Ok(1) || mine == CANCELLED, "{mine:?}");
        closed.join().unwrap();
    });
}

#[test]
fn a_dispose_ends_the_commands() {
    model(2, |world| {
        let flights = SingleFlight::new(&world.host.platform(), "Test");
        let (other, works) = (flights.clone(), world.works.clone());
        let ran = thread::spawn(move || block_on(other.run("a", || works.endless())));
        flights.dispose();
        let error = ran.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        world.host.settle();
    });
}

#[test]
fn waiters_of_aborted_work_get_an_error() {
    model(2, |world| {
        let broken = world.flights.join(&KEY, world.works.panicking());
        let other = world.clone();
        let joined = thread::spawn(move || outcome(other.join()));
        assert_eq!(outcome(broken), CANCELLED);
        let theirs = joined.join().unwrap();
        assert!(theirs == Ok(2) || theirs == CANCELLED, "{theirs:?}");
    });
}

#[test]
fn a_caller_after_aborted_work_starts_anew() {
    model(3, |world| {
        let broken = world.flights.join(&KEY, world.works.panicking());
        assert_eq!(outcome(broken), CANCELLED);
        assert_eq!(outcome(world.join()), Ok(2));
    });
}

#[test]
fn a_host_may_go_down_at_any_time() {
    model(2, |world| {
        let other = world.clone();
        let down = thread::spawn(move || other.host.crash());
        let mine = outcome(world.join());
        assert!(mine == Ok(1) || mine == CANCELLED, "{mine:?}");
        down.join().unwrap();
        let now = outcome(world.join());
        assert!(now.is_ok() || now == CANCELLED && mine.is_err(), "{now:?}");
        assert!(outcome(world.join()).is_ok(), "it is up again");
    });
}
