//! The authority that issues the tokens (RD-52).

use url::Url;

use crate::{Error, ErrorKind};

use super::NAME;

/// The authority of an application, with the variants of node-redis (RD-52).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorityConfig {
    /// One tenant of the public cloud, or of the host that `AZURE_AUTHORITY_HOST` names.
    MultiTenant {
        /// The tenant's id or domain name.
        tenant_id: String,
    },
    /// `common`: the tenant of the person that signs in. An application signs in to one tenant, so
    /// this is an error for it (EN-07).
    #[default]
    Default,
    /// The https URL of an authority and its tenant, such as
    /// `https://login.microsoftonline.us/contoso.example`.
    Custom {
        /// The URL.
        authority_url: String,
    },
}

impl AuthorityConfig {
    /// Returns the authority host, if it is not the default, and the tenant.
    ///
    /// # Errors
    /// `Configuration` when it names no tenant.
    pub(super) fn host_and_tenant(self) -> Result<(Option<String>, String), Error> {
        match self {
            Self::MultiTenant { tenant_id } if tenant_id.trim().is_empty() => {
                Err(wrong("the tenant id of the authority is empty"))
            }
            Self::MultiTenant { tenant_id } => Ok((None, tenant_id)),
            Self::Default => Err(wrong(
                "the default authority is `common`, and an application signs in to one tenant",
            )),
            Self::Custom { authority_url } => {
                let (host, tenant) = split(&authority_url).ok_or_else(|| {
                    wrong("the custom authority is not an https URL that ends in a tenant")
                })?;
                Ok((Some(host), tenant))
            }
        }
    }
}

/// Splits the URL of an authority into host and tenant.
fn split(authority: &str) -> Option<(String, String)> {
    let mut url = Url::parse(authority.trim()).ok()?;
    let path = url.path().trim_matches('/').to_owned();
    if url.scheme() != "https" || !url.has_host() || path.is_empty() {
        return None;
    }
    let (before, tenant) = path.rsplit_once('/').unwrap_or(("", &path));
    url.set_path(before);
    Some((url.to_string(), tenant.to_owned()))
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::Configuration, NAME, what).with_help(
        "give AuthorityConfig::MultiTenant with the tenant's id or domain name, or Custom with a \
         URL such as https://login.microsoftonline.com/contoso.example",
    )
}
