//! The Instance Metadata Service of a virtual machine: its requests (MI-10, MI-17, MI-80) and the
//! meaning of its refusals (MI-60 to MI-70).

use url::Url;

use crate::{
    Error, ErrorKind,
    http::{RetryPolicy, identification::identified},
    platform::{HttpRequest, Method, Platform},
};

use super::{
    ManagedIdentityId, NAME,
    service::{Service, asking},
};

/// The variable that replaces the address of the service (MI-19).
pub(super) const AUTHORITY_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

const DEFAULT_HOST: &str = "http://169.254.169.254";
const TOKEN_PATH: &str = "/metadata/identity/oauth2/token";
const API_VERSION: &str = "2018-02-01";

/// The service, by its URL.
#[derive(Debug)]
pub(super) struct Imds(Url);

impl Imds {
    /// The service at `authority`; at its fixed link-local address for `None`.
    ///
    /// # Errors
    /// `Configuration` if `authority` is not the URL of a host.
    pub(super) fn at(authority: Option<&str>) -> Result<Self, Error> {
        // Parsed before the path is added, whose first part would else be the host of `http:`.
        let url = Url::parse(authority.unwrap_or(DEFAULT_HOST)).ok();
        let is_host = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let at_token_path = |mut url: Url| {
            let path = format!("{}{TOKEN_PATH}", url.path().trim_end_matches('/'));
            url.set_path(&path);
            url
        };
        url.filter(is_host)
            .map(at_token_path)
            .map(Self)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    NAME,
                    format!("{AUTHORITY_HOST} is not the URL of a host"),
                )
                .with_help(format!(
                    "unset it, or set it to something like {DEFAULT_HOST}"
                ))
            })
    }
}

impl Service for Imds {
    fn title(&self) -> &'static str {
        "IMDS"
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
        let url = asking(self.0.clone(), API_VERSION, resource, id, "msi_res_id");
        let request = HttpRequest::new(Method::Get, url).header("Metadata", "true");
        identified(request.header("Accept", "application/json"), platform)
    }

    fn secret(&self) -> &str {
        ""
    }

    /// Has no `Metadata` header, so that the service refuses it at once and without work (MI-80).
    fn probe_request(&self, platform: &Platform) -> Option<HttpRequest> {
        let request = HttpRequest::new(Method::Get, self.0.clone());
        let request = request.header("Accept", "application/json");
        Some(identified(request, platform))
    }

    fn judge(&self, status: u16, text: &str, id: &ManagedIdentityId) -> (ErrorKind, &'static str) {
        let mentions = |words: &str| text.to_ascii_lowercase().contains(words);
        let system = *id == ManagedIdentityId::SystemAssigned;
        match status {
            400 if system && mentions("identity not found") => (
                ErrorKind::Unavailable,
                "assign an identity to this host, or name a user-assigned one by its id",
            ),
            400 if mentions("identity not found") => (
                ErrorKind::Failed,
                "assign the identity with this id to this host",
            ),
            403 if mentions("unreachable") => (
                ErrorKind::Unavailable,
                "a proxy answered in place of the metadata service, as Docker Desktop does",
            ),
            404 | 410 | 429 | 500..=599 => (
                ErrorKind::Failed,
                "wait until the metadata service of this host has recovered",
            ),
            401 | 403 => (
                ErrorKind::Failed,
                "check for a policy or a proxy between this host and its metadata service",
            ),
            100..=399 => (
                ErrorKind::Failed,
                "something other than the metadata service may be answering: check proxies",
            ),
            _ => (
                ErrorKind::Failed,
                "check the resource asked for and the identity's id",
            ),
        }
    }

    fn unreached(&self) -> (ErrorKind, &'static str) {
        (
            ErrorKind::Unavailable,
            "check that this is an Azure host and that it can reach its metadata service",
        )
    }

    fn mistrusted(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MI-60 to MI-68, PR-01: the kind decides what a chain does, the help what a person does.
    #[test]
    fn pr_01_what_a_refusal_means_and_what_helps() {
        use ErrorKind::{Failed, Unavailable};
        let imds = Imds::at(None).unwrap();
        let (system, user) = (
            ManagedIdentityId::SystemAssigned,
            ManagedIdentityId::ClientId("c".to_owned()),
        );
        let (lost, unreachable) = ("Identity not found", "an Unreachable network");
        for (status, text, id, kind, help) in [
            (
                400,
                lost,
                &system,
                Unavailable,
                "assign an identity to this host",
            ),
            (400, lost, &user, Failed, "assign the identity with this id"),
            (
                400,
                "invalid_resource",
                &system,
                Failed,
                "check the resource",
            ),
            (400, "invalid_resource", &user, Failed, "check the resource"),
            (403, unreachable, &system, Unavailable, "a proxy answered"),
            (403, lost, &system, Failed, "a policy or a proxy"),
            (401, unreachable, &system, Failed, "a policy or a proxy"),
            (404, lost, &system, Failed, "has recovered"),
            (410, "", &system, Failed, "has recovered"),
            (429, "", &system, Failed, "has recovered"),
            (500, lost, &system, Failed, "has recovered"),
            (599, "", &system, Failed, "has recovered"),
            (
                302,
                "",
                &system,
                Failed,
                "something other than the metadata service",
            ),
            (405, "", &system, Failed, "check the resource"),
        ] {
            let (found, said) = imds.judge(status, text, id);
            assert_eq!(found, kind, "{status} {text}");
            assert!(said.contains(help), "{status} {text}: {said}");
        }
    }

    /// MI-19.
    #[test]
    fn an_authority_is_the_url_of_a_host() {
        for (good, expected) in [
            ("http://proxy", "http://proxy/metadata"),
            ("https://proxy:8080/", "https://proxy:8080/metadata"),
            ("http://[fe80::1]/a//", "http://[fe80::1]/a/metadata"),
        ] {
            let url = Imds::at(Some(good)).unwrap().0;
            assert_eq!(url.as_str(), format!("{expected}/identity/oauth2/token"));
        }
        for bad in [
            "",
            "proxy",
            "ftp://proxy",
            "http:",
            "http://",
            "data:x",
            "http://proxy?x",
            "http://proxy#x",
            "http://user@proxy",
            "http://user:word@proxy",
            "http://:word@proxy",
        ] {
            let error = Imds::at(Some(bad)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{bad}");
            assert!(error.help().unwrap().contains(DEFAULT_HOST));
        }
    }
}
