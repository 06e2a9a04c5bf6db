//! The bodies of Entra that a fault can name.

use super::error::Refusal;
use crate::fault::effect::Preset;

/// The sentence of each preset that Entra says, and how it refuses the client of this id.
pub(super) fn table(preset: Preset) -> Option<(&'static str, fn(&str) -> Refusal)> {
    Some(match preset {
        Preset::InvalidClientSecret => ("AADSTS7000215, wrong secret", Refusal::wrong_secret),
        Preset::UnknownApplication => (
            "AADSTS700016, unknown application",
            Refusal::unknown_application,
        ),
        Preset::MultifactorRequired => ("AADSTS50076, a second factor is needed", |_| {
            Refusal::multifactor()
        }),
        Preset::Transient => ("AADSTS90033, transient", |_| Refusal::transient()),
        Preset::IdentityNotFound
        | Preset::HeaderMissing
        | Preset::InvalidResource
        | Preset::Unauthorized
        | Preset::NotFound
        | Preset::Gone
        | Preset::Throttled
        | Preset::Unknown
        | Preset::DockerUnreachable => return None,
    })
}
