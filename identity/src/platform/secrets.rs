//! The secret store of the person at this host: Secret Service, Keychain and their kind.

use std::fmt;

use zeroize::Zeroizing;

use super::BoxFuture;

/// Keeps secrets for the user of this host, encrypted at rest.
///
/// The store is another process, which may ask the person, and may hang: each operation takes as
/// long as it takes, and the caller limits its wait. An operation that has begun may go on after
/// its future is dropped.
pub trait Secrets: Send + Sync + 'static {
    /// The secret under `name`; `None` when there is none.
    ///
    /// # Errors
    /// See [`SecretsError`].
    fn get(&self, name: &SecretName) -> BoxFuture<'static, Result<Option<Secret>, SecretsError>>;

    /// Keeps `secret` under `name`, in place of an earlier one: readers see the old one or the new
    /// one.
    ///
    /// # Errors
    /// See [`SecretsError`]. The earlier secret is still there.
    fn set(
        &self,
        name: &SecretName,
        secret: Secret,
    ) -> BoxFuture<'static, Result<(), SecretsError>>;

    /// Removes the secret under `name`, and says whether there was one.
    ///
    /// # Errors
    /// See [`SecretsError`].
    fn delete(&self, name: &SecretName) -> BoxFuture<'static, Result<bool, SecretsError>>;
}

/// What a secret is kept under. A name is not a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SecretName {
    /// The service, or on Windows the target, such as `Microsoft.Developer.IdentityService`.
    pub service: String,
    /// The account within the service.
    pub account: String,
    /// How a Secret Service finds the item, where that is not by the attributes `service` and
    /// `account`: other libraries have schemas of their own (PC-16). Other stores don't look at
    /// it.
    pub secret_service: Option<SecretServiceItem>,
}

impl SecretName {
    /// The name of an account of a service.
    pub fn new(service: impl Into<String>, account: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            account: account.into(),
            secret_service: None,
        }
    }

    /// With another way for a Secret Service to find it.
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
    /// What the person sees.
    pub label: String,
}

/// A secret. It is wiped from memory when it is dropped, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// These bytes are a secret.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret itself.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Why a secret store did not do what it was asked. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsError {
    /// What went wrong, for code.
    pub kind: SecretsErrorKind,
    /// What went wrong, for people.
    pub message: String,
}

/// The kinds of failure of a secret store that a policy tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretsErrorKind {
    /// There is no store on this host, or this build has none.
    NotAvailable,
    /// The store is locked and was not unlocked.
    Locked,
    /// The store, or the person that it asked, refused.
    Refused,
    /// Anything else: the connection broke, the answer made no sense.
    Failed,
}

impl SecretsError {
    /// An error of `kind`.
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
