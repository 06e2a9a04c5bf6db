//! Actions applied to services without an engine, for tests.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use jiff::tz::TimeZone;

use super::{Action, ActionContext};
use crate::{
    backend::Stage,
    draws::Draws,
    engine::{BoxFuture, Control, Host, Listener, Network, Runtime, Stream, Work},
    host::{HostClock, HostState},
    scenario::SignedSpan,
    trace::Recorder,
};

/// Applies an action, written as in a scenario file (`az-logout = {}`), to the services of
/// `backend`. The host and its network are there, but nothing runs on them.
pub(crate) fn act(backend: &Stage, action: &str, at: Duration) {
    let host = host(backend);
    apply(&parse(action), backend, &host, &NoControl, at);
}

pub(super) fn parse(action: &str) -> Action {
    #[derive(serde::Deserialize)]
    struct Do {
        action: Action,
    }
    let Do { action } = toml::from_str(&format!("action.{action}")).expect("a valid action");
    action
}

pub(super) fn apply(
    action: &Action,
    backend: &Stage,
    host: &HostState,
    control: &dyn Control,
    at: Duration,
) {
    action.apply(&ActionContext {
        at,
        backend,
        host,
        control,
        shared: None,
    });
}

/// A host called `app` on which nothing runs.
pub(super) fn host(backend: &Stage) -> HostState {
    let start = backend.time(Duration::ZERO);
    HostState::new(
        Host {
            name: "app".into(),
            network: Arc::new(Nowhere),
            runtime: Arc::new(Nowhere),
        },
        HostClock::new(start, SignedSpan::default(), TimeZone::UTC),
        backend.clone(),
        Recorder::default(),
        Draws::new(1),
        BTreeMap::new(),
    )
}

struct Nowhere;

impl Network for Nowhere {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Stream>> {
        Box::pin(async { Err(io::ErrorKind::NotFound.into()) })
    }

    fn bind(&self, _: u16) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }
}

impl Runtime for Nowhere {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, _: BoxFuture<'static, ()>) -> Work {
        unimplemented!("nothing runs on the host of this test")
    }
}

pub(super) struct NoControl;

impl Control for NoControl {
    fn hold(&self, _: &str, _: &str) {}

    fn release(&self, _: &str, _: &str) {}

    fn crash(&self, _: &str) {}

    fn restart(&self, _: &str) {}
}
