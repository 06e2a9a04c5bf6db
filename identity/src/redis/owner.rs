//! The owner of a provider's background work.

use std::sync::Arc;

use super::shared::Shared;

/// Ends the background work when the last of its clones goes.
pub(super) struct Owner {
    pub(super) shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.stop();
    }
}
