//! The command line: what can be asked, one file for each subcommand.
//!
//! Text for people goes to standard error, data to standard output.

pub mod check;
mod conclude;
mod console;
mod engine;
pub mod exit;
pub mod explain;
mod files;
pub mod launch;
mod limits;
pub mod list;
mod progress;
pub mod run;
pub mod schema;
mod selection;
pub mod serve;
mod subjects;

use std::{ffi::OsString, process::ExitCode, sync::Arc};

use clap::{ColorChoice, Parser, Subcommand, ValueEnum};

use crate::{
    redact::{escaped_lines, masked, printable},
    subject::Subject,
};

pub use console::Console;

/// Replays Azure credential failures in virtual time and asserts what the client did.
#[derive(Debug, Parser)]
#[command(
    name = "credsim",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = exit::HELP
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Whether the output is coloured; `auto` also honours NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play scenarios and judge them
    Run(run::Args),
    /// Run a scenario's world for real, for programs on this machine
    Serve(serve::Args),
    /// Read scenario files and say what is wrong with them, without playing them
    Check(check::Args),
    /// Show which scenarios there are
    List(list::Args),
    /// Explain a scenario, a fact (MI-60) or a promise (PR-02)
    Explain(explain::Args),
    /// Print the JSON Schema of scenario files
    Schema,
    /// Become another program, which ends with this one's parent
    #[command(name = launch::NAME, hide = true)]
    LaunchChild(launch::Args),
}

impl Cli {
    /// Does what the command line of this process asks, as [`run`](Self::run) does. One that makes
    /// no sense is told of on standard error, with exit code 2, and one that asks for help gets it.
    pub fn main(peers: &[Arc<dyn Subject>]) -> ExitCode {
        let args: Vec<OsString> = std::env::args_os().collect();
        match Self::try_parse_from(&args) {
            Ok(cli) => cli.run(peers),
            Err(error) => refuse(&args, &error),
        }
    }

    /// Does what is asked. `peers` are the subjects that this command was built with besides ours.
    pub fn run(self, peers: &[Arc<dyn Subject>]) -> ExitCode {
        let mut console = Console::new(self.color);
        let code = match &self.command {
            Command::Run(asked) => run::run(asked, peers, &mut console),
            Command::Serve(asked) => serve::run(asked, &mut console),
            Command::Check(asked) => check::run(asked, &mut console),
            Command::List(asked) => list::run(asked, &mut console),
            Command::Explain(asked) => explain::run(asked, &mut console),
            Command::Schema => schema::run(&mut console),
            Command::LaunchChild(asked) => launch::run(asked, &mut console),
        };
        ExitCode::from(console.finish(code))
    }
}

/// Shows why `args` make no sense, or the help for which they ask.
fn refuse(args: &[OsString], error: &clap::Error) -> ExitCode {
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE));
    if !error.use_stderr() {
        // A reader that has gone is no error.
        let _ = error.print();
        return code;
    }
    // The error quotes arguments between styles of its own: it is made again, of arguments that may
    // be shown.
    let shown = args.iter().map(|arg| printable(&arg.to_string_lossy()));
    let text = match Cli::try_parse_from(shown) {
        Err(again) if again.kind() == error.kind() => again.render().ansi().to_string(),
        Err(_) | Ok(_) => {
            let text = error.render().to_string();
            escaped_lines(&masked(&text)).into_owned()
        }
    };
    Console::new(ColorChoice::Auto).say(&text);
    code
}

/// The name of the program that runs, for command lines that are shown.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_stem().map(|name| name.to_string_lossy());
    name.map_or_else(|| env!("CARGO_PKG_NAME").to_owned(), Into::into)
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, on standard error
    #[default]
    Pretty,
    /// One JSON object a line, on standard output
    Json,
    /// Annotations for GitHub Actions, on standard output, beside the text for people
    Github,
}
