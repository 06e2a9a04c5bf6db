//! The secret store of the real machine, which no build supports yet.

use crate::platform::{BoxFuture, Secret, SecretName, Secrets, SecretsError, SecretsErrorKind};

pub(super) struct SystemSecrets;

fn none<T: Send + 'static>() -> BoxFuture<'static, Result<T, SecretsError>> {
    Box::pin(async {
        Err(SecretsError::new(
            SecretsErrorKind::NotAvailable,
            "this build of credsim-identity knows no secret store: give the platform one",
        ))
    })
}

impl Secrets for SystemSecrets {
    fn get(&self, _: &SecretName) -> BoxFuture<'static, Result<Option<Secret>, SecretsError>> {
        none()
    }

    fn set(&self, _: &SecretName, _: Secret) -> BoxFuture<'static, Result<(), SecretsError>> {
        none()
    }

    fn delete(&self, _: &SecretName) -> BoxFuture<'static, Result<bool, SecretsError>> {
        none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_operation_fails_without_a_store() {
        let name = SecretName::new("service", "account");
        let got = SystemSecrets.get(&name).await.map(|_| ());
        let secret = Secret::new(b"s3cret".to_vec());
        assert_eq!(format!("{secret:?}"), "Secret");
        let set = SystemSecrets.set(&name, secret).await;
        let deleted = SystemSecrets.delete(&name).await.map(|_| ());
        for result in [got, set, deleted] {
            let error = result.expect_err("no store");
            assert_eq!(error.kind, SecretsErrorKind::NotAvailable);
            assert!(error.message.contains("no secret store"), "{error}");
        }
    }
}
