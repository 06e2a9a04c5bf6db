//! Which managed identity service this host offers (MI-01, MI-02).

use std::path::Path;

use crate::platform::Platform;

use super::imds::AUTHORITY_HOST;

/// Where the Azure Arc agent lies when it set no variables (MI-30).
const ARC_AGENT: &str = "/opt/azcmagent/bin/himds";
const ARC_AGENT_WINDOWS: &str = r"AzureConnectedMachineAgent\himds.exe";

/// A service that hands out tokens of managed identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    TokenExchange,
    ServiceFabric,
    AppService,
    MachineLearning,
    CloudShell,
    AzureArc,
    /// The Instance Metadata Service, at its fixed address or at the one given by
    /// `AZURE_POD_IDENTITY_AUTHORITY_HOST` (MI-19).
    Imds {
        authority: Option<String>,
    },
}

impl Source {
    /// The first source whose variables are there, in the order of MI-01. An empty variable counts
    /// as not set, everywhere (MI-04 shows what happens otherwise).
    pub(super) fn detect(platform: &Platform, has_client_id: bool) -> Self {
        let var = |name| {
            platform
                .environment
                .var(name)
                .filter(|value| !value.is_empty())
        };
        let set = |name| var(name).is_some();

        // The documented meaning: a federated token stands in for a managed identity in AKS.
        if (has_client_id || set("AZURE_CLIENT_ID"))
            && set("AZURE_TENANT_ID")
            && set("AZURE_FEDERATED_TOKEN_FILE")
        {
            return Self::TokenExchange;
        }
        if set("IDENTITY_ENDPOINT") && set("IDENTITY_HEADER") {
            return if set("IDENTITY_SERVER_THUMBPRINT") {
                Self::ServiceFabric
            } else {
                Self::AppService
            };
        }
        if set("MSI_ENDPOINT") {
            return if set("MSI_SECRET") {
                Self::MachineLearning
            } else {
                Self::CloudShell
            };
        }
        let arc_agent = platform.files.exists(Path::new(ARC_AGENT))
            || var("ProgramFiles").is_some_and(|folder| {
                platform
                    .files
                    .exists(&Path::new(&folder).join(ARC_AGENT_WINDOWS))
            });
        if set("IDENTITY_ENDPOINT") && set("IMDS_ENDPOINT") || arc_agent {
            return Self::AzureArc;
        }
        Self::Imds {
            authority: var(AUTHORITY_HOST),
        }
    }

    /// Whether this crate can ask it.
    pub(super) fn is_supported(&self) -> bool {
        matches!(self, Self::Imds { .. })
    }

    /// Its name in documentation.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::TokenExchange => "token exchange",
            Self::ServiceFabric => "Service Fabric",
            Self::AppService => "App Service",
            Self::MachineLearning => "Azure Machine Learning",
            Self::CloudShell => "Cloud Shell",
            Self::AzureArc => "Azure Arc",
            Self::Imds { .. } => "IMDS",
        }
    }
}
