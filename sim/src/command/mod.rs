//! The simulated command-line tools: what they print, how they exit, how long they take.

pub(crate) mod az;
pub(crate) mod azd;
pub mod matcher;
mod options;
pub(crate) mod pwsh;
mod shown;
#[cfg(test)]
mod shown_tests;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use jiff::tz::TimeZone;

use crate::backend::{Stage, capture::Witnessed, journal::Why, stage::State};
use crate::{
    engine::{Host, Runtime},
    fault::Strike,
    scenario::{FaultThen, Range, Span},
    trace::Facts,
};
use matcher::CommandFacts;
use shown::Shown;

pub(crate) use self::USUAL as USUAL_COMMAND_TIME;

/// What a simulated command left when it ended. `Debug` shows no content: standard output holds
/// tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandExit {
    /// The exit code.
    pub code: i32,
    /// Everything written to standard output.
    pub stdout: String,
    /// Everything written to standard error.
    pub stderr: String,
}

impl fmt::Debug for CommandExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandExit")
            .field("code", &self.code)
            .field("stdout", &format_args!("{} bytes", self.stdout.len()))
            .field("stderr", &format_args!("{} bytes", self.stderr.len()))
            .finish()
    }
}

/// There is no such command on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandMissing;

impl fmt::Display for CommandMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such command on this host")
    }
}

impl std::error::Error for CommandMissing {}

/// How long a command takes when the scenario does not say.
pub const USUAL: Duration = Duration::from_secs(1);

/// How a command was called.
pub struct Call<'a> {
    /// Its arguments.
    pub args: &'a [String],
    /// Variables set in addition to the host's own.
    pub env: &'a [(String, String)],
    /// The host's time zone.
    pub zone: TimeZone,
}

/// What a command left, and why.
struct Done {
    exit: CommandExit,
    why: Why,
}

impl Done {
    fn failed(code: i32, stderr: impl Into<String>, why: impl Into<String>) -> Self {
        let exit = CommandExit {
            code,
            stdout: String::new(),
            stderr: stderr.into(),
        };
        Self {
            exit,
            why: Why::plain(why),
        }
    }
}

/// A command under way; dropping it is killing it.
struct Running<'a> {
    stage: &'a Stage,
    runtime: Arc<dyn Runtime>,
    /// The credential's instance and the command's number.
    ids: (u32, u64),
    program: &'a str,
    strike: Option<Strike>,
    is_over: bool,
}

impl Running<'_> {
    fn end(&mut self, code: Option<i32>, why: Why) {
        self.is_over = true;
        let at = self.runtime.elapsed();
        let fault = self.strike.as_ref().map(|strike| strike.fault.clone());
        self.stage
            .journal()
            .command_ended(at, self.ids, self.program, code, Why { fault, ..why });
        if let Some(strike) = self.strike.take_if(|strike| strike.last) {
            self.stage.retire(strike.rule, at);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.is_over && !self.stage.journal().is_closed() {
            self.end(None, Why::plain("killed"));
        }
    }
}

/// Runs `program` to its end.
pub async fn run(
    stage: &Stage,
    host: &Host,
    instance: u32,
    program: &str,
    call: &Call<'_>,
) -> Result<CommandExit, CommandMissing> {
    let runtime = host.runtime.clone();
    let at = runtime.elapsed();
    let shown = Shown::new(stage, program, call);
    stage.witness(|| Witnessed::Command {
        program: program.to_owned(),
        args: shown.args.clone(),
    });
    let facts = Facts::new(CommandFacts {
        program: program.to_owned(),
    });
    let number = stage
        .journal()
        .command_started(at, instance, program, &shown.line, &facts);
    if stage.is_open()
        && let Some(what) = shown.real
    {
        stage.warn_of_real_secret(at, program, what);
    }
    let mut running = Running {
        stage,
        runtime: runtime.clone(),
        ids: (instance, number),
        program,
        strike: None,
        is_over: false,
    };
    let takes = installed(&stage.state(), program);
    let Some(takes) = takes else {
        running.end(None, Why::plain("not installed"));
        return Err(CommandMissing);
    };
    running.strike = stage.strike(&facts, at);
    let then = running.strike.as_ref().map(|strike| strike.then.clone());
    let mut time = stage.draw(&format!("{program} takes"), takes);
    match &then {
        Some(FaultThen::Hang(_)) => std::future::pending().await,
        Some(FaultThen::Delay(delay)) => {
            time += stage.draw(&format!("{program} delay"), delay.by);
        }
        _ => {}
    }
    if time > Duration::ZERO {
        runtime.sleep(time).await;
    }
    let done = match then {
        Some(FaultThen::Exit(exit)) => Done {
            why: Why::plain(format!("a fault exits with {}", exit.code)),
            exit: CommandExit {
                code: exit.code,
                stdout: exit.stdout,
                stderr: exit.stderr,
            },
        },
        _ if program == "az" => az::run(stage, call, runtime.elapsed()),
        _ if program == "pwsh" => pwsh::run(stage, call, runtime.elapsed()),
        _ => azd::run(stage, call, runtime.elapsed()),
    };
    let why = shown.without_secrets(done.why.why);
    running.end(Some(done.exit.code), Why { why, ..done.why });
    Ok(done.exit)
}

/// How long an installed command takes.
fn installed(state: &State, program: &str) -> Option<Range> {
    let takes = match program {
        "az" => state.world.az.as_ref().filter(|az| az.installed)?.takes,
        "azd" => state.world.azd.as_ref().filter(|azd| azd.installed)?.takes,
        "pwsh" => {
            let pwsh = state.world.pwsh.as_ref();
            pwsh.filter(|pwsh| pwsh.installed)?.takes
        }
        _ => return None,
    };
    Some(takes.unwrap_or(Range::fixed(USUAL)))
}

/// The object id of a person.
fn object_id(state: &State, name: &str) -> String {
    let account = state.world.accounts.get(name);
    account.map_or_else(
        || crate::backend::issuer::derived_guid(name),
        |account| account.object_id.clone(),
    )
}

/// What all commands have, in words.
fn describe_tool(
    installed: bool,
    account: Option<&String>,
    takes: Option<&Range>,
    life: Span,
) -> Vec<String> {
    let mut parts = vec![
        if installed {
            "installed"
        } else {
            "not installed"
        }
        .to_owned(),
    ];
    parts.push(match account {
        Some(account) => format!("{account} is logged in"),
        None => "nobody is logged in".to_owned(),
    });
    parts.extend(takes.map(|takes| format!("takes {}", takes.describe())));
    parts.push(format!("tokens live {life}"));
    parts
}
