//! The input of a provider.

use std::sync::Arc;

use crate::{Platform, TokenCredential, TokenRequest};

use super::{RedisObserver, TokenManagerConfig};

/// The input of a provider, from its builder.
pub(super) struct Settings {
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) owns_credential: bool,
    pub(super) request: TokenRequest,
    pub(super) config: TokenManagerConfig,
    pub(super) platform: Platform,
    pub(super) observer: Option<Arc<dyn RedisObserver>>,
}
