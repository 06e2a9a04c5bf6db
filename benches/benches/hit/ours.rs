//! The cases of `identity`: every way in which an application can get a token.

use std::sync::Arc;

use azure_core::credentials::TokenCredential as Theirs;
use credsim_identity::{
    AzureCliCredential, ChainedTokenCredential, ClientSecretCredential, EnvironmentCredential,
    Platform, TokenCredential, TokenCredentialExt as _, TokenRequest,
    adapters::azure_core::ForAzureCore,
};
use futures_util::FutureExt as _;

use crate::{
    Outcome,
    case::{Case, asking},
    service::{CLIENT, SCOPE, SECRET, Service, TENANT},
};

pub const NAME: &str = "credsim-identity";
/// What the cases are called that others ask for by name.
pub const PREPARED: &str = "typed, a prepared request";
pub const NEW: &str = "typed, a new request each time";
pub const ADAPTER: &str = "through the azure-core adapter";

pub fn client_secret(platform: Platform) -> Outcome<ClientSecretCredential> {
    let builder = ClientSecretCredential::builder(TENANT, CLIENT, SECRET).platform(platform);
    Ok(builder.build()?)
}

pub fn request() -> TokenRequest {
    TokenRequest::new([SCOPE])
}

/// Environment and `az` are unavailable, so the third member answers.
fn chain(service: &Service) -> Outcome<ChainedTokenCredential> {
    let platform = service.platform();
    let mut no_commands = platform.clone();
    no_commands.commands = Arc::new(NoCommands);
    let environment = EnvironmentCredential::builder().platform(no_commands.clone());
    let az = AzureCliCredential::builder().platform(no_commands);
    Ok(ChainedTokenCredential::builder()
        .platform(platform.clone())
        .credential(environment.build()?)
        .credential(az.build()?)
        .credential(client_secret(platform)?)
        .build()?)
}

struct NoCommands;

impl credsim_identity::platform::CommandRunner for NoCommands {
    fn run(
        &self,
        _: credsim_identity::platform::Command,
    ) -> credsim_identity::platform::BoxFuture<
        'static,
        Result<credsim_identity::platform::CommandOutput, credsim_identity::platform::CommandError>,
    > {
        Box::pin(async { Err(credsim_identity::platform::CommandError::NotFound) })
    }
}

/// All cases, each with its token cached. Must be called inside a runtime.
pub async fn cases(service: &Service) -> Outcome<Vec<Case>> {
    let credential = client_secret(service.platform())?;
    credential.token(&request()).await?;
    let chain = chain(service)?;
    for _ in 0..2 {
        chain.token(&request()).await?;
    }
    let shared: Arc<dyn TokenCredential> = Arc::new(credential.clone());
    let adapted: Arc<dyn Theirs> = Arc::new(ForAzureCore::new(credential.clone()));

    let plain = (credential.clone(), request());
    let typed = (credential.clone(), request());
    let unknown = (shared, request());
    let anew = credential.clone();
    let boxed = (credential, request());
    let chained = (chain, request());
    Ok(vec![
        Case::new(NAME, "typed, hit(), a prepared request", move || {
            let hit = plain.0.hit(&plain.1);
            hit.map_or(0, |token| token.secret().len())
        }),
        Case::asking(
            NAME,
            PREPARED,
            asking!(typed.0.token(&typed.1), token => token.secret()),
        ),
        Case::asking(
            NAME,
            "dyn TokenCredential, a prepared request",
            asking!(unknown.0.token(&unknown.1), token => token.secret()),
        ),
        Case::asking(
            NAME,
            NEW,
            asking!(anew.token(&request()), token => token.secret()),
        ),
        Case::asking(
            NAME,
            "typed, get_token (a boxed future, an owned token)",
            asking!(boxed.0.get_token(&boxed.1), token => token.secret()),
        ),
        Case::asking(
            NAME,
            "a chain of three, the last answers",
            asking!(chained.0.token(&chained.1), token => token.secret()),
        ),
        Case::asking(
            NAME,
            ADAPTER,
            asking!(adapted.get_token(&[SCOPE], None), token => token.token.secret()),
        ),
    ])
}
