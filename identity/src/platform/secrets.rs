//! The secret store of the user at this host, such as Secret Service or Keychain.

use std::fmt;

use zeroize::Zeroizing;

use super::BoxFuture;

/// Keeps secrets for the user of this host, encrypted at rest.
///
/// The store is another process, which may ask the user to unlock it, and may hang. Operations have
/// no time limit of their own: callers set one. An operation that has begun may continue after its
/// future is dropped.
pub trait Secrets: Send + Sync + 'static {
    /// Returns the secret with this `name`; `None` if there is none.
    ///
    /// # Errors
    /// See [`SecretsError`].
    fn get(&self, name: &SecretName) -> BoxFuture<'static, Result<Option<Secret>, SecretsError>>;

    /// Stores `secret` under `name`. An earlier one is replaced atomically.
    ///
    /// # Errors
    /// See [`SecretsError`]. The earlier secret is kept then.
    fn set(
        &self,
        name: &SecretName,
        secret: Secret,
    ) -> BoxFuture<'static, Result<(), SecretsError>>;

    /// Removes the secret with this `name`. Returns whether there was one.
    ///
    /// # Errors
    /// See [`SecretsError`].
    fn delete(&self, name: &SecretName) -> BoxFuture<'static, Result<bool, SecretsError>>;
}

/// The name of a secret. It is not secret itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SecretName {
    /// The service, or on Windows the target, such as `Microsoft.Developer.IdentityService`.
    pub service: String,
    /// The account within the service.
    pub account: String,
    /// The attributes by which a Secret Service finds the item, if these are not `service` and
    /// `account`: other libraries use schemas of their own (PC-16). Other stores ignore it.
    /// Default: `None`.
    pub secret_service: Option<SecretServiceItem>,
}

impl SecretName {
    /// Creates the name of an account of a service.
    pub fn new(service: impl Into<String>, account: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            account: account.into(),
            secret_service: None,
        }
    }

    /// Sets the attributes by which a Secret Service finds the secret.
    #[must_use]
    pub fn found_by(self, item: SecretServiceItem) -> Self {
        Self {
            secret_service: Some(item),
            ..self
        }
    }
}

/// An item of a Secret Service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretServiceItem {
    /// The schema, which is the attribute `xdg:schema`.
    pub schema: String,
    /// The other attributes.
    pub attributes: Vec<(String, String)>,
    /// The label that the store shows to the user.
    pub label: String,
}

/// A secret. It is wiped from memory when it is dropped, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Wraps `bytes`.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the bytes of the secret.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A failure of a secret store. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsError {
    /// The kind of the failure.
    pub kind: SecretsErrorKind,
    /// A description of the failure.
    pub message: String,
}

/// The kinds of failure of a secret store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretsErrorKind {
    /// This host has no store, or this build does not support it.
    NotAvailable,
    /// The store is locked and was not unlocked.
    Locked,
    /// The store or the user refused.
    Refused,
    /// Any other failure, such as a broken connection or an answer that cannot be read.
    Failed,
}

impl SecretsError {
    /// Creates an error of `kind`.
    pub fn new(kind: SecretsErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

impl fmt::Display for SecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SecretsError {}
