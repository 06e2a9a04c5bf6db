//! Waiters: one piece of work for all, and none of them can end it for another.

use credsim_identity::ErrorKind;
use loom::thread;

use super::{
    Host, KEY, World, explore, model, outcome,
    single_flight::SingleFlight,
    work::{Gate, Works},
};

#[test]
fn all_callers_before_its_end_share_one_work() {
    model(2, |world| {
        let gate = Gate::closed(2);
        let join = |world: &World| {
            let waiter = world.flights.join(&KEY, world.works.behind(&gate));
            gate.open();
            waiter
        };
        let other = world.clone();
        let mine = join(&world);
        let joined = {
            let gate = gate.clone();
            thread::spawn(move || {
                let waiter = other.flights.join(&KEY, other.works.behind(&gate));
                gate.open();
                outcome(waiter)
            })
        };
        assert_eq!(outcome(mine), Ok(1));
        assert_eq!(joined.join().unwrap(), Ok(1));
        let counts = world.works.counts();
        assert_eq!((counts.started, counts.completed), (1, 1));
    });
}

#[test]
fn never_two_at_a_time() {
    model(2, |world| {
        let other = world.clone();
        let joined = thread::spawn(move || outcome(other.join()));
        let mine = outcome(world.join());
        let theirs = joined.join().unwrap();
        let counts = world.works.counts();
        assert_eq!(counts.peak, 1);
        assert_eq!(counts.started, counts.completed);
        assert_eq!(mine.max(theirs), Ok(counts.started));
    });
}

#[test]
fn who_waits_for_work_starts_none() {
    model(2, |world| {
        let gate = Gate::closed(1);
        world.flights.run(&KEY, || world.works.behind(&gate));
        let other = world.clone();
        let waits = thread::spawn(move || loom::future::block_on(other.flights.wait(&KEY)));
        gate.open();
        waits.join().unwrap();
        // It may be over by now: then this does not wait at all.
        loom::future::block_on(world.flights.wait(&KEY));
        let counts = world.works.counts();
        assert_eq!((counts.started, counts.completed), (1, 1));
    });
}

#[test]
fn a_dropped_waiter_cancels_no_other() {
    model(2, |world| {
        let other = world.clone();
        let gone = thread::spawn(move || drop(other.join()));
        assert!(outcome(world.join()).is_ok());
        gone.join().unwrap();
    });
}

#[test]
fn a_remaining_waiter_keeps_the_work() {
    model(3, |world| {
        let gate = Gate::closed(1);
        let mine = world.flights.join(&KEY, world.works.behind(&gate));
        let other = world.join_endless();
        let gone = thread::spawn(move || drop(other));
        gate.open();
        assert_eq!(outcome(mine), Ok(1));
        gone.join().unwrap();
    });
}

#[test]
fn the_work_ends_with_its_last_waiter() {
    model(3, |world| {
        let waiters = [world.join_endless(), world.join_endless()];
        let gone = waiters.map(|waiter| thread::spawn(move || drop(waiter)));
        gone.into_iter().for_each(|gone| gone.join().unwrap());
        world.host.settle();
        assert_eq!(world.works.counts().completed, 0);
    });
}

#[test]
fn a_caller_that_comes_as_the_last_waiter_goes_is_served() {
    model(3, |world| {
        let last = world.join();
        let gone = thread::spawn(move || drop(last));
        assert!(outcome(world.join()).is_ok());
        gone.join().unwrap();
    });
}

#[test]
fn a_caller_that_comes_again_has_work_of_its_own() {
    model(3, |world| {
        drop(world.join());
        let own = Works::default();
        assert_eq!(outcome(world.flights.join(&KEY, own.ready())), Ok(1));
        assert_eq!(own.counts().completed, 1);
    });
}

#[test]
fn work_may_be_over_before_it_is_under_way() {
    explore(3, || {
        let world = World::on(Host::eager());
        let other = world.clone();
        let joined = thread::spawn(move || outcome(other.join()));
        assert!(outcome(world.join()).is_ok());
        assert!(joined.join().unwrap().is_ok());
        assert!(!world.flights.adopt(&KEY), "nothing is under way");
        assert_eq!(world.works.counts().peak, 1);
    });
}

#[test]
fn the_handle_of_the_commands() {
    model(2, |world| {
        let flights = SingleFlight::new(&world.host.platform(), "Test");
        let run = move |world: &World| {
            let answer = loom::future::block_on(flights.run("a", || world.works.ready()));
            answer.map(|_| ()).map_err(|error| error.kind())
        };
        let (other, run_there) = (world.clone(), run.clone());
        let ran = thread::spawn(move || run_there(&other));
        assert_eq!(run(&world), Ok(()));
        assert_eq!(ran.join().unwrap(), Ok(()));
        assert_eq!(world.works.counts().peak, 1);
    });
}

#[test]
fn keys_have_nothing_to_do_with_each_other() {
    model(1, |world| {
        let other = world.clone();
        let ended = thread::spawn(move || {
            let waiter = other.flights.join(&super::OTHER, other.works.panicking());
            outcome(waiter)
        });
        assert!(outcome(world.join()).is_ok());
        assert_eq!(ended.join().unwrap(), Err(ErrorKind::Cancelled));
    });
}
