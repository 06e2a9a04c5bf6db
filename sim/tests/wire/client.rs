//! The calls of a case, made with our library on this machine.

use std::{env, sync::Arc};

use credsim_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, AzurePipelinesCredential,
    AzurePowerShellCredential, ClientSecretCredential, DefaultAzureCredential,
    EnvironmentCredential, Error, ManagedIdentityCredential, Platform, TokenCredential,
    TokenRequest, WorkloadIdentityCredential, adapters::reqwest::ReqwestClient,
};
use reqwest::Proxy;
use serde_json::Value;

use super::cases::{Case, Options, text};

/// Makes the calls one after the other. A call that fails does not stop the next one.
pub fn run(case: &Case) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let credential = build(case).unwrap();
        for call in &case.calls {
            if let Err(error) = credential.get_token(&request(call)).await {
                eprintln!("{}: {error}", case.case);
            }
        }
    });
}

/// The platform of this machine, whose requests go through the proxy of the served world. The
/// world's certificate authority is trusted because `SSL_CERT_FILE` names it.
fn platform() -> Platform {
    let proxy = env::var("HTTPS_PROXY").expect("this runs in a served world");
    let http = ReqwestClient::customized(move |builder| builder.proxy(Proxy::all(&proxy).unwrap()));
    let mut platform = Platform::system();
    platform.http = Arc::new(http);
    platform
}

fn build(case: &Case) -> Result<Arc<dyn TokenCredential>, Error> {
    let platform = platform();
    let mut options = Options::last_of(&case.arguments);
    let argument = |at: usize| text(&case.arguments[at]);
    /// Applies the options of the case to a builder.
    macro_rules! built {
        ($builder:expr $(, $option:literal => $method:ident)*) => {{
            let builder = $builder.platform(platform);
            $(let builder = match options.text($option) {
                Some(value) => builder.$method(value),
                None => builder,
            };)*
            options.end();
            Arc::new(builder.build()?)
        }};
    }
    Ok(match &*case.credential {
        "ManagedIdentityCredential" => built!(
            ManagedIdentityCredential::builder(),
            "clientId" => client_id,
            "objectId" => object_id,
            "resourceId" => resource_id
        ),
        "DefaultAzureCredential" => built!(
            DefaultAzureCredential::builder(),
            "managedIdentityClientId" => managed_identity_client_id
        ),
        "ClientSecretCredential" => {
            let builder = ClientSecretCredential::builder(argument(0), argument(1), argument(2));
            let allowed = options.take("additionallyAllowedTenants");
            let allowed = allowed.and_then(|all| all.as_array().cloned());
            let allowed = allowed.unwrap_or_default();
            built!(builder.additionally_allowed_tenants(allowed.iter().map(text)))
        }
        "WorkloadIdentityCredential" => built!(WorkloadIdentityCredential::builder()),
        "AzurePipelinesCredential" => built!(AzurePipelinesCredential::builder(
            argument(0),
            argument(1),
            argument(2),
            argument(3)
        )),
        "EnvironmentCredential" => built!(EnvironmentCredential::builder()),
        "AzureCliCredential" => built!(
            AzureCliCredential::builder(),
            "tenantId" => tenant_id,
            "subscription" => subscription
        ),
        "AzureDeveloperCliCredential" => built!(
            AzureDeveloperCliCredential::builder(),
            "tenantId" => tenant_id
        ),
        "AzurePowerShellCredential" => built!(
            AzurePowerShellCredential::builder(),
            "tenantId" => tenant_id
        ),
        other => panic!("what is {other}?"),
    })
}

fn request(call: &[Value]) -> TokenRequest {
    let scopes = call[0].as_array().expect("scopes");
    let mut request = TokenRequest::new(scopes.iter().map(text));
    let mut options = Options::last_of(call);
    if let Some(tenant) = options.text("tenantId") {
        request = request.with_tenant(tenant);
    }
    if let Some(claims) = options.text("claims") {
        request = request.with_claims(claims);
    }
    if let Some(enabled) = options.take("enableCae") {
        request = request.with_cae(enabled == true);
    }
    options.end();
    request
}
