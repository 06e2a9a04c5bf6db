//! The token endpoint of a Service Fabric cluster: its requests (MI-14), its pinned certificate
//! (MI-20, MI-106) and the meaning of its refusals (MI-64, MI-70).

use url::Url;

use crate::{
    Error, ErrorKind, Secret,
    http::{RetryPolicy, identification::identified},
    platform::{HttpRequest, Method, Platform, Trust},
};

use super::{
    ManagedIdentityId, NAME,
    app_service::{ENDPOINT, HEADER},
    service::{Service, asking},
    variable,
};

/// The variable with the SHA-1 thumbprint of the endpoint's certificate.
pub(super) const THUMBPRINT: &str = "IDENTITY_SERVER_THUMBPRINT";

const API_VERSION: &str = "2019-07-01-preview";

/// The endpoint of one application of a cluster.
#[derive(Debug)]
pub(super) struct ServiceFabric {
    endpoint: Url,
    header: Secret,
    trust: Trust,
}

impl ServiceFabric {
    /// The endpoint that the variables of the host name.
    ///
    /// # Errors
    /// `Configuration` if a value cannot be used or the endpoint is not https, so that its
    /// certificate could not be checked, and if `id` names a user-assigned identity: the cluster
    /// alone decides which identity an application has (MI-14, MI-104, MI-106, PR-08).
    pub(super) fn new(
        endpoint: &str,
        header: String,
        thumbprint: &str,
        id: &ManagedIdentityId,
    ) -> Result<Self, Error> {
        if *id != ManagedIdentityId::SystemAssigned {
            let message = "Service Fabric takes no id of a managed identity".to_owned();
            let help = "give no client_id, object_id or resource_id, and unset AZURE_CLIENT_ID in \
                        a default chain: the application manifest names the identity";
            return Err(Error::unusable(NAME, message, help));
        }
        let endpoint = variable::endpoint(ENDPOINT, endpoint)?;
        if endpoint.scheme() != "https" {
            let message = format!("{ENDPOINT} is not an https URL, and {THUMBPRINT} is set");
            let help = format!("leave {ENDPOINT} and {THUMBPRINT} as Service Fabric sets them");
            return Err(Error::unusable(NAME, message, &help));
        }
        let header = variable::header(HEADER, header)?;
        let trust = variable::thumbprint(THUMBPRINT, thumbprint)?;
        Ok(Self {
            endpoint,
            header,
            trust,
        })
    }
}

impl Service for ServiceFabric {
    fn title(&self) -> &'static str {
        "Service Fabric"
    }

    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::service_fabric()
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
        let mut request = HttpRequest::new(Method::Get, url)
            .header("Secret", self.header.expose())
            .header("Accept", "application/json");
        request.trust = self.trust.clone();
        identified(request, platform)
    }

    fn secret(&self) -> &str {
        self.header.expose()
    }

    fn probe_request(&self, _: &Platform) -> Option<HttpRequest> {
        None
    }

    fn judge(&self, status: u16, text: &str, _: &ManagedIdentityId) -> (ErrorKind, &'static str) {
        let help = match status {
            404 => "assign an identity to the application in its manifest and deploy it again",
            401 | 403 => "check that IDENTITY_HEADER is what Service Fabric has set",
            400 if text.contains("SecretHeaderNotFound") => {
                "check that IDENTITY_HEADER is what Service Fabric has set, and that no proxy \
                 removes headers"
            }
            410 | 429 | 500..=599 => "wait until the cluster's token service has recovered",
            100..=399 => {
                "something other than the cluster's token service may be answering: check proxies"
            }
            _ => "check the resource asked for and the version of the cluster",
        };
        (ErrorKind::Failed, help)
    }

    /// The platform has named the endpoint, so that a silent one is no reason for a chain to go on
    /// with another identity (PR-08).
    fn unreached(&self) -> (ErrorKind, &'static str) {
        (
            ErrorKind::Failed,
            "check that the process runs inside the cluster, and that the cluster's managed \
             identity token service runs",
        )
    }

    fn mistrusted(&self) -> Option<&'static str> {
        Some(
            "nothing was sent. Restart the service, so that it gets the thumbprint of the present \
             certificate; if that does not help, something else answers in place of the cluster",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00:0d:1A:27:34:41:4e:5b:68:75:82:8f:9c:a9:b6:c3:d0:dd:ea:f7";
    const URL: &str = "https://localhost:2377/metadata/identity/oauth2/token";

    fn new(endpoint: &str, header: &str, thumbprint: &str) -> Result<ServiceFabric, Error> {
        let id = ManagedIdentityId::SystemAssigned;
        ServiceFabric::new(endpoint, header.to_owned(), thumbprint, &id)
    }

    /// MI-70, PR-01, PR-08: nothing that the endpoint says leads a chain on.
    #[test]
    fn pr_08_whatever_it_refuses_is_a_failure_with_advice() {
        let fabric = new(URL, "h", GOOD).unwrap();
        for (status, text, help) in [
            (400, "SecretHeaderNotFound", "IDENTITY_HEADER"),
            (400, "ArgumentNullOrEmpty", "the resource asked for"),
            (401, "", "IDENTITY_HEADER"),
            (404, "ManagedIdentityNotFound", "in its manifest"),
            (410, "", "has recovered"),
            (429, "", "has recovered"),
            (500, "InternalServerError", "has recovered"),
            (302, "", "check proxies"),
        ] {
            let (kind, said) = fabric.judge(status, text, &ManagedIdentityId::SystemAssigned);
            assert_eq!(kind, ErrorKind::Failed, "{status} {text}");
            assert!(said.contains(help), "{status} {text}: {said}");
        }
        assert_eq!(fabric.unreached().0, ErrorKind::Failed);
    }

    /// MI-106, MI-104: each value that cannot be used is named, and not shown.
    #[test]
    fn mi_106_what_cannot_be_pinned_is_refused() {
        for (endpoint, header, thumbprint, named) in [
            ("http://localhost:2377/token", "h", GOOD, ENDPOINT),
            ("localhost:2377/token", "h", GOOD, ENDPOINT),
            (URL, "h\n", GOOD, HEADER),
            (URL, "h", "k3y", THUMBPRINT),
            (URL, "h", &GOOD[1..], THUMBPRINT),
        ] {
            let error = new(endpoint, header, thumbprint).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.message().starts_with(named), "{error}");
            assert!(!error.to_string().contains("k3y"), "{error}");
        }
    }

    proptest::proptest! {
        /// MI-106: no values lead to a request without a pinned certificate over https.
        #[test]
        fn mi_106_every_request_is_pinned(
            scheme in "https?", thumbprint in "([0-9a-fA-F]{2}[: ]?){19,21}",
        ) {
            let fabric = new(&format!("{scheme}://localhost:2377/token"), "h", &thumbprint);
            if let Ok(fabric) = fabric {
                proptest::prop_assert_eq!(fabric.endpoint.scheme(), "https");
                proptest::prop_assert_eq!(Ok(fabric.trust), Trust::thumbprint(&thumbprint));
            }
        }
    }
}
