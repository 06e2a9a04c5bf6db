//! Interest in a token keeps the token manager running.

use std::sync::Arc;

use super::{manager, shared::Shared};

/// A subscription or a waiting caller. The token manager runs while one exists.
pub(super) struct Interest(Arc<Shared>);

impl Interest {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.lock().interested += 1;
        manager::start(shared);
        Self(Arc::clone(shared))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.interested -= 1;
        let task = if state.is_wanted() {
            None
        } else {
            state.end_run()
        };
        drop(state);
        drop(task);
    }
}
