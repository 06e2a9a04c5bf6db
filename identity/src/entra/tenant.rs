//! The tenant of a token request (EN-17, CA-16, CLI-13).

use crate::{Error, ErrorKind, TokenRequest};

/// The tenants in which a credential may request tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tenants {
    own: Option<String>,
    additionally_allowed: Vec<String>,
}

impl Tenants {
    /// `own` is the credential's tenant; without one, a request may name any tenant. `*` in
    /// `additionally_allowed` allows all tenants.
    ///
    /// # Errors
    /// `Configuration` when a tenant is not a tenant id or a domain name.
    pub(crate) fn new(
        credential: &str,
        own: Option<String>,
        additionally_allowed: Vec<String>,
    ) -> Result<Self, Error> {
        let names = additionally_allowed.iter().filter(|tenant| *tenant != "*");
        for tenant in own.iter().chain(names) {
            check(credential, tenant)?;
        }
        Ok(Self {
            own,
            additionally_allowed,
        })
    }

    /// Returns the credential's own tenant, if it has one.
    pub(crate) fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    /// Returns the tenant for `request`; `None` if neither it nor the credential names one.
    ///
    /// # Errors
    /// `Configuration` if the request names a tenant that is not allowed.
    pub(crate) fn resolve<'a>(
        &'a self,
        credential: &str,
        request: &'a TokenRequest,
    ) -> Result<Option<&'a str>, Error> {
        let Some(wanted) = request.tenant() else {
            return Ok(self.own.as_deref());
        };
        check(credential, wanted)?;
        let Some(own) = self.own.as_deref() else {
            return Ok(Some(wanted));
        };
        let same = |tenant: &str| tenant.eq_ignore_ascii_case(wanted);
        if same(own)
            || self
                .additionally_allowed
                .iter()
                .any(|t| t == "*" || same(t))
        {
            return Ok(Some(wanted));
        }
        Err(Error::new(
            ErrorKind::Configuration,
            credential,
            format!("may not ask in tenant {wanted}"),
        )
        .with_help("add the tenant to additionally_allowed_tenants, or `*` to allow all"))
    }
}

/// Checks that `tenant` has only letters, digits, `-` and `.`: it becomes part of a URL or of a
/// command line.
fn check(credential: &str, tenant: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    // `..` would be a step in a path, and `-x` an option of a tool.
    if tenant.starts_with(|c: char| c.is_ascii_alphanumeric()) && tenant.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        credential,
        "the tenant is neither a tenant id nor a domain name",
    )
    .with_help("only letters, digits, `-` and `.` are allowed in it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(own: Option<&str>, allowed: &[&str], wanted: Option<&str>) -> Result<String, Error> {
        let allowed = allowed.iter().map(|&t| t.to_owned()).collect();
        let tenants = Tenants::new("Test", own.map(str::to_owned), allowed)?;
        let mut request = TokenRequest::new(["s"]);
        if let Some(wanted) = wanted {
            request = request.with_tenant(wanted);
        }
        Ok(tenants.resolve("Test", &request)?.unwrap_or("-").to_owned())
    }

    #[test]
    fn another_tenant_must_be_allowed() {
        assert_eq!(resolve(Some("own"), &[], None).unwrap(), "own");
        assert_eq!(resolve(Some("own"), &[], Some("OWN")).unwrap(), "OWN");
        assert_eq!(
            resolve(Some("own"), &["other"], Some("other")).unwrap(),
            "other"
        );
        assert_eq!(
            resolve(Some("own"), &["*"], Some("other")).unwrap(),
            "other"
        );
        assert_eq!(
            resolve(None, &[], Some("any.example")).unwrap(),
            "any.example"
        );
        assert_eq!(resolve(None, &[], None).unwrap(), "-");
        let error = resolve(Some("own"), &["third"], Some("other")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }

    #[test]
    fn a_tenant_has_only_the_characters_of_a_name() {
        for bad in ["", "a/b", "a b", "..", "--debug", "a?b", "täna", "*"] {
            let error = resolve(Some(bad), &[], None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{bad}");
            assert!(resolve(None, &[], Some(bad)).is_err(), "{bad}");
        }
    }
}
