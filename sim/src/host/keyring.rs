//! The secret store of a simulated host, in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use credsim_identity::platform::{
    BoxFuture, Secret, SecretName, Secrets, SecretsError, SecretsErrorKind,
};

/// How a secret store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyringState {
    /// It does what it is asked.
    #[default]
    Open,
    /// There is none.
    Missing,
    /// It is locked, and nobody unlocks it.
    Locked,
    /// It refuses everything.
    Refusing,
    /// It answers nothing.
    Hanging,
}

/// The secret store of a host. Clones are the same store.
#[derive(Clone, Default)]
pub struct Keyring(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    state: KeyringState,
    secrets: BTreeMap<SecretName, Secret>,
}

impl Keyring {
    /// From now on the store is like this; its secrets stay.
    pub fn set_state(&self, state: KeyringState) {
        self.lock().state = state;
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked<T: Send + 'static>(
        &self,
        name: &SecretName,
        work: impl FnOnce(&mut BTreeMap<SecretName, Secret>, SecretName) -> T + Send + 'static,
    ) -> BoxFuture<'static, Result<T, SecretsError>> {
        let (keyring, name) = (self.clone(), name.clone());
        let refused = |kind, why: &str| Err(SecretsError::new(kind, why));
        Box::pin(async move {
            // Not held across the wait.
            let state = keyring.lock().state;
            match state {
                KeyringState::Open => Ok(work(&mut keyring.lock().secrets, name)),
                KeyringState::Missing => refused(
                    SecretsErrorKind::NotAvailable,
                    "there is no secret store on this host",
                ),
                KeyringState::Locked => {
                    refused(SecretsErrorKind::Locked, "the secret store is locked")
                }
                KeyringState::Refusing => {
                    refused(SecretsErrorKind::Refused, "the secret store refuses")
                }
                KeyringState::Hanging => std::future::pending().await,
            }
        })
    }
}

impl Secrets for Keyring {
    fn get(&self, name: &SecretName) -> BoxFuture<'static, Result<Option<Secret>, SecretsError>> {
        self.asked(name, |secrets, name| secrets.get(&name).cloned())
    }

    fn set(
        &self,
        name: &SecretName,
        secret: Secret,
    ) -> BoxFuture<'static, Result<(), SecretsError>> {
        self.asked(name, |secrets, name| {
            secrets.insert(name, secret);
        })
    }

    fn delete(&self, name: &SecretName) -> BoxFuture<'static, Result<bool, SecretsError>> {
        self.asked(name, |secrets, name| secrets.remove(&name).is_some())
    }
}
