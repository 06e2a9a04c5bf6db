//! From process start to the first token, with our credentials: `first-token KIND`, the counterpart
//! of `peers/javascript/first.mjs` and `peers/python/first.py`. The runner of the peers measures
//! the time.

use std::{env, process::ExitCode};

use credsim_identity::{
    ClientSecretCredential, ManagedIdentityCredential, TokenCredentialExt as _, TokenRef,
    TokenRequest,
};

/// The ids and the secret of the other scripts.
const TENANT: &str = "22222222-0000-0000-0000-000000000001";
const CLIENT: &str = "11111111-0000-0000-0000-000000000001";
const SECRET: &str = "a-secret-of-the-benches";
const SCOPE: &str = "https://vault.azure.net/.default";

/// Without these variables the real services would be asked.
const PLACES: [&str; 2] = ["AZURE_AUTHORITY_HOST", "AZURE_POD_IDENTITY_AUTHORITY_HOST"];

fn main() -> ExitCode {
    let kind = env::args().nth(1).unwrap_or_default();
    match run(&kind) {
        Ok(token) => {
            println!(
                "{}",
                serde_json::json!({ "used": !token.secret().is_empty() })
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("first-token: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(kind: &str) -> Result<TokenRef, String> {
    for name in PLACES {
        #[expect(clippy::disallowed_methods, reason = "it is started by the runner")]
        let place = env::var(name).unwrap_or_default();
        let url = url::Url::parse(&place).ok();
        if url.as_ref().and_then(url::Url::host_str) != Some("127.0.0.1") {
            return Err(format!(
                "{name} does not lead to 127.0.0.1; benches/peers/run sets it"
            ));
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let request = TokenRequest::new([SCOPE]);
        let token = match kind {
            "client-secret" => {
                let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET).build();
                let credential = credential.map_err(|error| error.to_string())?;
                credential.token(&request).await
            }
            "managed-identity" => {
                let credential = ManagedIdentityCredential::builder().build();
                let credential = credential.map_err(|error| error.to_string())?;
                credential.token(&request).await
            }
            other => {
                return Err(format!(
                    "there is no {other:?}; expected client-secret or managed-identity"
                ));
            }
        };
        token.map_err(|error| error.to_string())
    })
}
