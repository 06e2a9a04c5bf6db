//! A host whose tasks are loom's threads.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use credsim_identity::{
    Platform,
    platform::{BoxFuture, Spawner, TaskHandle},
};
use loom::{sync::Mutex, thread::JoinHandle};

use super::core_support;

/// What is promised of a spawner is that a task ends when its handle is dropped. There are two
/// ways to do it, and single flight must stand both.
#[derive(Clone, Copy, PartialEq)]
enum Ending {
    /// Dropping the handle of an idle task runs its destructors.
    AtOnce,
    /// The task's own thread does, when its turn comes: as tokio does.
    Later,
}

#[derive(Clone)]
pub(super) struct Host {
    ending: Ending,
    /// Polls a task before `spawn` returns.
    eager: bool,
    tasks: Shared<Arc<Task>>,
    threads: Shared<JoinHandle<()>>,
}

type Shared<T> = Arc<std::sync::Mutex<Vec<T>>>;

struct Task(Mutex<State>);

struct State {
    work: Slot,
    waker: Option<Waker>,
}

enum Slot {
    Idle(BoxFuture<'static, ()>),
    Running,
    Ending(BoxFuture<'static, ()>),
    Ended,
}

impl Host {
    pub(super) fn at_once() -> Self {
        Self {
            ending: Ending::AtOnce,
            eager: false,
            tasks: Arc::default(),
            threads: Arc::default(),
        }
    }

    pub(super) fn later() -> Self {
        Self {
            ending: Ending::Later,
            ..Self::at_once()
        }
    }

    /// A task that can be over at once is over before `spawn` returns.
    pub(super) fn eager() -> Self {
        Self {
            eager: true,
            ..Self::at_once()
        }
    }

    pub(super) fn platform(&self) -> Platform {
        let mut platform = core_support::Host::new(0.0).platform();
        platform.spawner = Arc::new(self.clone());
        platform
    }

    /// The host goes down: every task ends, even while its handle is held.
    pub(super) fn crash(&self) {
        take(&self.tasks)
            .iter()
            .for_each(|task| task.stop(self.ending));
    }

    /// Waits until every task is over.
    pub(super) fn settle(&self) {
        let threads = take(&self.threads);
        threads.into_iter().for_each(|it| it.join().unwrap());
    }
}

fn take<T>(shared: &Shared<T>) -> Vec<T> {
    std::mem::take(&mut shared.lock().unwrap())
}

impl Spawner for Host {
    fn spawn(&self, work: BoxFuture<'static, ()>) -> TaskHandle {
        let task = Arc::new(Task(Mutex::new(State {
            work: Slot::Idle(work),
            waker: None,
        })));
        self.tasks.lock().unwrap().push(Arc::clone(&task));
        let over = self.eager
            && task
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready();
        if !over {
            let task = Arc::clone(&task);
            let run = move || loom::future::block_on(poll_fn(|cx| task.poll(cx)));
            let thread = loom::thread::spawn(run);
            self.threads.lock().unwrap().push(thread);
        }
        let ending = self.ending;
        TaskHandle::new(move || task.stop(ending))
    }
}

impl Task {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        let mut work = match std::mem::replace(&mut state.work, Slot::Running) {
            Slot::Idle(work) => work,
            other => {
                state.work = Slot::Ended;
                drop(state);
                drop(other);
                return Poll::Ready(());
            }
        };
        state.waker = Some(cx.waker().clone());
        drop(state);
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        let mut state = self.0.lock().unwrap();
        if matches!(polled, Ok(Poll::Pending)) && matches!(state.work, Slot::Running) {
            state.work = Slot::Idle(work);
            return Poll::Pending;
        }
        state.work = Slot::Ended;
        let waker = state.waker.take();
        drop(state);
        drop((work, waker));
        Poll::Ready(())
    }

    fn stop(&self, ending: Ending) {
        let mut state = self.0.lock().unwrap();
        let work = std::mem::replace(&mut state.work, Slot::Ended);
        let dropped = match (work, ending) {
            (Slot::Idle(work) | Slot::Ending(work), Ending::Later) => {
                state.work = Slot::Ending(work);
                None
            }
            (work, _) => Some(work),
        };
        let waker = state.waker.take();
        drop(state);
        drop(dropped);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
