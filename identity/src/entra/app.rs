//! The application that a credential signs in as.

use super::Tenants;
use crate::{EntraOptions, Error, ErrorKind};

/// Tenants in which no application can sign in as itself (EN-07).
const NO_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// The tenant and the client id of an application, checked.
#[derive(Debug)]
pub(crate) struct AppId {
    pub(crate) tenants: Tenants,
    pub(crate) client_id: String,
}

impl AppId {
    /// # Errors
    /// `Configuration` if the client id is empty, or the tenant is not the id or domain name of one
    /// tenant.
    pub(crate) fn new(
        credential: &str,
        tenant_id: String,
        client_id: String,
        options: &EntraOptions,
    ) -> Result<Self, Error> {
        let wrong = |what: &str| Error::new(ErrorKind::Configuration, credential, what);
        let is_none = |no: &&str| tenant_id.eq_ignore_ascii_case(no);
        if NO_TENANT.iter().any(is_none) {
            return Err(wrong("an application signs in to one tenant, not to any")
                .with_help("give the tenant's id or domain name"));
        }
        if client_id.trim().is_empty() {
            return Err(wrong("the client id is empty"));
        }
        let allowed = options.additionally_allowed_tenants.clone();
        Ok(Self {
            tenants: Tenants::new(credential, Some(tenant_id), allowed)?,
            client_id,
        })
    }
}
