//! The token endpoint of GitHub Actions (GH-01, GH-02).

use url::Url;

use super::{
    Assertions,
    oidc::{self, Endpoint},
};
use crate::{
    Error, RetryOptions, Secret,
    platform::{BoxFuture, HttpRequest, Method, Platform},
};

/// The variable with the URL of the endpoint, which GitHub sets in jobs that may ask for tokens.
pub(crate) const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
/// The variable with the token that authorises requests.
pub(crate) const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The audiences of the clouds, by the end of the authority's host (GH-02).
const AUDIENCES: [(&str, &str); 7] = [
    ("microsoftonline.com", ""),
    ("microsoftonline.us", "USGov"),
    ("chinacloudapi.cn", "China"),
    ("partner.microsoftonline.cn", "China"),
    ("sovcloud-identity.fr", "France"),
    ("sovcloud-identity.de", "Germany"),
    ("sovcloud-identity.sg", "GovSG"),
];

/// Returns the audience that the cloud of an authority asks for.
///
/// # Errors
/// `Configuration` for an authority whose cloud is not known.
pub(crate) fn audience(credential: &str, host: &str) -> Result<String, Error> {
    let host = host.to_ascii_lowercase();
    let is_of = |end: &str| {
        host.strip_suffix(end)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let known = AUDIENCES.iter().find(|(end, _)| is_of(end));
    let audience = known.map(|(_, cloud)| format!("api://AzureADTokenExchange{cloud}"));
    audience.ok_or_else(|| {
        let message = format!("no audience is known for the authority {host}");
        Error::unusable(
            credential,
            message,
            "set the audience, or check the authority host",
        )
    })
}

/// The endpoint, as asked for one audience. Each call gets a new assertion.
#[derive(Debug)]
pub(crate) struct GitHub {
    url: Url,
    bearer: Secret,
    endpoint: Endpoint,
}

impl GitHub {
    /// # Errors
    /// `Configuration` if a value cannot be used (PR-08).
    pub(crate) fn new(
        credential: &'static str,
        url: &str,
        token: &str,
        audience: &str,
        retry: &RetryOptions,
        platform: &Platform,
    ) -> Result<Self, Error> {
        let mut url = oidc::endpoint(credential, URL, url)?;
        url.query_pairs_mut().append_pair("audience", audience);
        Ok(Self {
            url,
            bearer: oidc::bearer(credential, TOKEN, token)?,
            endpoint: Endpoint {
                credential,
                title: "GitHub Actions",
                field: "value",
                request_ids: &["x-github-request-id"],
                help: "check that the job has the permission `id-token: write` and has not ended",
                policy: oidc::policy(retry),
                platform: platform.clone(),
            },
        })
    }
}

impl Assertions for GitHub {
    fn assertion(&self) -> BoxFuture<'_, Result<Secret, Error>> {
        let request = HttpRequest::new(Method::Get, self.url.clone());
        Box::pin(self.endpoint.ask(request, &self.bearer))
    }

    /// Each assertion is new.
    fn may_have_a_newer_one(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn h91_gh_02_the_audience_follows_from_the_cloud() {
        for (host, end) in [
            ("login.microsoftonline.com", ""),
            ("login.microsoftonline.us", "USGov"),
            ("login.chinacloudapi.cn", "China"),
            ("login.partner.microsoftonline.cn", "China"),
            ("login.sovcloud-identity.fr", "France"),
            ("LOGIN.sovcloud-identity.de", "Germany"),
            ("login.sovcloud-identity.sg", "GovSG"),
        ] {
            let expected = format!("api://AzureADTokenExchange{end}");
            assert_eq!(audience("Test", host).unwrap(), expected);
        }
        for host in ["login.example.com", "evilmicrosoftonline.com", ""] {
            let error = audience("Test", host).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{host}");
        }
    }
}
