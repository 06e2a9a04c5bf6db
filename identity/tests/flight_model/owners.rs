//! Work for its owner's sake: it goes on without waiters, and until its owner goes.

use std::time::Duration;

use loom::thread;

use super::{Host, KEY, World, explore, model, outcome, work::Gate};

#[test]
fn what_an_owner_wants_goes_on_without_waiters() {
    model(3, |world| {
        let gate = Gate::closed(1);
        let waiter = world.flights.join(&KEY, world.works.behind(&gate));
        assert!(world.flights.adopt(&KEY));
        let other = world.join_endless();
        let gone = thread::spawn(move || drop(other));
        drop(waiter);
        gone.join().unwrap();
        gate.open();
        world.host.settle();
        assert_eq!(world.works.counts().completed, 1);
    });
}

#[test]
fn an_owner_and_a_waiter_share_one_work() {
    model(2, |world| {
        let gate = Gate::closed(2);
        let (other, opened) = (world.clone(), gate.clone());
        let owner = thread::spawn(move || {
            other.flights.run(&KEY, || other.works.behind(&opened));
            opened.open();
        });
        let waiter = world.flights.join(&KEY, world.works.behind(&gate));
        gate.open();
        assert_eq!(outcome(waiter), Ok(1));
        owner.join().unwrap();
        let counts = world.works.counts();
        assert_eq!((counts.started, counts.completed), (1, 1));
    });
}

#[test]
fn two_owners_share_one_work() {
    model(3, |world| {
        let gate = Gate::closed(2);
        let (other, opened) = (world.clone(), gate.clone());
        let owner = thread::spawn(move || {
            other.flights.run(&KEY, || other.works.behind(&opened));
            opened.open();
        });
        world.flights.run(&KEY, || world.works.behind(&gate));
        gate.open();
        owner.join().unwrap();
        world.host.settle();
        assert_eq!(world.works.counts().peak, 1);
    });
}

#[test]
fn the_work_ends_with_its_owner() {
    model(3, |world| {
        world.flights.run(&KEY, || world.works.endless());
        let (works, clone) = (world.works.clone(), world.flights.clone());
        let gone = thread::spawn(move || drop(clone));
        drop(world);
        gone.join().unwrap();
        assert_eq!(works.counts().completed, 0);
    });
}

#[test]
fn an_owner_may_go_as_the_work_lands() {
    model(3, |world| {
        world.flights.run(&KEY, || world.works.ready());
        let clone = world.flights.clone();
        let gone = thread::spawn(move || drop(clone));
        drop(world);
        gone.join().unwrap();
    });
}

#[test]
fn what_was_taken_over_ends_with_its_waiters() {
    model(3, |world| {
        world.flights.run(&KEY, || world.works.endless());
        let waiters = [world.join_endless(), world.join_endless()];
        let gone = waiters.map(|waiter| {
            thread::spawn(move || {
                waiter.take_over();
                drop(waiter);
            })
        });
        gone.into_iter().for_each(|gone| gone.join().unwrap());
        world.host.settle();
    });
}

#[test]
fn a_dropped_waiter_leaves_young_work_to_its_owner() {
    model(2, |world| {
        world.flights.run(&KEY, || world.works.ready());
        let mut waiter = world.join_endless();
        let gone = thread::spawn(move || {
            waiter.take_over_after(Duration::from_secs(3600));
            drop(waiter);
        });
        gone.join().unwrap();
        world.host.settle();
        assert_eq!(world.works.counts().peak, 1);
    });
}

#[test]
fn a_dropped_waiter_ends_work_that_hangs() {
    model(2, |world| {
        world.flights.run(&KEY, || world.works.endless());
        let mut waiter = world.join_endless();
        let gone = thread::spawn(move || {
            waiter.take_over_after(Duration::ZERO);
            drop(waiter);
        });
        gone.join().unwrap();
        world.host.settle();
    });
}

#[test]
fn to_take_over_and_to_adopt_may_cross_the_landing() {
    model(2, |world| {
        let other = world.clone();
        let taken = thread::spawn(move || {
            let waiter = other.join();
            waiter.take_over();
            outcome(waiter)
        });
        world.flights.run(&KEY, || world.works.ready());
        assert!(taken.join().unwrap().is_ok());
        world.host.settle();
        assert_eq!(world.works.counts().peak, 1);
    });
}

/// The owner's own work is over before the owner has claimed it; what is under way by then is
/// somebody else's, and ends with who waits for it.
#[test]
fn an_owner_does_not_claim_later_work() {
    explore(2, || {
        let world = World::on(Host::at_once());
        let over = Gate::closed(1);
        let (other, opened) = (world.clone(), over.clone());
        let owner = thread::spawn(move || {
            other.flights.run(&KEY, || {
                let work = other.works.ready();
                Box::pin(async move {
                    let outcome = work.await;
                    opened.open();
                    outcome
                })
            });
        });
        loom::future::block_on(over.passed());
        let waiter = world.join_endless();
        owner.join().unwrap();
        drop(waiter);
        world.host.settle();
    });
}

#[test]
fn taking_over_work_that_has_ended_has_no_effect() {
    model(2, |world| {
        let waiter = world.join();
        let other = world.clone();
        let owner = thread::spawn(move || {
            let gate = Gate::closed(1);
            other.flights.run(&KEY, || other.works.behind(&gate));
            gate.open();
        });
        waiter.take_over();
        drop(waiter);
        owner.join().unwrap();
    });
}
