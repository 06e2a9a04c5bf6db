//! The bodies of IMDS that a fault can name.

use http::StatusCode;

use super::answers::{
    HEADER_MISSING, docker_unreachable, header_missing, identity_not_found, invalid_resource,
    status,
};
use crate::{
    fault::effect::{KnownPreset, Preset},
    http::exchange::Answer,
};

/// A preset, and the answer that says it.
type Said = (KnownPreset, fn() -> Answer);

/// The presets that IMDS says.
pub(super) fn table() -> [Said; 9] {
    let said = |name, sentence, summary, answer: fn() -> Answer| {
        let known = KnownPreset {
            service: "imds",
            name,
            summary,
            sentence,
        };
        (known, answer)
    };
    [
        said(
            "identity-not-found",
            "Identity not found",
            "IMDS 400: no such identity on this host (MI-60).",
            identity_not_found,
        ),
        said(
            "header-missing",
            "the Metadata header is missing",
            "IMDS 400: the `Metadata` header is missing (MI-61).",
            || header_missing(HEADER_MISSING),
        ),
        said(
            "invalid-resource",
            "AADSTS50001, no such resource",
            "IMDS 400: no such resource, AADSTS50001 (MI-62).",
            invalid_resource,
        ),
        said(
            "unauthorized",
            "refused",
            "IMDS 401: refused (MI-63).",
            || status(StatusCode::UNAUTHORIZED),
        ),
        said(
            "not-found",
            "being updated",
            "IMDS 404: being updated (MI-64).",
            || status(StatusCode::NOT_FOUND),
        ),
        said(
            "gone",
            "being updated, back within 70 s",
            "IMDS 410: being updated, back within 70 s (MI-65).",
            || status(StatusCode::GONE),
        ),
        said("throttled", "throttled", "IMDS 429 (MI-66).", || {
            status(StatusCode::TOO_MANY_REQUESTS)
        }),
        said(
            "unknown",
            "failed to retrieve a token",
            "IMDS 500 (MI-67).",
            || status(StatusCode::INTERNAL_SERVER_ERROR),
        ),
        said(
            "docker-unreachable",
            "Docker Desktop: unreachable",
            "The 403 of Docker Desktop's proxy (MI-68).",
            docker_unreachable,
        ),
    ]
}

/// The answer of a preset, if IMDS says it.
pub(super) fn answer(preset: &Preset) -> Option<Answer> {
    let mut all = table().into_iter();
    let said = all.find(|(known, _)| known.name == preset.0);
    said.map(|(_, answer)| answer())
}
