//! Files of the subject's host: what they hold, and what the kubelet of a pod does with them.

use std::{collections::BTreeMap, path::Path, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    backend::{Backend, issuer::Assertion},
    check::Check,
    scenario::{Nothing, Span, document::Place},
};

/// The files of a world at its start, by their absolute paths.
pub type Files = BTreeMap<String, WorldFile>;

/// A file of the host.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorldFile {
    /// What it holds.
    pub holds: Content,
    /// Whether the subject may read it. Default: true.
    #[serde(default = "yes")]
    pub readable: bool,
    /// How the host writes it anew, as the kubelet of a pod does with a projected token. Default:
    /// never.
    pub rotates: Option<Rotation>,
}

/// What a file holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Content {
    /// Nothing: it is empty.
    Nothing(Nothing),
    /// This text.
    Text(String),
    /// So many bytes: the letter x again and again.
    Bytes(u32),
    /// A token of another issuer that Entra may accept as proof of an application's identity.
    FederatedToken(FederatedToken),
}

/// A token of an issuer outside Entra, such as a Kubernetes cluster: a JWT.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FederatedToken {
    /// Who issues it: the claim `iss`.
    pub issuer: String,
    /// Its subject: the claim `sub`.
    pub subject: String,
    /// Its audience: the claim `aud`. Default: api://AzureADTokenExchange.
    #[serde(default = "token_exchange")]
    pub audience: String,
    /// How long it lives from the time at which it is written. Default: 60m.
    #[serde(default = "one_hour")]
    pub life: Span,
    /// How long after that time it begins to be valid. Default: 0s.
    #[serde(default)]
    pub begins: Span,
    /// Whether its last 100 characters are missing, as in a file that was cut off. Default: false.
    #[serde(default)]
    pub truncated: bool,
}

/// A file that is written anew again and again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rotation {
    /// After how long, counted from the world's start.
    pub every: Span,
    /// Times at which it would be written and is late.
    #[serde(default)]
    pub late: Vec<Late>,
}

/// A late rotation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Late {
    /// When it is due, counted from the world's start.
    pub due: Span,
    /// How much later it happens. Those that are due meanwhile happen then, too, as one.
    pub by: Span,
}

fn yes() -> bool {
    true
}

fn one_hour() -> Span {
    Span(Duration::from_secs(3_600))
}

/// The audience that Entra asks for in the public cloud.
pub(crate) fn token_exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

impl Rotation {
    /// When the file is written next after the rotation that was due at `due`: the time at which
    /// that is due, and the time at which it happens. None if that is beyond the end of time.
    pub(crate) fn after(&self, due: Duration) -> Option<(Duration, Duration)> {
        let happens = |due: Duration| {
            let late = self.late.iter().find(|late| late.due.0 == due);
            due.saturating_add(late.map_or(Duration::ZERO, |late| late.by.0))
        };
        let last = happens(due);
        let mut next = due.checked_add(self.every.0)?;
        while next <= last {
            next = next.checked_add(self.every.0)?;
        }
        Some((next, happens(next)))
    }
}

impl WorldFile {
    pub(crate) fn check(&self, path: &str, place: &Place, check: &mut Check<'_>) {
        check_path(path, place, true, check);
        self.holds.check(&place.key("holds"), check);
        let Some(rotation) = &self.rotates else {
            return;
        };
        let place = place.key("rotates");
        check.longer_than_zero(
            rotation.every,
            &place.key("every"),
            "a file that is written all the time leaves no time for anything else",
        );
        for (index, late) in rotation.late.iter().enumerate() {
            let place = place.key("late").index(index);
            let every = rotation.every.0.as_nanos();
            if every > 0 && (late.due.0.is_zero() || late.due.0.as_nanos() % every != 0) {
                check
                    .at_value(&place.key("due"), "no rotation is due at this time")
                    .label(format!("not a multiple of {}", rotation.every))
                    .expected("a time at which the file is written anew");
            }
        }
    }

