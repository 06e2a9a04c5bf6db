//! The host of the token endpoint (EN-01, EN-02, EN-05).

use url::Url;

use crate::{Error, ErrorKind, platform::Platform};

const DEFAULT_HOST: &str = "https://login.microsoftonline.com";
const VARIABLE: &str = "AZURE_AUTHORITY_HOST";

/// An authority host. Its endpoints follow from its name, so no discovery request is sent.
#[derive(Clone, Debug)]
pub(crate) struct Authority(Url);

impl Authority {
    /// Uses `option` if given, else `AZURE_AUTHORITY_HOST`, else the public cloud. A host without a
    /// scheme is taken as https.
    ///
    /// # Errors
    /// `Configuration` for anything but the https URL of a host.
    pub(crate) fn new(
        credential: &str,
        option: Option<&str>,
        platform: &Platform,
    ) -> Result<Self, Error> {
        let variable = platform.environment.non_empty(VARIABLE);
        let given = option
            .or(variable.as_deref())
            .unwrap_or(DEFAULT_HOST)
            .trim();
        let url = if given.contains("://") {
            given.to_owned()
        } else {
            format!("https://{given}")
        };
        Url::parse(&url)
            .ok()
            .filter(|url| {
                url.scheme() == "https"
                    && url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none()
            })
            .map(Self)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    credential,
                    "the authority host is not the https URL of a host",
                )
                .with_help(format!(
                    "set it to something like {DEFAULT_HOST}; see {VARIABLE}"
                ))
            })
    }

    /// Returns the URL of the token endpoint of `tenant`.
    pub(crate) fn token_endpoint(&self, tenant: &str) -> Url {
        let mut url = self.0.clone();
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/{tenant}/oauth2/v2.0/token"));
        url
    }

    /// Returns the URL, for cache keys.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the host, for messages.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or(DEFAULT_HOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PR-26: two clouds have two keys; messages name the host alone.
    #[test]
    fn an_authority_has_a_key_and_a_name() {
        let authority = |given| Authority::new("Test", Some(given), &Platform::system()).unwrap();
        let one = authority("https://login.example/path");
        assert_eq!(one.as_str(), "https://login.example/path");
        assert_eq!(one.host(), "login.example");
        assert_eq!(authority("login.example/path").as_str(), one.as_str());
        assert_ne!(
            authority("https://login.microsoftonline.us").as_str(),
            one.as_str()
        );
        for bad in [
            "https://login.example?x",
            "https://login.example#x",
            "https://u@login.example",
        ] {
            Authority::new("Test", Some(bad), &Platform::system()).unwrap_err();
        }
    }
}
