//! The tokens that IMDS, Entra and the commands issue: their principals and claims.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::jwt;
use super::settings::DEFAULT_SUBSCRIPTION;
use crate::trace::{Fingerprint, fingerprint};

/// The application that `az`, `azd` and, here, `pwsh` sign people in with.
const DEVELOPER_SIGN_ON: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// The principal of a token.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// A managed identity of the host.
    Managed {
        /// Its object id.
        object_id: &'a str,
        /// Its client id, if one is stated.
        client_id: Option<&'a str>,
        /// Its resource id; none for a system-assigned identity.
        resource_id: Option<&'a str>,
        /// How many app roles it has been granted.
        app_roles: u16,
    },
    /// An application that showed its secret.
    App {
        /// The object id of its service principal.
        object_id: &'a str,
        /// Its client id.
        client_id: &'a str,
    },
    /// A person.
    Person {
        /// The user name.
        name: &'a str,
        /// The object id.
        object_id: &'a str,
    },
}

/// What a token of another issuer says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assertion<'a> {
    /// Who issues it.
    pub issuer: &'a str,
    /// Its subject: the claim `sub`.
    pub subject: &'a str,
    /// Its audience: the claim `aud`.
    pub audience: &'a str,
    /// How long after now it begins to be valid.
    pub begins: Duration,
    /// How long after now it ends.
    pub life: Duration,
}

/// The claims of such a token.
#[derive(Serialize)]
struct AssertionClaims<'a> {
    aud: &'a str,
    exp: i64,
    iat: i64,
    iss: &'a str,
    jti: String,
    nbf: i64,
    sub: &'a str,
}

/// A token that was issued.
#[derive(Clone)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// What the trace calls it.
    pub fingerprint: Fingerprint,
    /// The object id of its principal.
    pub principal: String,
    /// When it begins to be valid, in seconds since 1970.
    pub not_before: i64,
    /// When it ends, in seconds since 1970.
    pub expires_on: i64,
}

/// Issues the tokens of one world.
pub struct Issuer {
    tenant: String,
    /// How many tokens were issued so far, which makes the next one differ. Counted, not drawn: a
    /// world under another seed issues the same tokens at the same second.
    issued: u64,
    /// The fingerprints of these tokens. A token has more than a kilobyte, and a long run issues
    /// hundreds of thousands.
    fingerprints: BTreeSet<Fingerprint>,
    /// The lengths of these tokens, in bytes: a world issues few different ones.
    lengths: BTreeSet<usize>,
    /// How many other ids were given out.
    ids: u64,
}

/// What a token claims, in the first version's form, which Azure's own APIs ask for.
#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    aio: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<[&'a str; 2]>,
    appid: String,
    appidacr: &'a str,
    idtyp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    oid: &'a str,
    rh: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<&'a str>,
    sub: String,
    tid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upn: Option<&'a str>,
    uti: String,
    ver: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    xms_mirid: Option<String>,
}

impl Issuer {
    /// Issues for another tenant from now on.
    pub(crate) fn set_tenant(&mut self, tenant: &str) {
        tenant.clone_into(&mut self.tenant);
    }

