//! What a provider is built from.

use std::sync::Arc;

use crate::{Platform, TokenCredential, TokenRequest};

use super::{RedisObserver, TokenManagerConfig};

/// What a provider is built from.
pub(super) struct Settings {
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) owns_credential: bool,
    pub(super) request: TokenRequest,
    pub(super) config: TokenManagerConfig,
    pub(super) platform: Platform,
    pub(super) observer: Option<Arc<dyn RedisObserver>>,
}
