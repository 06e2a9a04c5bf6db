//! `credsim check`.

use serde::Serialize;

use super::{Console, Format, exit, limits::LimitArgs, selection::select};
use crate::{redact::printable_json, scenario::Diagnostic, trace::SCHEMA_VERSION};

/// What `check` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario files, folders with such, or names; all bundled scenarios if there is none
    #[arg(value_name = "PATH|NAME")]
    pub scenarios: Vec<String>,
    /// What a scenario may take.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// How the mistakes are written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Reads what is asked for and says what is wrong with it.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let (files, mut codes) = select(&args.scenarios, console);
    let (mut valid, mut invalid) = (0, 0);
    for file in &files {
        let read = file.source.parse_asserting();
        let limits = args.limits.limits();
        let Err(found) = read.and_then(|loaded| loaded.fits(&limits)) else {
            valid += 1;
            continue;
        };
        invalid += 1;
        codes.push(exit::USAGE);
        match args.format {
            Format::Json => {
                let lines = found
                    .diagnostics()
                    .iter()
                    .map(|found| line(&file.source.name, found));
                console.data(&lines.collect::<String>());
                if found.left_out() > 0 {
                    console.data(&left_out(&file.source.name, found.left_out()));
                }
            }
            Format::Pretty | Format::Github => {
                console.say(&format!("{}\n\n", found.render(true)));
                if args.format == Format::Github {
                    console.data(&format!("{}\n", found.github()));
                }
            }
        }
    }
    if files.is_empty() {
        codes.push(exit::NOTHING);
    }
    console.say(&format!("{valid} valid, {invalid} invalid\n"));
    exit::first_of(&codes)
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'a> {
    schema_version: u32,
    r#type: &'static str,
    name: &'a str,
    diagnostic: &'a Diagnostic,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct LeftOut<'a> {
    schema_version: u32,
    r#type: &'static str,
    name: &'a str,
    count: usize,
}

/// How many diagnostics of a file have no line.
fn left_out(name: &str, count: usize) -> String {
    let line = LeftOut {
        schema_version: SCHEMA_VERSION,
        r#type: "diagnostics-left-out",
        name,
        count,
    };
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

fn line(name: &str, diagnostic: &Diagnostic) -> String {
    let line = Line {
        schema_version: SCHEMA_VERSION,
        r#type: "diagnostic",
        name,
        diagnostic,
    };
    printable_json(&serde_json::to_string(&line).unwrap_or_default()) + "\n"
}
