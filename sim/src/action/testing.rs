//! Actions applied to services without an engine, for tests.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::tz::TimeZone;

use super::{Action, ActionContext, SharedCredential};
use crate::{
    backend::Backend,
    draws::Draws,
    engine::{BoxFuture, Control, Host, Listener, Network, Runtime, Stream, Work},
    host::{HostClock, HostState},
    scenario::SignedSpan,
    service::Reach,
    trace::{Event, Kind, Recorder},
};

/// Applies an action, written as in a scenario file (`az-logout = {}`), to the services of
/// `backend`. The host and its network are there, but nothing runs on them.
pub(crate) fn act(backend: &Backend, action: &str, at: Duration) {
    parse(action).apply(&ActionContext {
        at,
        backend,
        host: &host(backend),
        control: &WrittenControl::default(),
        shared: None,
    });
}

pub(super) fn parse(action: &str) -> Action {
    #[derive(serde::Deserialize)]
    struct Do {
        action: Action,
    }
    let Do { action } = toml::from_str(&format!("action.{action}")).expect("a valid action");
    action
}

/// A host called `app` on which nothing runs.
fn host(backend: &Backend) -> HostState {
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
        unreachable!("nothing runs on the host of this test")
    }
}

/// Writes down what is done to the network and to hosts, and does nothing else.
#[derive(Default)]
pub(super) struct WrittenControl(Mutex<Vec<String>>);

impl WrittenControl {
    fn write(&self, line: String) {
        self.0.lock().expect("no test panics with it").push(line);
    }
}

impl Control for WrittenControl {
    fn hold(&self, one: &str, other: &str) {
        self.write(format!("hold {one} {other}"));
    }

    fn release(&self, one: &str, other: &str) {
        self.write(format!("release {one} {other}"));
    }

    fn crash(&self, host: &str) {
        self.write(format!("crash {host}"));
    }

    fn restart(&self, host: &str) {
        self.write(format!("restart {host}"));
    }
}

/// A world in which actions happen and nothing else.
pub(super) struct Played {
    pub backend: Backend,
    pub host: Arc<HostState>,
    pub shared: Option<Box<dyn SharedCredential>>,
    control: WrittenControl,
    recorder: Recorder,
}

impl Played {
    /// The world of this text, as it stands under `[world]`.
    pub fn new(world: &str) -> Self {
        let (backend, recorder) = crate::backend::testing::backend(world);
        let host = Arc::new(host(&backend));
        for (name, _) in backend.hosts() {
            host.set_reach(&name, Reach::Reachable);
        }
        Self {
            backend,
            host,
            shared: None,
            control: WrittenControl::default(),
            recorder,
        }
    }

    /// Applies an action after `seconds`, and gives what the trace says about it, one line each.
    pub fn act(&self, action: &str, seconds: u64) -> Vec<String> {
        let before = self.recorder.finish().events.len();
        parse(action).apply(&ActionContext {
            at: Duration::from_secs(seconds),
            backend: &self.backend,
            host: &self.host,
            control: &self.control,
            shared: self.shared.as_deref(),
        });
        let events = self.recorder.finish().events;
        let line = |event: &Event| {
            let what = match &event.kind {
                Kind::World { what } => what.clone(),
                Kind::FaultInstalled { fault } => format!("{fault} begins"),
                Kind::FaultLifted { fault } => format!("{fault} ends"),
                other => format!("{other:?}"),
            };
            format!("{}s {what}", event.at.as_secs())
        };
        events[before..].iter().map(line).collect()
    }

    /// What was done to the network and to hosts, in order.
    pub fn control(&self) -> Vec<String> {
        let done = self.control.0.lock();
        done.expect("no test panics with it").clone()
    }
}
