//! The principal of a token.

use std::fmt;

use crate::jwt;

/// The principal (person, application or managed identity) that a token names in its claims.
///
/// Two tokens of one person may differ in everything but the ids: version 1 of the token format has
/// `appid` and `upn` where version 2 has `azp` and `preferred_username`, and the resource chooses
/// the version. Compare principals with [`is_same_as`](Self::is_same_as), not with `==`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Claim `oid`: the object id, unique in its tenant.
    pub object_id: String,
    /// Claim `tid`: the tenant.
    pub tenant_id: Option<String>,
    /// Claim `appid` or `azp`: the application.
    pub client_id: Option<String>,
    /// Claim `upn`, `preferred_username` or `unique_name`: the person's name, for user tokens.
    pub user_name: Option<String>,
}

impl Principal {
    /// Reads the claims of a JWT without verifying its signature. Returns `None` if `token` is not
    /// a JWT or has no claim `oid`.
    pub fn of_token(token: &str) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Claims {
            oid: String,
            tid: Option<String>,
            appid: Option<String>,
            azp: Option<String>,
            upn: Option<String>,
            preferred_username: Option<String>,
            unique_name: Option<String>,
        }
        let claims: Claims = jwt::claims(token)?;
        Some(Self {
            object_id: claims.oid,
            tenant_id: claims.tid,
            client_id: claims.appid.or(claims.azp),
            user_name: claims
                .upn
                .or(claims.preferred_username)
                .or(claims.unique_name),
        })
    }

    /// Returns whether both are the same object of the same tenant. Ids are compared without regard
    /// to case, as GUIDs are.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let same_tenant = match (&self.tenant_id, &other.tenant_id) {
            (Some(one), Some(other)) => same(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_tenant && same(&self.object_id, &other.object_id)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user_name {
            Some(name) => write!(f, "{name} ({})", self.object_id),
            None => f.write_str(&self.object_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    fn jwt(claims: &str) -> String {
        let encode = |text| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.signature", encode("{}"), encode(claims))
    }

    fn principal(claims: &str) -> Principal {
        Principal::of_token(&jwt(claims)).unwrap()
    }

    #[test]
    fn it_is_read_from_the_claims() {
        let app = principal(r#"{"oid":"o","tid":"t","azp":"a","exp":1}"#);
        assert_eq!(app.to_string(), "o");
        assert_eq!(app.tenant_id.as_deref(), Some("t"));
        assert_eq!(app.client_id.as_deref(), Some("a"));
        let user = principal(r#"{"oid":"o","unique_name":"alice@contoso.example"}"#);
        assert_eq!(user.to_string(), "alice@contoso.example (o)");
        for opaque in ["", "a.b.c", "opaque", &jwt("{}"), &jwt("[]")] {
            assert_eq!(Principal::of_token(opaque), None, "{opaque}");
        }
    }

    #[test]
    fn the_padding_of_claims_is_ignored() {
        let (padded, claims) = (r#"{"oid":"o"}"#, base64::engine::general_purpose::URL_SAFE);
        let token = format!("e30.{}.c2ln", claims.encode(padded));
        assert!(token.contains('='));
        assert!(Principal::of_token(&token).is_some());
    }

    #[test]
    fn pr_04_only_object_and_tenant_make_a_principal() {
        let first = principal(r#"{"oid":"o","tid":"t","appid":"a","upn":"alice@contoso.example"}"#);
        let second = principal(r#"{"oid":"O","tid":"T","azp":"b","preferred_username":"Alice"}"#);
        assert!(first.is_same_as(&second));
        for other in [
            r#"{"oid":"p","tid":"t"}"#,
            r#"{"oid":"o","tid":"u"}"#,
            r#"{"oid":"o"}"#,
        ] {
            assert!(!first.is_same_as(&principal(other)), "{other}");
        }
    }
}
