//! Detects the managed identity service of this host (MI-01, MI-02).

use std::path::Path;

use crate::{Error, ErrorKind, platform::Platform};

use super::{
    ManagedIdentityId, NAME,
    app_service::{self, AppService},
    imds::{self, Imds},
    service::Service,
    service_fabric::{self, ServiceFabric},
    token_exchange,
};

/// The path of the Azure Arc agent, which is used if it has set no variables (MI-30).
const ARC_AGENT: &str = "/opt/azcmagent/bin/himds";
const ARC_AGENT_WINDOWS: &str = r"AzureConnectedMachineAgent\himds.exe";

/// Returns the service that the variables of the host name, in the order of MI-01; IMDS if they
/// name none. An empty variable counts as not set (MI-04).
///
/// The inner error is that of a service which is named and cannot be used. Every request then fails
/// with it. It ends a chain, except in Cloud Shell, where the login of the user is meant (PR-08).
///
/// # Errors
/// `Configuration` when `AZURE_POD_IDENTITY_AUTHORITY_HOST` is not the URL of a host.
pub(super) fn detect(
    platform: &Platform,
    id: &ManagedIdentityId,
) -> Result<Result<Box<dyn Service>, Error>, Error> {
    if let Some(named) = named(platform, id) {
        return Ok(named);
    }
    let authority = platform.environment.non_empty(imds::AUTHORITY_HOST);
    let imds = Imds::at(authority.as_deref())?;
    Ok(Ok(Box::new(imds)))
}

/// Returns the service that the variables name, or why it cannot be used; `None` for IMDS.
fn named(platform: &Platform, id: &ManagedIdentityId) -> Option<Result<Box<dyn Service>, Error>> {
    let var = |name| platform.environment.non_empty(name);
    let set = |name| var(name).is_some();

    let has_client_id = matches!(id, ManagedIdentityId::ClientId(_));
    // As documented: in AKS a federated token takes the place of a managed identity.
    if (has_client_id || set("AZURE_CLIENT_ID"))
        && set("AZURE_TENANT_ID")
        && set("AZURE_FEDERATED_TOKEN_FILE")
    {
        return Some(Err(token_exchange::unnamed()));
    }
    if let (Some(endpoint), Some(header)) = (var(app_service::ENDPOINT), var(app_service::HEADER)) {
        if let Some(thumbprint) = var(service_fabric::THUMBPRINT) {
            let fabric = ServiceFabric::new(&endpoint, header, &thumbprint, id);
            return Some(fabric.map(|fabric| Box::new(fabric) as Box<dyn Service>));
        }
        let app = AppService::new(&endpoint, header);
        return Some(app.map(|app| Box::new(app) as Box<dyn Service>));
    }
    if set("MSI_ENDPOINT") {
        return Some(Err(if set("MSI_SECRET") {
            not_supported("Azure Machine Learning", "MSI_ENDPOINT")
        } else {
            cloud_shell()
        }));
    }
    if set("IDENTITY_ENDPOINT") && set("IMDS_ENDPOINT") {
        return Some(Err(not_supported("Azure Arc", "IDENTITY_ENDPOINT")));
    }
    if has_arc_agent(platform) {
        return Some(Err(not_supported("Azure Arc", "the agent of Azure Arc")));
    }
    if set("IDENTITY_ENDPOINT") {
        tracing::warn!(
            credential = NAME,
            "IDENTITY_ENDPOINT alone names no managed identity service, so it is ignored"
        );
    }
    None
}

/// Returns whether the agent of Azure Arc is installed (MI-30).
fn has_arc_agent(platform: &Platform) -> bool {
    let on_windows = |folder: String| {
        let agent = Path::new(&folder).join(ARC_AGENT_WINDOWS);
        platform.files.exists(&agent)
    };
    platform.files.exists(Path::new(ARC_AGENT))
        || platform
            .environment
            .non_empty("ProgramFiles")
            .is_some_and(on_windows)
}

/// Returns the error of a service that is configured for this host and not usable: a chain must not
/// go on with another identity (PR-08).
fn not_supported(title: &str, named_by: &str) -> Error {
    let message = format!(
        "{title} managed identity is not supported yet, and {named_by} shows that this host has it"
    );
    Error::unusable(NAME, message, "use another credential on this host")
}

fn cloud_shell() -> Error {
    let message = "Cloud Shell managed identity is not supported yet";
    Error::new(ErrorKind::Unavailable, NAME, message)
        .with_help("use another credential on this host")
}
