//! The world at its start, in words.

use crate::{scenario::Span, world::World};

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
    lines.extend(world.files.iter().map(|(path, file)| file.describe(path)));
    let accounts = world.accounts.iter();
    lines.extend(
        accounts.map(|(name, account)| format!("account {name}: object id {}", account.object_id)),
    );
    lines.extend(world.absent().into_iter().map(str::to_owned));
    let services = world.services().into_iter();
    lines.extend(services.flat_map(|service| service.describe()));
    lines.extend(world.commands().map(|command| command.describe()));
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
