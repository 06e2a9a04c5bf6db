//! A host as one credential instance sees it: clock, tasks, byte streams, random numbers,
//! environment variables and commands.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use credsim_identity::{
    IdentityChange, Observer,
    platform::{
        BoxFuture, ByteStream, ByteStreams, Clock, Command, CommandError, CommandOutput,
        CommandRunner, Environment, Liveness, Processes, Random, Spawner, TaskHandle,
        TransportErrorKind,
    },
};
use jiff::{Timestamp, tz::TimeZone};

use super::{processes::SUBJECT, state::HostState};
use crate::trace::Kind;

/// What an instance has under way.
#[derive(Default)]
pub struct Leftovers {
    tasks: AtomicUsize,
    timers: AtomicUsize,
}

impl Leftovers {
    /// Background tasks alive.
    pub fn tasks(&self) -> usize {
        self.tasks.load(Ordering::Relaxed)
    }

    /// Sleeps pending.
    pub fn timers(&self) -> usize {
        self.timers.load(Ordering::Relaxed)
    }
}

/// A host as one credential instance sees it.
#[derive(Clone)]
pub(crate) struct Instance {
    pub state: Arc<HostState>,
    pub number: u32,
    pub leftovers: Arc<Leftovers>,
}

impl Instance {
    pub fn record(&self, kind: Kind) {
        self.state.recorder.record(self.state.elapsed(), kind);
    }
}

impl Clock for Instance {
    fn now(&self) -> Timestamp {
        self.state.now()
    }

    fn monotonic(&self) -> Duration {
        self.state.elapsed()
    }

    fn local_zone(&self) -> TimeZone {
        self.state.clock.zone.clone()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let sleep = self.state.host.runtime.sleep(duration);
        let counted = Counted::new(&self.leftovers, |leftovers| &leftovers.timers);
        Box::pin(async move {
            let _counted = counted;
            sleep.await;
        })
    }
}

impl Spawner for Instance {
    fn spawn(&self, work: BoxFuture<'static, ()>) -> TaskHandle {
        let counted = Counted::new(&self.leftovers, |leftovers| &leftovers.tasks);
        let work = self.state.host.runtime.spawn(Box::pin(async move {
            let _counted = counted;
            work.await;
        }));
        TaskHandle::new(move || drop(work))
    }
}

impl ByteStreams for Instance {
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        let (state, host) = (self.state.clone(), host.to_owned());
        Box::pin(async move {
            let connected = state.connect(&host, port, None).await;
            let stream = connected.map_err(|error| {
                let kind = match error.kind {
                    TransportErrorKind::Refused => io::ErrorKind::ConnectionRefused,
                    TransportErrorKind::Dns => io::ErrorKind::NotFound,
                    _ => io::ErrorKind::HostUnreachable,
                };
                io::Error::new(kind, error.message)
            })?;
            Ok(Box::new(stream) as ByteStream)
        })
    }
}

impl Random for Instance {
    fn next(&self, purpose: &str) -> u64 {
        self.state.draws.next(&format!("subject/{purpose}"))
    }
}

impl Environment for Instance {
    fn var(&self, name: &str) -> Option<String> {
        self.state.variable(name)
    }
}

impl Processes for Instance {
    fn own_id(&self) -> io::Result<u32> {
        Ok(SUBJECT)
    }

    fn look_up(&self, id: u32) -> io::Result<Liveness> {
        let started = self.state.processes.started(id);
        Ok(started.map_or(Liveness::Dead, |started| Liveness::Alive {
            since: Some(self.state.clock.shows(started)),
        }))
    }
}

impl CommandRunner for Instance {
    fn run(&self, command: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>> {
        let instance = self.clone();
        Box::pin(async move {
            let Command {
                program, args, env, ..
            } = command;
            let zone = instance.state.clock.zone.clone();
            let state = &instance.state;
            let ended = state
                .backend
                .run_command(&state.host, instance.number, &program, &args, &env, zone)
                .await;
            match ended {
                Ok(exit) => Ok(CommandOutput {
                    code: Some(exit.code),
                    stdout: exit.stdout.into_bytes(),
                    stderr: exit.stderr.into_bytes(),
                }),
                Err(_) => Err(CommandError::NotFound),
            }
        })
    }
}

impl Observer for Instance {
    fn identity_changed(&self, change: &IdentityChange) {
        self.record(Kind::IdentityChanged {
            instance: self.number,
            from: change.from.to_string(),
            to: change.to.to_string(),
            refused: change.refused,
        });
    }
}

/// Counts itself for as long as it lives.
struct Counted(Arc<Leftovers>, fn(&Leftovers) -> &AtomicUsize);

impl Counted {
    fn new(leftovers: &Arc<Leftovers>, which: fn(&Leftovers) -> &AtomicUsize) -> Self {
        which(leftovers).fetch_add(1, Ordering::Relaxed);
        Self(leftovers.clone(), which)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, Ordering::Relaxed);
    }
}
