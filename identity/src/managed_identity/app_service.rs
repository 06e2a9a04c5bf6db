//! The token endpoint of App Service and Functions: its requests (MI-11) and the meaning of its
//! refusals (MI-69).

use url::Url;

use crate::{
    Error, ErrorKind, Secret,
    http::{RetryPolicy, identification::identified},
    platform::{HttpRequest, Method, Platform},
};

use super::{
    ManagedIdentityId,
    service::{Service, asking},
    variable,
};

/// The variable with the URL of the endpoint.
pub(super) const ENDPOINT: &str = "IDENTITY_ENDPOINT";
/// The variable with the value that requests must repeat, by which the endpoint knows the app.
pub(super) const HEADER: &str = "IDENTITY_HEADER";

const API_VERSION: &str = "2019-08-01";

/// The endpoint of one app.
#[derive(Debug)]
pub(super) struct AppService {
    endpoint: Url,
    header: Secret,
}

impl AppService {
    /// The endpoint that the variables of the host name.
    ///
    /// # Errors
    /// `Configuration` if a value cannot be used (MI-104, PR-08).
    pub(super) fn new(endpoint: &str, header: String) -> Result<Self, Error> {
        let endpoint = variable::endpoint(ENDPOINT, endpoint)?;
        let header = variable::header(HEADER, header)?;
        Ok(Self { endpoint, header })
    }
}

impl Service for AppService {
    fn title(&self) -> &'static str {
        "App Service"
    }

    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::managed_identity()
    }

    fn token_request(
        &self,
        platform: &Platform,
        resource: &str,
        id: &ManagedIdentityId,
    ) -> HttpRequest {
        let url = asking(
            self.endpoint.clone(),
            API_VERSION,
            resource,
            id,
            "mi_res_id",
        );
        let request = HttpRequest::new(Method::Get, url)
            .header("X-IDENTITY-HEADER", self.header.expose())
            .header("Accept", "application/json");
        identified(request, platform)
    }

    fn secret(&self) -> &str {
        self.header.expose()
    }

    fn probe_request(&self, _: &Platform) -> Option<HttpRequest> {
        None
    }

    fn judge(&self, status: u16, text: &str, id: &ManagedIdentityId) -> (ErrorKind, &'static str) {
        let unknown = text
            .to_ascii_lowercase()
            .contains("no managed identity found");
        let help = match status {
            400 if unknown && *id == ManagedIdentityId::SystemAssigned => {
                "turn on the app's system-assigned identity, or name a user-assigned one by its id"
            }
            400 if unknown => "assign the identity with this id to this app",
            401 | 403 => {
                "check that IDENTITY_HEADER is what the platform has set for this instance of the app"
            }
            404 | 410 | 429 | 500..=599 => "wait until the app's token endpoint has recovered",
            100..=399 => {
                "something other than the app's token endpoint may be answering: check proxies"
            }
            _ => "check the resource asked for and the identity's id",
        };
        (ErrorKind::Failed, help)
    }

    /// The platform has named the endpoint, so that a silent one is no reason for a chain to go on
    /// with another identity (PR-08).
    fn unreached(&self) -> (ErrorKind, &'static str) {
        (
            ErrorKind::Failed,
            "check that the process runs inside the app, and restart the app if it does",
        )
    }

    fn mistrusted(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MI-69, PR-01, PR-08: nothing that the endpoint says leads a chain on.
    #[test]
    fn pr_08_whatever_it_refuses_is_a_failure_with_advice() {
        let app = AppService::new("http://169.254.130.4:8081/msi/token", "h".to_owned()).unwrap();
        let (system, user) = (
            ManagedIdentityId::SystemAssigned,
            ManagedIdentityId::ClientId("c".to_owned()),
        );
        let unknown = "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
        for (status, text, id, help) in [
            (400, unknown, &system, "turn on the app's system-assigned"),
            (400, unknown, &user, "assign the identity with this id"),
            (400, "bad resource", &user, "check the resource"),
            (401, unknown, &system, "check that IDENTITY_HEADER"),
            (403, "unreachable", &system, "check that IDENTITY_HEADER"),
            (404, unknown, &system, "has recovered"),
            (429, "", &system, "has recovered"),
            (500, "", &system, "has recovered"),
            (302, "", &system, "check proxies"),
        ] {
            let (kind, said) = app.judge(status, text, id);
            assert_eq!(kind, ErrorKind::Failed, "{status} {text}");
            assert!(said.contains(help), "{status} {text}: {said}");
        }
        assert_eq!(app.unreached().0, ErrorKind::Failed);
    }
}