    /// What it is at the world's start, for `explain`.
    pub(crate) fn describe(&self, path: &str) -> String {
        let readable = match self.readable {
            true => "",
            false => ", and the app may not read it",
        };
        let rotates = self.rotates.as_ref().map_or_else(String::new, |rotation| {
            format!(", written anew every {}", rotation.every)
        });
        format!(
            "file {path} holds {}{rotates}{readable}",
            self.holds.describe()
        )
    }
}

impl Content {
    pub(crate) fn check(&self, place: &Place, check: &mut Check<'_>) {
        match self {
            Self::Nothing(Nothing {}) | Self::Text(_) | Self::Bytes(_) => {}
            Self::FederatedToken(token) => {
                let place = place.key("federated-token");
                check.text(&token.issuer, &place.key("issuer"), "the URL of an issuer");
                check.text(&token.subject, &place.key("subject"), "a subject");
                check.whole_seconds(token.life, &place.key("life"));
                check.whole_seconds(token.begins, &place.key("begins"));
            }
        }
    }

    /// Whether it is a token that Entra may accept.
    pub(crate) fn is_usable_token(&self) -> bool {
        match self {
            Self::Nothing(Nothing {}) | Self::Text(_) | Self::Bytes(_) => false,
            Self::FederatedToken(token) => !token.truncated,
        }
    }

    /// What it is, as the object of a sentence.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Nothing(Nothing {}) => "nothing".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::Bytes(bytes) => crate::wording::counted(*bytes, "byte"),
            Self::FederatedToken(token) => {
                let cut = if token.truncated { ", cut off" } else { "" };
                format!("a federated token of {}{cut}", token.subject)
            }
        }
    }

    /// The bytes that are written `at` after the world began.
    pub(crate) fn bytes(&self, backend: &Backend, at: Duration) -> Vec<u8> {
        match self {
            Self::Nothing(Nothing {}) => Vec::new(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes(bytes) => vec![b'x'; usize::try_from(*bytes).unwrap_or_default()],
            Self::FederatedToken(token) => {
                let assertion = Assertion {
                    issuer: &token.issuer,
                    subject: &token.subject,
                    audience: &token.audience,
                    begins: token.begins.0,
                    life: token.life.0,
                };
                let now = backend.time(at);
                let mut jwt = backend.state().issuer.assert(&assertion, now);
                if token.truncated {
                    jwt.truncate(jwt.len().saturating_sub(100));
                }
                jwt.into_bytes()
            }
        }
    }
}

/// Reports a path that no simulated host has. `is_key` says whether `place` is the table at it.
pub(crate) fn check_path(path: &str, place: &Place, is_key: bool, check: &mut Check<'_>) {
    let is_absolute = path.starts_with('/') && Path::new(path).file_name().is_some();
    let is_plain = !path.split('/').any(|part| part == "..") && !path.contains('\0');
    if is_absolute && is_plain && !path.ends_with('/') {
        return;
    }
    let message = format!("`{path}` is not the path of a file");
    let problem = match is_key {
        true => check.at_key(place, message),
        false => check.at_value(place, message),
    };
    problem
        .label("not an absolute path without `..`")
        .expected("such as \"/var/run/secrets/tokens/azure-identity-token\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_that_are_due_while_one_is_late_happen_with_it() {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        let rotation: Rotation =
            toml::from_str("every = \"1h\"\nlate = [{ due = \"3h\", by = \"90m\" }]")
                .expect("valid");
        let mut due = Duration::ZERO;
        let mut happens = Vec::new();
        for _ in 0..4 {
            let (next, at) = rotation.after(due).expect("within time");
            due = next;
            happens.push(at);
        }
        let late = hours(4) + Duration::from_secs(1_800);
        assert_eq!(happens, [hours(1), hours(2), late, hours(5)]);
    }
}
