//! The same cases with `azure_identity` as published.

use std::sync::Arc;

use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, Transport},
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use futures_util::FutureExt as _;

use crate::{
    Outcome,
    case::{Case, asking},
    service::{CLIENT, SCOPE, SECRET, Service, TENANT},
};

pub const NAME: &str = "azure_identity (Rust) 1.0.0";
pub const TYPED: &str = "typed, a slice of scopes";

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

/// The cases, each with its token cached.
pub async fn cases(service: &Service) -> Outcome<Vec<Case>> {
    let credential = client_secret(service)?;
    credential.get_token(&[SCOPE], None).await?;
    let shared: Arc<dyn TokenCredential> = credential.clone();
    Ok(vec![
        Case::asking(
            NAME,
            TYPED,
            asking!(credential.get_token(&[SCOPE], None), token => token.token.secret()),
        ),
        Case::asking(
            NAME,
            "dyn TokenCredential, a slice of scopes",
            asking!(shared.get_token(&[SCOPE], None), token => token.token.secret()),
        ),
    ])
}
