//! The token endpoint of Azure Pipelines (CLI-43, CLI-44).

use url::Url;

use super::{
    Assertions,
    oidc::{self, Endpoint},
};
use crate::{
    Error, RetryOptions, Secret,
    platform::{BoxFuture, HttpRequest, Method, Platform},
};

/// The variable with the URL of the endpoint, which Pipelines sets in each job.
pub(crate) const URI: &str = "SYSTEM_OIDCREQUESTURI";

const API_VERSION: &str = "7.1";

/// The endpoint, as one service connection asks it. Each call gets a new assertion: Pipelines gives
/// one out for a few minutes.
#[derive(Debug)]
pub(crate) struct Pipelines {
    url: Url,
    system_access_token: Secret,
    endpoint: Endpoint,
}

impl Pipelines {
    /// # Errors
    /// `Configuration` if a value cannot be used (PR-08).
    pub(crate) fn new(
        credential: &'static str,
        uri: &str,
        service_connection_id: &str,
        system_access_token: &Secret,
        retry: &RetryOptions,
        platform: &Platform,
    ) -> Result<Self, Error> {
        let mut url = oidc::endpoint(credential, URI, uri)?;
        if service_connection_id.trim().is_empty() {
            return Err(Error::unusable(
                credential,
                "the service connection id is empty".to_owned(),
                "give the id of the service connection: it stands in the address of its page",
            ));
        }
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION)
            .append_pair("serviceConnectionId", service_connection_id.trim());
        let token = system_access_token.expose();
        Ok(Self {
            url,
            system_access_token: oidc::bearer(credential, "the system access token", token)?,
            endpoint: Endpoint {
                credential,
                title: "Azure Pipelines",
                field: "oidcToken",
                request_ids: &["x-vss-e2eid", "x-msedge-ref"],
                help: "map System.AccessToken to a variable of this step, and check that the job \
                       has not ended and may use the service connection",
                policy: oidc::policy(retry),
                platform: platform.clone(),
            },
        })
    }
}

impl Assertions for Pipelines {
    fn assertion(&self) -> BoxFuture<'_, Result<Secret, Error>> {
        // HTTP clients leave the length of an empty body out, and some front ends answer 411 then.
        let request = HttpRequest::new(Method::Post, self.url.clone())
            .header("Content-Length", "0")
            .header("Content-Type", "application/json")
            .header("X-TFS-FedAuthRedirect", "Suppress");
        Box::pin(self.endpoint.ask(request, &self.system_access_token))
    }

    /// Each assertion is new.
    fn may_have_a_newer_one(&self) -> bool {
        false
    }
}
