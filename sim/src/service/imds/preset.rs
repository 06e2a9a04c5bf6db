//! The bodies of IMDS that a fault can name.

use http::StatusCode;

use super::answers::{
    HEADER_MISSING, docker_unreachable, header_missing, identity_not_found, invalid_resource,
    status,
};
use crate::{fault::effect::Preset, http::exchange::Answer};

/// What a preset means, in a sentence, and the answer that says it.
type Said = (&'static str, fn() -> Answer);

/// The sentence and the answer of each preset that IMDS says.
pub(super) fn table(preset: Preset) -> Option<Said> {
    Some(match preset {
        Preset::IdentityNotFound => ("Identity not found", identity_not_found),
        Preset::HeaderMissing => ("the Metadata header is missing", || {
            header_missing(HEADER_MISSING)
        }),
        Preset::InvalidResource => ("AADSTS50001, no such resource", invalid_resource),
        Preset::Unauthorized => ("refused", || status(StatusCode::UNAUTHORIZED)),
        Preset::NotFound => ("being updated", || status(StatusCode::NOT_FOUND)),
        Preset::Gone => ("being updated, back within 70 s", || {
            status(StatusCode::GONE)
        }),
        Preset::Throttled => ("throttled", || status(StatusCode::TOO_MANY_REQUESTS)),
        Preset::Unknown => ("failed to retrieve a token", || {
            status(StatusCode::INTERNAL_SERVER_ERROR)
        }),
        Preset::DockerUnreachable => ("Docker Desktop: unreachable", docker_unreachable),
        Preset::InvalidClientSecret
        | Preset::UnknownApplication
        | Preset::MultifactorRequired
        | Preset::Transient => return None,
    })
}
