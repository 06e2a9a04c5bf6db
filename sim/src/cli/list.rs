//! `credsim list`.

use std::fmt::Write as _;

use anstyle::Style;
use serde::Serialize;

use super::{Console, exit, selection::select};
use crate::{
    redact::{escaped, printable, printable_json},
    report::pretty,
    story::Loaded,
    trace::SCHEMA_VERSION,
};

const LOUD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// What `list` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario files, folders with such, or names; all bundled scenarios if there is none
    #[arg(value_name = "PATH|NAME")]
    pub scenarios: Vec<String>,
    /// How the list is written
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
}

/// How the list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ListFormat {
    /// For people
    #[default]
    Pretty,
    /// One JSON object a line
    Json,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'a> {
    schema_version: u32,
    name: &'a str,
    path: &'a str,
    title: &'a str,
    lasts: String,
    facts: &'a [String],
    promises: &'a [String],
}

/// Lists what is asked for.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let (files, mut codes) = select(&args.scenarios, console);
    let mut loaded = Vec::new();
    for file in &files {
        match file.source.parse_asserting() {
            Ok(scenario) => loaded.push(scenario),
            Err(invalid) => {
                console.say(&format!("{}\n\n", invalid.render(true)));
                codes.push(exit::USAGE);
            }
        }
    }
    if files.is_empty() {
        codes.push(exit::NOTHING);
    }
    console.data(&match args.format {
        ListFormat::Pretty => grouped(&loaded),
        ListFormat::Json => loaded.iter().map(json).collect(),
    });
    exit::first_of(&codes)
}

/// The scenarios below the name of their family.
fn grouped(scenarios: &[Loaded]) -> String {
    let width = pretty::width(scenarios.iter().map(|scenario| scenario.name.as_str()));
    let mut text = String::new();
    let mut last = None;
    for Loaded { name, scenario, .. } in scenarios {
        let family = name.rsplit_once('/').map_or("", |(family, _)| family);
        if last != Some(family) {
            let gap = if last.is_some() { "\n" } else { "" };
            let _ = writeln!(
                text,
                "{gap}{LOUD}{}{LOUD:#}",
                if family.is_empty() {
                    ".".into()
                } else {
                    escaped(family)
                }
            );
            last = Some(family);
        }
        let (name, title) = (printable(name), printable(&scenario.title));
        let _ = write!(text, "  {name:width$}  {title}");
        if !scenario.promises.is_empty() {
            let _ = write!(text, "  {FAINT}{}{FAINT:#}", scenario.promises.join(" "));
        }
        text.push('\n');
    }
    text
}

fn json(loaded: &Loaded) -> String {
    let line = Line {
        schema_version: SCHEMA_VERSION,
        name: &loaded.name,
        path: &loaded.path,
        title: &loaded.scenario.title,
        lasts: loaded.scenario.world.lasts.to_string(),
        facts: &loaded.scenario.facts,
        promises: &loaded.scenario.promises,
    };
    printable_json(&serde_json::to_string(&line).unwrap_or_default()) + "\n"
}
