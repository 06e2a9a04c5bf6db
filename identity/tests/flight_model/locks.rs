//! Whatever single flight lets go of may call it: it holds no lock meanwhile.

use std::{
    future::{Future as _, poll_fn},
    sync::Arc,
    task::{Context, Wake, Waker},
};

use loom::thread;

use super::{Flights, KEY, OTHER, World, model, outcome};

/// Wakes, and calls single flight.
struct Calling {
    flights: Flights<u8>,
    inner: Waker,
}

impl Wake for Calling {
    fn wake(self: Arc<Self>) {
        self.flights.adopt(&OTHER);
        self.inner.wake_by_ref();
    }
}

/// Waits like [`outcome`], with such a waker.
fn wait(world: &World, mut waiter: super::Waiter<u8>) -> bool {
    let flights = world.flights.clone();
    let mut outcome = Box::pin(waiter.outcome());
    loom::future::block_on(poll_fn(|cx| {
        let inner = cx.waker().clone();
        let flights = flights.clone();
        let waker = Waker::from(Arc::new(Calling { flights, inner }));
        outcome.as_mut().poll(&mut Context::from_waker(&waker))
    }))
    .is_ok()
}

/// Waits for one poll only.
fn give_up(world: &World, mut waiter: super::Waiter<u8>) {
    let inner = Waker::noop().clone();
    let flights = world.flights.clone();
    let waker = Waker::from(Arc::new(Calling { flights, inner }));
    let mut outcome = Box::pin(waiter.outcome());
    let _ = outcome.as_mut().poll(&mut Context::from_waker(&waker));
}

#[test]
fn destructors_of_work_may_call_back() {
    model(2, |world| {
        world.works.call_back(Some(world.flights.clone()));
        let waiters = [world.join_endless(), world.join_endless()];
        let gone = waiters.map(|waiter| thread::spawn(move || drop(waiter)));
        gone.into_iter().for_each(|gone| gone.join().unwrap());
        world.works.call_back(None);
    });
}

#[test]
fn destructors_of_work_that_lands_or_is_closed_may_call_back() {
    model(2, |world| {
        world.works.call_back(Some(world.flights.clone()));
        let other = world.clone();
        let closed = thread::spawn(move || other.flights.close());
        world.flights.run(&KEY, || world.works.endless());
        let _ = outcome(world.join());
        closed.join().unwrap();
        world.works.call_back(None);
    });
}

#[test]
fn wakers_of_waiting_callers_may_call_back() {
    model(2, |world| {
        let other = world.clone();
        let gone = thread::spawn(move || give_up(&other, other.join()));
        assert!(wait(&world, world.join()));
        gone.join().unwrap();
    });
}

#[test]
fn wakers_of_disposed_callers_may_call_back() {
    model(2, |world| {
        let other = world.clone();
        let closed = thread::spawn(move || other.flights.close());
        assert!(!wait(&world, world.join_endless()));
        closed.join().unwrap();
    });
}
