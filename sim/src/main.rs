//! `credsim`: replays Azure credential failures in virtual time, or for real.

use std::process::ExitCode;

use clap::Parser as _;
use credsim::{
    cli::{Cli, Command, Console, check, explain, list, run, schema, serve},
    door::shims,
};

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    if let Some(command) = shims::is_shim(args.next().as_deref()) {
        return shims::run(command, args);
    }
    let Cli { command, color } = Cli::parse();
    let mut console = Console::new(color);
    let code = match &command {
        Command::Run(asked) => run::run(asked, &mut console),
        Command::Serve(asked) => serve::run(asked, &mut console),
        Command::Check(asked) => check::run(asked, &mut console),
        Command::List(asked) => list::run(asked, &mut console),
        Command::Explain(asked) => explain::run(asked, &mut console),
        Command::Schema => schema::run(&mut console),
    };
    ExitCode::from(console.finish(code))
}