    /// Issues for this tenant.
    pub fn new(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            issued: 0,
            fingerprints: BTreeSet::new(),
            lengths: BTreeSet::new(),
            ids: 0,
        }
    }

    /// The tenant's id.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// How many tokens were issued so far.
    #[cfg(test)]
    pub fn issued(&self) -> u64 {
        self.issued
    }

    /// Whether a token that was issued stands in `text`, whole.
    pub fn is_issued_in(&self, text: &str) -> bool {
        // All tokens begin like this: most texts need no closer look.
        let mut starts = text.match_indices("eyJ").map(|(start, _)| start);
        starts.any(|start| {
            let mut ends = self.lengths.iter().map(|length| start + length);
            ends.any(|end| {
                let token = text.get(start..end);
                token.is_some_and(|token| self.fingerprints.contains(&fingerprint(token)))
            })
        })
    }

    /// An id that this world has not used yet.
    pub fn new_guid(&mut self, purpose: &str) -> String {
        self.ids += 1;
        derived_guid(&format!("{purpose} {}", self.ids))
    }

    /// A token of another issuer. All of them sign with the key of this world.
    pub(crate) fn assert(&mut self, says: &Assertion<'_>, now: Timestamp) -> String {
        let seconds = |time: Duration| {
            let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 2);
            now.as_second().saturating_add(seconds)
        };
        let token = jwt::sign(&AssertionClaims {
            aud: says.audience,
            exp: seconds(says.life),
            iat: seconds(says.begins),
            iss: says.issuer,
            jti: self.new_guid("assertion"),
            nbf: seconds(says.begins),
            sub: says.subject,
        });
        self.fingerprints.insert(fingerprint(&token));
        self.lengths.insert(token.len());
        token
    }

    /// A token for `audience`, valid for `life` from `now`.
    pub fn issue(
        &mut self,
        who: Who<'_>,
        audience: &str,
        now: Timestamp,
        life: Duration,
    ) -> Issued {
        self.issued += 1;
        let serial = self.issued;
        let now = now.as_second();
        let life = i64::try_from(life.as_secs()).unwrap_or(i64::MAX / 2).max(1);
        // Services date a token's beginning back, so that clocks a little slow accept it.
        let (not_before, expires_on) = (now.saturating_sub(300), now.saturating_add(life));
        let (principal, person) = match who {
            Who::Managed { object_id, .. } | Who::App { object_id, .. } => (object_id, None),
            Who::Person { name, object_id } => (object_id, Some(name)),
        };
        let claims = Claims {
            aud: audience,
            iss: format!("https://sts.windows.net/{}/", self.tenant),
            iat: now,
            nbf: not_before,
            exp: expires_on,
            acr: person.map(|_| "1"),
            aio: opaque("aio", serial, 32),
            amr: person.map(|_| ["pwd", "mfa"]),
            appid: match who {
                Who::Managed { client_id, .. } => self::client_id(principal, client_id),
                Who::App { client_id, .. } => client_id.to_owned(),
                Who::Person { .. } => DEVELOPER_SIGN_ON.to_owned(),
            },
            appidacr: match who {
                Who::Managed { .. } => "2",
                Who::App { .. } => "1",
                Who::Person { .. } => "0",
            },
            idtyp: if person.is_some() { "user" } else { "app" },
            name: person.map(display_name),
            oid: principal,
            rh: opaque(&format!("rh {principal}"), 0, 24),
            roles: match who {
                Who::Managed { app_roles, .. } => (1..=app_roles).map(role).collect(),
                Who::App { .. } | Who::Person { .. } => Vec::new(),
            },
            scp: person.map(|_| "user_impersonation"),
            sub: person.map_or_else(|| principal.to_owned(), |_| opaque(principal, 0, 32)),
            tid: &self.tenant,
            unique_name: person,
            upn: person,
            uti: opaque("uti", serial, 16),
            ver: "1.0",
            xms_mirid: match who {
                Who::Managed { resource_id, .. } => Some(self::resource_id(resource_id)),
                Who::App { .. } | Who::Person { .. } => None,
            },
        };
        let token = jwt::sign(&claims);
        let fingerprint = fingerprint(&token);
        self.fingerprints.insert(fingerprint);
        self.lengths.insert(token.len());
        Issued {
            fingerprint,
            token,
            principal: principal.to_owned(),
            not_before,
            expires_on,
        }
    }
}

/// The client id of a managed identity: the stated one, or one that follows from its object id.
pub fn client_id(object_id: &str, stated: Option<&str>) -> String {
    let stated = stated.map(str::to_owned);
    stated.unwrap_or_else(|| derived_guid(&format!("client id of {object_id}")))
}

/// What the token of a managed identity names as its Azure resource: itself, or, for a
/// system-assigned identity, the host that it belongs to.
fn resource_id(stated: Option<&str>) -> String {
    stated.map(str::to_owned).unwrap_or_else(|| {
        format!(
            "/subscriptions/{DEFAULT_SUBSCRIPTION}/resourcegroups/credsim/providers/\
             Microsoft.Compute/virtualMachines/host"
        )
    })
}

fn role(number: u16) -> String {
    derived_guid(&format!("app role {number}"))
}

fn display_name(user: &str) -> &str {
    user.split('@').next().unwrap_or(user)
}

/// An id that follows from `text`: looks random, is the same on every machine.
pub fn derived_guid(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    let bits = u128::from_be_bytes(bytes);
    // The version and variant bits of a random UUID.
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0b11 << 62) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xffff,
        (bits >> 48) & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

/// A value that only the service understands, of `bytes` bytes before encoding.
fn opaque(purpose: &str, serial: u64, bytes: usize) -> String {
    let digest = digest(&SHA256, format!("{purpose} {serial}").as_bytes());
    jwt::url_safe(&digest.as_ref()[..bytes])
}
