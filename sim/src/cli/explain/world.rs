//! The world at its start, in words.

use crate::{
    command::{self, Command},
    scenario::{
        App, Entra, Imds, Limit, LimitBody, ManagedIdentity, Range, Reach, Resource, Span, World,
    },
};

/// One line for each thing in the world.
pub fn lines(world: &World) -> Vec<String> {
    let mut lines = vec![format!(
        "it begins at {} and lasts {}",
        world.start.0, world.lasts
    )];
    lines.extend(host(world));
    lines.extend(
        world
            .environment
            .keys()
            .map(|name| format!("{name} is set on the host")),
    );
    lines.push(match &world.imds {
        Some(imds) => metadata_service(imds),
        None => "imds: none, nothing answers at 169.254.169.254".to_owned(),
    });
    lines.extend(world.entra.as_ref().map(entra));
    lines.extend(world.entra.iter().flat_map(|entra| &entra.apps).map(app));
    let accounts = world.accounts.iter();
    lines.extend(
        accounts.map(|(name, account)| format!("account {name}: object id {}", account.object_id)),
    );
    lines.extend(command::of_world(world).map(Command::describe));
    lines.extend(world.redis.as_ref().map(super::redis::server));
    lines.extend(world.resources.iter().map(|(name, at)| resource(name, at)));
    lines
}

fn host(world: &World) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(
        world
            .host
            .time_zone
            .as_ref()
            .map(|zone| format!("lives in {zone}")),
    );
    let skew = world.host.clock_skew;
    if !skew.length.is_zero() {
        let side = if skew.negative { "behind" } else { "ahead of" };
        parts.push(format!(
            "has a clock {} {side} the true time",
            Span(skew.length)
        ));
    }
    (!parts.is_empty()).then(|| format!("the host {}", parts.join(" and ")))
}

fn metadata_service(imds: &Imds) -> String {
    let mut parts = Vec::new();
    match &imds.system_identity {
        Some(identity) => parts.push(format!("system-assigned identity {}", who(identity))),
        None => parts.push("no system-assigned identity".to_owned()),
    }
    parts.extend(
        imds.user_identities
            .iter()
            .map(|identity| format!("user-assigned identity {}", who(identity))),
    );
    parts.push(format!("tokens live {}", imds.token_life));
    if imds.keeps_tokens {
        let until = format!("handed out again until {} are left", imds.keeps_until_left);
        parts.push(format!("and are {until}"));
    }
    service(
        &mut parts,
        imds.takes.as_ref(),
        imds.reach,
        imds.limit.as_ref(),
    );
    let answer = &imds.answer;
    let oddities = [
        (answer.numbers, "times are JSON numbers"),
        (answer.without_expires_in, "answers have no expires_in"),
        (answer.without_expires_on, "answers have no expires_on"),
    ];
    parts.extend(
        oddities
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, says)| (*says).to_owned()),
    );
    format!("imds: {}", parts.join(", "))
}

fn who(identity: &ManagedIdentity) -> String {
    let mut text = identity.object_id.clone();
    if let Some(client) = &identity.client_id {
        text += &format!(" (client id {client})");
    }
    text
}

fn entra(entra: &Entra) -> String {
    let mut parts = vec![format!("tenant {}", entra.tenant)];
    parts.push(format!("tokens live {}", entra.token_life));
    parts.extend(
        entra
            .refresh_in
            .map(|after| format!("and want to be renewed after {after}")),
    );
    service(
        &mut parts,
        entra.takes.as_ref(),
        entra.reach,
        entra.limit.as_ref(),
    );
    format!("entra: {}", parts.join(", "))
}

fn app(app: &App) -> String {
    let secret = if app.secret.is_some() {
        "with a secret"
    } else {
        "without a secret"
    };
    let disabled = if app.disabled { ", disabled" } else { "" };
    format!(
        "application {}: object id {}, {secret}{disabled}",
        app.client_id, app.object_id
    )
}

fn service(parts: &mut Vec<String>, takes: Option<&Range>, at: Reach, limit: Option<&Limit>) {
    parts.extend(takes.map(|takes| format!("answers take {}", range(takes))));
    match at {
        Reach::Reachable => {}
        other => parts.push(other.describe().to_owned()),
    }
    if let Some(limit) = limit {
        let mut text = format!("serves {} token requests per {}", limit.requests, limit.per);
        text += match limit.body {
            LimitBody::Json => ", then answers 429",
            LimitBody::Text => ", then answers 429 in plain text",
        };
        if let Some(after) = &limit.retry_after {
            text += &format!(" with Retry-After: {after}");
        }
        parts.push(text);
    }
}

/// A range of durations.
pub fn range(range: &Range) -> String {
    range.describe()
}

fn resource(name: &str, resource: &Resource) -> String {
    let grants = resource.grants.iter();
    let grants: Vec<String> = grants
        .map(|(who, rights)| format!("{who} may {}", rights.join(" and ")))
        .collect();
    let grants = if grants.is_empty() {
        "nobody may use it".to_owned()
    } else {
        grants.join(", ")
    };
    format!("resource {name} at {}: {grants}", resource.audience)
}
