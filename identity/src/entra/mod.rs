//! Microsoft Entra ID as a token service: where it is, in which tenant to ask, what is posted, and
//! how its answers read.

mod answer;
mod authority;
mod grant;
mod tenant;

pub(crate) use answer::aadsts_code;
pub(crate) use authority::Authority;
pub(crate) use grant::{Application, client_secret_token};
pub(crate) use tenant::Tenants;
