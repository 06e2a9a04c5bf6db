//! The owner of a provider's background work.

use std::sync::Arc;

use super::shared::Shared;

/// Ends the background work of a provider when it is dropped, which is with the last clone of the
/// provider and the last subscription.
pub(super) struct Owner {
    pub(super) shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.stop();
    }
}
