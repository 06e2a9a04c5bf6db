//! Detects the managed identity service of this host (MI-01, MI-02).

use std::path::Path;

use crate::{Error, ErrorKind, platform::Platform};

use super::{
    NAME,
    imds::{self, Imds},
    service::Service,
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
    has_client_id: bool,
) -> Result<Result<Box<dyn Service>, Error>, Error> {
    if let Some(reason) = unusable(platform, has_client_id) {
        return Ok(Err(reason));
    }
    let authority = platform.environment.non_empty(imds::AUTHORITY_HOST);
    let imds = Imds::at(authority.as_deref())?;
    Ok(Ok(Box::new(imds)))
}

/// Returns the error of a service that the variables name and that cannot be used; `None` for IMDS.
fn unusable(platform: &Platform, has_client_id: bool) -> Option<Error> {
    let var = |name| platform.environment.non_empty(name);
    let set = |name| var(name).is_some();

    // As documented: in AKS a federated token takes the place of a managed identity.
    if (has_client_id || set("AZURE_CLIENT_ID"))
        && set("AZURE_TENANT_ID")
        && set("AZURE_FEDERATED_TOKEN_FILE")
    {
        return Some(not_supported(
            "token exchange",
            "AZURE_FEDERATED_TOKEN_FILE",
        ));
    }
    if set("IDENTITY_ENDPOINT") && set("IDENTITY_HEADER") {
        return Some(if set("IDENTITY_SERVER_THUMBPRINT") {
            not_supported("Service Fabric", "IDENTITY_SERVER_THUMBPRINT")
        } else {
            not_supported("App Service", "IDENTITY_ENDPOINT")
        });
    }
    if set("MSI_ENDPOINT") {
        return Some(if set("MSI_SECRET") {
            not_supported("Azure Machine Learning", "MSI_ENDPOINT")
        } else {
            cloud_shell()
        });
    }
    if set("IDENTITY_ENDPOINT") && set("IMDS_ENDPOINT") {
        return Some(not_supported("Azure Arc", "IDENTITY_ENDPOINT"));
    }
    let arc_agent = platform.files.exists(Path::new(ARC_AGENT))
        || var("ProgramFiles").is_some_and(|folder| {
            let agent = Path::new(&folder).join(ARC_AGENT_WINDOWS);
            platform.files.exists(&agent)
        });
    if arc_agent {
        return Some(not_supported("Azure Arc", "the agent of Azure Arc"));
    }
    if set("IDENTITY_ENDPOINT") {
        tracing::warn!(
            credential = NAME,
            "IDENTITY_ENDPOINT alone names no managed identity service, so it is ignored"
        );
    }
    None
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
