//! Our credentials, asked in every way that an application has.

use std::sync::Arc;

use azure_core::credentials::TokenCredential as Theirs;
use credsim_identity::{
    AzureCliCredential, ChainedTokenCredential, ClientSecretCredential, EnvironmentCredential,
    Platform, TokenCredential, TokenRef, TokenRequest, adapters::azure_core::ForAzureCore,
};
use futures_util::FutureExt as _;

use crate::{
    Outcome,
    case::Case,
    service::{CLIENT, SCOPE, SECRET, Service, TENANT},
};

pub const NAME: &str = "credsim-identity";

pub fn client_secret(platform: Platform) -> Outcome<ClientSecretCredential> {
    let builder = ClientSecretCredential::builder(TENANT, CLIENT, SECRET).platform(platform);
    Ok(builder.build()?)
}

pub fn request() -> TokenRequest {
    TokenRequest::new([SCOPE])
}

/// Environment and `az` have nothing to give, so the third answers.
fn chain(service: &Service) -> Outcome<ChainedTokenCredential> {
    let platform = service.platform();
    let no_commands = Platform::new(credsim_identity::platform::Parts {
        clock: platform.clock.clone(),
        http: platform.http.clone(),
        commands: Arc::new(NoCommands),
        environment: platform.environment.clone(),
        files: platform.files.clone(),
        random: platform.random.clone(),
        spawner: platform.spawner.clone(),
        streams: platform.streams.clone(),
    });
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

/// The length of a token that is there at once; zero if none is.
fn length(answer: Option<Result<TokenRef, credsim_identity::Error>>) -> usize {
    answer
        .and_then(Result::ok)
        .map_or(0, |token| token.secret().len())
}

/// All ways, warm. Made inside a runtime.
pub async fn cases(service: &Service) -> Outcome<Vec<Case>> {
    let credential = client_secret(service.platform())?;
    credential.token(&request()).await?;
    let chain = chain(service)?;
    for _ in 0..2 {
        chain.token(&request()).await?;
    }
    let shared: Arc<dyn TokenCredential> = Arc::new(credential.clone());
    let adapted: Arc<dyn Theirs> = Arc::new(ForAzureCore::new(credential.clone()));

    let typed = (credential.clone(), request());
    let unknown = (shared, request());
    let scopes = credential.clone();
    let anew = credential.clone();
    let boxed = (credential, request());
    let chained = (chain, request());
    Ok(vec![
        Case::new(NAME, "typed, a prepared request", move || {
            length(typed.0.token(&typed.1).now_or_never())
        }),
        Case::new(NAME, "dyn TokenCredential, a prepared request", move || {
            length((*unknown.0).token(&unknown.1).now_or_never())
        }),
        Case::new(NAME, "typed, a slice of scopes", move || {
            length(scopes.token_for(&[SCOPE]).now_or_never())
        }),
        Case::new(NAME, "typed, a new request each time", move || {
            length(anew.token(&request()).now_or_never())
        }),
        Case::new(
            NAME,
            "typed, get_token (a boxed future, an owned token)",
            move || {
                let answer = boxed.0.get_token(&boxed.1).now_or_never();
                answer
                    .and_then(Result::ok)
                    .map_or(0, |token| token.secret().len())
            },
        ),
        Case::new(NAME, "a chain of three, the last answers", move || {
            length(chained.0.token(&chained.1).now_or_never())
        }),
        Case::new(NAME, "through the azure-core adapter", move || {
            let answer = adapted.get_token(&[SCOPE], None).now_or_never();
            answer
                .and_then(Result::ok)
                .map_or(0, |token| token.token.secret().len())
        }),
    ])
}
