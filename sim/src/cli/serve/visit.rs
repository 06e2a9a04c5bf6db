//! What goes on while a world is served: the variables, the command, the end.

use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    super::{Console, exit, quote},
    Args, Format,
    child::Running,
    variables,
};
use crate::{door::Door, engine::BoxFuture, run::Run, scenario::Scenario, trace::Kind};

/// How the guests left.
#[derive(Clone, Copy, Debug, Default)]
pub struct Left {
    /// What the process must exit with, whatever the verdict says: the command's own code.
    pub code: Option<u8>,
    /// Whether a command ran.
    pub ran: bool,
}

/// What [`Guests`](crate::run::Guests) do.
#[expect(clippy::type_complexity, reason = "a boxed async function")]
pub fn visit(
    args: &Args,
    scenario: &Scenario,
    mut console: Console,
    left: Arc<OnceLock<Left>>,
) -> Box<dyn FnOnce(&Door) -> BoxFuture<'static, ()> + Send> {
    let format = match (args.format, args.command.is_empty()) {
        (None, true) => Some(Format::Env),
        (asked, _) => asked,
    };
    let command = args.command.clone();
    let world = in_it(scenario);
    Box::new(move |door| {
        if let Some(format) = format {
            match variables::told(&door.environment, format) {
                Ok(told) => {
                    console.data(&told.text);
                    if let Some(left_out) = told.left_out() {
                        console.say(&left_out);
                    }
                }
                Err((message, help)) => {
                    console.error(&message, Some(help));
                    let code = Some(exit::USAGE);
                    let _ = left.set(Left { code, ran: false });
                    return Box::pin(std::future::ready(()));
                }
            }
        }
        if command.is_empty()
            && let Some(imds) = door.imds
        {
            console.say(&format!(
                "for clients that ignore the proxy, and without a probe of IMDS: \
                 AZURE_POD_IDENTITY_AUTHORITY_HOST=http://{imds}\n"
            ));
        }
        let until = if command.is_empty() {
            "; Ctrl-C ends it"
        } else {
            ""
        };
        console.say(&format!(
            "ready: {world} behind the proxy http://{}{until}\n",
            door.proxy
        ));
        let environment = door.environment.whole();
        Box::pin(async move {
            if command.is_empty() {
                interrupted().await;
                return;
            }
            let mut ran = false;
            let code = match Running::start(&command, &environment) {
                Ok(mut running) => {
                    ran = true;
                    let code = tokio::select! { biased;
                        code = running.exit() => code.unwrap_or(1),
                        signal = interrupted() => 128 + signal,
                    };
                    running.end().await;
                    code
                }
                Err(error) => {
                    let name = command.first().map(|name| name.to_string_lossy());
                    let name = quote::shell(&name.unwrap_or_default());
                    let help = "is it installed, and on the PATH?";
                    console.error(&format!("{name} cannot be started: {error}"), Some(help));
                    // As a shell says it.
                    127
                }
            };
            let _ = left.set(Left {
                code: Some(code),
                ran,
            });
        })
    })
}

/// Completes with the number of the signal by which somebody ends this process.
async fn interrupted() -> u8 {
    const SIGNALS: [(SignalKind, u8); 3] = [
        (SignalKind::interrupt(), 2),
        (SignalKind::terminate(), 15),
        (SignalKind::hangup(), 1),
    ];
    let wait = |(kind, number)| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            // It then ends the process as it always does.
            Err(_) => std::future::pending().await,
        }
        number
    };
    let [one, two, three] = SIGNALS.map(wait);
    tokio::select! { biased;
        number = one => number,
        number = two => number,
        number = three => number,
    }
}

/// What a world has, in words.
fn in_it(scenario: &Scenario) -> String {
    let world = &scenario.world;
    let mut has = Vec::new();
    if world.imds.is_some() {
        has.push("IMDS".to_owned());
    }
    if world.entra.is_some() {
        has.push("Entra ID".to_owned());
    }
    has.extend(world.resources.keys().cloned());
    let commands = [
        ("az", world.az.is_some()),
        ("azd", world.azd.is_some()),
        ("pwsh", world.pwsh.is_some()),
    ];
    has.extend(
        commands
            .iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| (*name).to_owned()),
    );
    if has.is_empty() {
        "an empty world".to_owned()
    } else {
        has.join(", ")
    }
}

/// What to say when a command ran and nothing of it ever reached the world.
pub fn nobody_came(left: Left, run: &Run) -> Option<(String, String)> {
    let came = run.trace.events.iter().any(|event| {
        event.kind.endpoint().is_some()
            || matches!(
                event.kind,
                Kind::HostRefused { .. } | Kind::HandshakeFailed { .. }
            )
    });
    (left.ran && !came).then(|| {
        (
            "the command never reached the world: no request, no simulated command".to_owned(),
            "either it asked for no token, or it ignores HTTPS_PROXY and HTTP_PROXY: Node's own \
             fetch does (@azure/identity does not), and so does code that sets NO_PROXY, a PATH \
             or a proxy of its own"
                .to_owned(),
        )
    })
}
