//! Callers that wait for a token share one request (RD-13).

use std::sync::Arc;

use crate::{Error, ErrorKind};

use super::{
    NAME, RedisCredentials, board::Board, interest::Interest, manager, shared::Shared, watch,
};

impl Shared {
    pub(super) async fn credentials(self: &Arc<Self>) -> Result<RedisCredentials, Error> {
        let news = News::from_now_on(self);
        if let Some(credentials) = self.at_hand()? {
            return Ok(credentials);
        }
        self.outcome(news).await
    }

    pub(super) async fn renew(self: &Arc<Self>) -> Result<RedisCredentials, Error> {
        let news = News::from_now_on(self);
        let now = self.now();
        {
            let mut state = self.lock();
            if state.disposed {
                return Err(disposed());
            }
            if let Some(error) = state.failing(now) {
                return Err(error.clone());
            }
            if let Some(valid) = state.valid(now).filter(|_| state.schedule.is_fresh(now)) {
                return Ok(valid.clone());
            }
            state.schedule.hurry();
        }
        self.outcome(news).await
    }

    /// Returns what is known without waiting: valid credentials, or the error that all callers get
    /// while requests keep failing.
    fn at_hand(self: &Arc<Self>) -> Result<Option<RedisCredentials>, Error> {
        let now = self.now();
        let mut state = self.lock();
        if state.disposed {
            return Err(disposed());
        }
        let Some(valid) = state.valid(now).cloned() else {
            return state
                .failing(now)
                .map_or(Ok(None), |error| Err(error.clone()));
        };
        let left = state.left(now);
        if !state.is_running && state.schedule.wait(now, left).is_zero() {
            state.errand = true;
            drop(state);
            manager::start(self);
        }
        Ok(Some(valid))
    }

    /// Waits for the outcome of the next request, its retries included.
    async fn outcome(self: &Arc<Self>, mut news: News) -> Result<RedisCredentials, Error> {
        let _interest = Interest::new(self);
        // The manager may sleep until the end of a token that has ended early by the wall clock.
        self.nudge.notify_one();
        loop {
            // Fails only when the sender is dropped, and `self` owns it.
            let _ = news.board.changed().await;
            let board = news.board.borrow_and_update();
            if board.closed {
                return Err(disposed());
            }
            if board.answers != news.answers
                && let Some(credentials) = self.current()
            {
                return Ok(credentials);
            }
            if board.failures != news.failures
                && let Some(failure) = &board.failure
            {
                return Err(failure.clone());
            }
        }
    }
}

/// The news on the board after this was made. Made before the state is read, so that no news is
/// missed in between.
struct News {
    board: watch::Receiver<Board>,
    answers: u64,
    failures: u64,
}

impl News {
    fn from_now_on(shared: &Shared) -> Self {
        let board = shared.board.subscribe();
        let (answers, failures) = {
            let now = board.borrow();
            (now.answers, now.failures)
        };
        Self {
            board,
            answers,
            failures,
        }
    }
}

pub(super) fn disposed() -> Error {
    Error::new(ErrorKind::Cancelled, NAME, "the provider was disposed")
        .with_help("create a new provider")
}
