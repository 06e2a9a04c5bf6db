//! What clones, subscriptions and the token manager of one provider share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{Platform, TokenCredential, TokenRequest, platform::Reading};

use super::{
    RedisCredentials, RedisObserver, TokenManagerConfig, board::Board, settings::Settings,
    state::ManagerState, watch,
};

pub(super) struct Shared {
    pub(super) credential: Arc<dyn TokenCredential>,
    owns_credential: bool,
    pub(super) request: TokenRequest,
    pub(super) config: TokenManagerConfig,
    pub(super) platform: Platform,
    pub(super) observer: Option<Arc<dyn RedisObserver>>,
    state: Mutex<ManagerState>,
    pub(super) board: watch::Sender<Board>,
    /// Wakes the manager so that it checks the schedule again.
    pub(super) nudge: Notify,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let Settings {
            credential,
            owns_credential,
            request,
            config,
            platform,
            observer,
        } = settings;
        Self {
            credential,
            owns_credential,
            request,
            config,
            platform,
            observer,
            state: Mutex::default(),
            board: watch::Sender::new(Board::default()),
            nudge: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ManagerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Reading {
        Reading::exact(&*self.platform.clock)
    }

    pub(super) fn current(&self) -> Option<RedisCredentials> {
        let now = self.now();
        self.lock().valid(now).cloned()
    }

    /// Ends the manager's task. The token and the schedule are kept.
    pub(super) fn stop(&self) {
        let task = self.lock().end_run();
        drop(task);
    }

    pub(super) fn dispose(&self) {
        let mut state = self.lock();
        let empty = ManagerState {
            disposed: true,
            interested: state.interested,
            ..ManagerState::default()
        };
        let old = std::mem::replace(&mut *state, empty);
        drop(state);
        drop(old);
        self.board.send_modify(|board| {
            *board = Board {
                closed: true,
                ..Board::default()
            };
        });
        if self.owns_credential {
            self.credential.dispose();
        }
    }
}
