//! What goes on while a world is served: the variables, the command, the end.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    sync::{Arc, OnceLock},
};

use super::{
    super::{Console, exit},
    Args, Format,
    child::Running,
    variables,
};
use crate::{
    engine::BoxFuture,
    judge::Run,
    run::Visit,
    simulation::quoted,
    story::Scenario,
    trace::{Event, Kind},
    wording::counted,
};

/// How the guests left.
#[derive(Clone, Copy, Debug, Default)]
pub struct Left {
    /// What the process must exit with, whatever the verdict says: the command's own code.
    pub code: Option<u8>,
    /// Whether the command could be started.
    pub started: bool,
}

/// Serves [`ExternalClients`](crate::run::ExternalClients).
pub fn visit(
    args: &Args,
    scenario: &Scenario,
    mut console: Console,
    left: Arc<OnceLock<Left>>,
) -> Visit {
    let format = match (args.format, args.command.is_empty()) {
        (None, true) => Some(Format::Env),
        (asked, _) => asked,
    };
    let command = args.command.clone();
    let world = in_it(scenario);
    let counting = counting(scenario);
    Box::new(move |door, interrupted| {
        if let Some(format) = format {
            match variables::print(&door.environment, format) {
                Ok(printed) => {
                    console.data(&printed.text);
                    if let Some(left_out) = printed.left_out() {
                        console.say(&left_out);
                    }
                }
                Err((message, help)) => {
                    console.error(&message, Some(help));
                    let code = Some(exit::USAGE);
                    let _ = left.set(Left {
                        code,
                        started: false,
                    });
                    return Box::pin(std::future::ready(()));
                }
            }
        }
        for real in &door.covered {
            console.say(&format!(
                "{0} of this machine is not in this world: in its place stands a link that is not found \
                 (exit code 127)\n",
                real.display()
            ));
        }
        for bypass in &door.bypasses {
            // The environment of a command has what it needs.
            if bypass.is_only_way || command.is_empty() {
                console.say(&format!("{}\n", bypass.text));
            }
        }
        let until = if command.is_empty() {
            "; Ctrl-C ends it"
        } else {
            ""
        };
        console.say(&format!(
            "ready: {world} behind the proxy http://{}{counting}{until}\n",
            door.proxy
        ));
        let environment = door.environment.whole();
        Box::pin(async move {
            if command.is_empty() {
                interrupted.await;
                return;
            }
            let _ = left.set(play(&command, &environment, interrupted, &mut console).await);
        })
    })
}

/// Runs `command` in `environment` until it ends or is interrupted by a signal.
async fn play(
    command: &[OsString],
    environment: &[(OsString, OsString)],
    interrupted: BoxFuture<'static, u8>,
    console: &mut Console,
) -> Left {
    let mut running = match Running::start(command, environment) {
        Ok(running) => running,
        Err(error) => {
            let name = command.first().map(|name| name.to_string_lossy());
            let name = quoted(&name.unwrap_or_default());
            let help = "is it installed, and on the PATH?";
            console.error(&format!("{name} cannot be started: {error}"), Some(help));
            return Left {
                // As a shell says it.
                code: Some(127),
                started: false,
            };
        }
    };
    let code = tokio::select! { biased;
        code = running.exit() => code.unwrap_or(1),
        signal = interrupted => 128 + signal,
    };
    running.end().await;
    Left {
        code: Some(code),
        started: true,
    }
}

/// What a world has, in words.
fn in_it(scenario: &Scenario) -> String {
    let world = &scenario.world;
    let services = world.services().into_iter();
    let mut has: Vec<String> = services.flat_map(|service| service.titles()).collect();
    has.extend(
        world
            .commands()
            .map(|command| command.program().name().to_owned()),
    );
    if has.is_empty() {
        "an empty world".to_owned()
    } else {
        has.join(", ")
    }
}

/// The URLs at which requests count for the expectations of `scenario`, for a line; empty if they
/// count none.
fn counting(scenario: &Scenario) -> String {
    let world = &scenario.world;
    let expected = scenario.expect.iter();
    let counted: BTreeSet<(String, u16)> = expected
        .flat_map(|expect| expect.that.counts_at(world))
        .collect();
    let services = world.services().into_iter();
    // A service that no client reaches by the proxy has an address of its own, which is printed.
    let by_proxy = services.filter(|it| it.bypass().is_none_or(|bypass| !bypass.is_only_way));
    let hosts = by_proxy.flat_map(|service| service.hosts());
    let urls = hosts.filter(|host| counted.contains(host));
    let urls: Vec<String> = urls
        .map(|(host, port)| match port {
            443 => format!("https://{host}"),
            80 => format!("http://{host}"),
            port => format!("http://{host}:{port}"),
        })
        .collect();
    if urls.is_empty() {
        return String::new();
    }
    format!("; requests count at {}", urls.join(", "))
}

/// What to say beside a verdict that might be taken for more than it is.
pub fn caution(run: &Run, left: Left) -> Option<String> {
    let reached = |event: &Event| event.kind.endpoint().is_some();
    if !run.trace.events.iter().any(reached) {
        return Some("no request reached a service of this world".to_owned());
    }
    let code = left.code.filter(|code| *code != 0 && left.started)?;
    Some(format!(
        "the command failed: it ended with exit code {code}"
    ))
}

/// Why nothing is judged of a world that saw more than it kept.
pub fn unjudged(run: &Run) -> String {
    let kept = run.trace.events.len() as u64;
    format!(
        "nothing is judged: the world saw {} and kept the latest {kept} (--keep-events)",
        counted(run.dropped + kept, "event"),
    )
}

/// Whether anything from outside ever reached the world.
pub fn somebody_came(run: &Run) -> bool {
    run.trace.events.iter().any(|event| {
        event.kind.endpoint().is_some()
            || matches!(
                event.kind,
                Kind::HostRefused { .. }
                    | Kind::NoRoute { .. }
                    | Kind::Unreached { .. }
                    | Kind::RequestRefused { .. }
                    | Kind::HandshakeFailed { .. }
            )
    })
}

/// What to say when a command ran and nothing of it ever reached the world.
pub fn hint(args: &Args, left: Left) -> Option<&'static str> {
    (args.until_exit && left.started).then_some(
        "either it asked for no token, or it ignores HTTPS_PROXY and HTTP_PROXY: Node's own fetch \
         does (@azure/identity does not), and so does code that sets NO_PROXY, a PATH or a proxy \
         of its own",
    )
}
