//! A run of a command, from its start to its end.

use std::{sync::Arc, time::Duration};

use jiff::tz::TimeZone;

use super::{
    Call, CommandExit, CommandMissing, Done, Program, USUAL, matcher::CommandFacts, shown::Shown,
};
use crate::{
    backend::{Backend, capture::Captured, journal::Why},
    engine::{Host, Runtime},
    fault::{
        Strike,
        effect::{CommandEffect, FaultThen},
    },
    scenario::Range,
    trace::Facts,
};

/// A command under way; dropping it kills the command.
struct Running<'a> {
    backend: &'a Backend,
    runtime: Arc<dyn Runtime>,
    /// The credential's instance and the command's number.
    ids: (u32, u64),
    name: &'a str,
    strike: Option<Strike>,
    is_over: bool,
}

impl Running<'_> {
    fn end(&mut self, code: Option<i32>, why: Why) {
        self.is_over = true;
        let at = self.runtime.elapsed();
        let fault = self.strike.as_ref().map(|strike| strike.fault.clone());
        self.backend
            .journal()
            .command_ended(at, self.ids, self.name, code, Why { fault, ..why });
        if let Some(strike) = self.strike.take_if(|strike| strike.last) {
            self.backend.retire(strike.rule, at);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.is_over && !self.backend.journal().is_closed() {
            self.end(None, Why::plain("killed"));
        }
    }
}

impl Backend {
    /// Runs `program` on `host` as the real `az`, `azd` or `pwsh` would run. Dropping the future
    /// kills it.
    ///
    /// # Errors
    /// It is not installed there.
    pub async fn run_command(
        &self,
        host: &Host,
        instance: u32,
        program: &str,
        args: &[String],
        env: &[(String, String)],
        zone: TimeZone,
    ) -> Result<CommandExit, CommandMissing> {
        run(self, host, instance, program, &Call { args, env, zone }).await
    }
}

/// Runs the command called `name` to its end.
///
/// # Errors
/// It is not installed, or not simulated.
async fn run(
    backend: &Backend,
    host: &Host,
    instance: u32,
    name: &str,
    call: &Call<'_>,
) -> Result<CommandExit, CommandMissing> {
    let program = Program::parse(name);
    let runtime = host.runtime.clone();
    let at = runtime.elapsed();
    let shown = match program {
        Some(program) => program.shown(backend, call),
        None => Shown::of_options(backend, call),
    };
    backend.capture(|| Captured::Command {
        program: name.to_owned(),
        args: shown.args.clone(),
    });
    let facts = program.map_or_else(Facts::default, |program| {
        Facts::new(CommandFacts { program })
    });
    let number = backend
        .journal()
        .command_started(at, instance, name, &shown.line, &facts);
    if backend.is_open()
        && let Some(what) = shown.real
    {
        backend.warn_of_real_secret(at, name, what);
    }
    let mut running = Running {
        backend,
        runtime: runtime.clone(),
        ids: (instance, number),
        name,
        strike: None,
        is_over: false,
    };
    let installed = program.and_then(|program| Some((program, takes(backend, program)?)));
    let Some((program, takes)) = installed else {
        running.end(None, Why::plain("not installed"));
        return Err(CommandMissing);
    };
    running.strike = backend.strike(&facts, at);
    let then = running.strike.as_ref().map(|strike| strike.then.clone());
    let mut time = backend.draw(&format!("{name} takes"), takes);
    let exits = match then.as_ref().and_then(FaultThen::on_command) {
        Some(CommandEffect::Hang) => std::future::pending().await,
        Some(CommandEffect::Delay(by)) => {
            time += backend.draw(&format!("{name} delay"), by);
            None
        }
        Some(CommandEffect::Exit(exit)) => Some(exit.clone()),
        None => None,
    };
    if time > Duration::ZERO {
        runtime.sleep(time).await;
    }
    let done = match exits {
        Some(exit) => Done {
            why: Why::plain(format!("a fault exits with {}", exit.code)),
            exit: CommandExit {
                code: exit.code,
                stdout: exit.stdout,
                stderr: exit.stderr,
            },
        },
        None => {
            let now = backend.time(runtime.elapsed());
            program.run(&mut backend.state(), now, call)
        }
    };
    let why = shown.without_secrets(done.why.why);
    running.end(Some(done.exit.code), Why { why, ..done.why });
    Ok(done.exit)
}

/// How long a run takes; `None` if the command is not installed.
fn takes(backend: &Backend, program: Program) -> Option<Range> {
    let state = backend.state();
    let common = program.running(&state)?.common();
    let takes = common.takes.unwrap_or(Range::fixed(USUAL));
    common.installed.then_some(takes)
}
