//! `azure_identity` as published, asked for the same.

use std::sync::Arc;

use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, Transport},
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use futures_util::FutureExt as _;

use crate::{
    Outcome,
    case::Case,
    service::{CLIENT, SCOPE, SECRET, Service, TENANT},
};

pub const NAME: &str = "azure_identity (Rust) 1.0.0";

pub fn client_secret(service: &Service) -> Outcome<Arc<ClientSecretCredential>> {
    let options = ClientSecretCredentialOptions {
        client_options: ClientOptions {
            transport: Some(Transport::new(Arc::new(service.clone()))),
            ..ClientOptions::default()
        },
    };
    let secret = SECRET.to_owned();
    Ok(ClientSecretCredential::new(
        TENANT,
        CLIENT.to_owned(),
        secret.into(),
        Some(options),
    )?)
}

/// Warm.
pub async fn cases(service: &Service) -> Outcome<Vec<Case>> {
    let credential = client_secret(service)?;
    credential.get_token(&[SCOPE], None).await?;
    let shared: Arc<dyn TokenCredential> = credential.clone();
    Ok(vec![
        Case::new(NAME, "typed, a slice of scopes", move || {
            let answer = credential.get_token(&[SCOPE], None).now_or_never();
            answer
                .and_then(Result::ok)
                .map_or(0, |token| token.token.secret().len())
        }),
        Case::new(NAME, "dyn TokenCredential, a slice of scopes", move || {
            let answer = shared.get_token(&[SCOPE], None).now_or_never();
            answer
                .and_then(Result::ok)
                .map_or(0, |token| token.token.secret().len())
        }),
    ])
}
