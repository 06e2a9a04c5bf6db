//! `credsim explain`: a scenario, a fact, a promise or a part of scenario files in words.

mod calls;
mod cited;
mod reference;
mod scenario;
mod world;

use anstyle::{AnsiColor, Style};

use super::{Console, exit};
use crate::{
    facts,
    story::{Loaded, library},
};

const LOUD: Style = Style::new().bold();
const HEADING: Style = AnsiColor::Cyan.on_default().bold();

/// What `explain` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenarios (as `run` takes them), facts (`MI-60`), promises (`PR-02`), or the keys of a part
    /// of a scenario file: `fault`, `call`, `expect` or `action`
    #[arg(value_name = "NAME|FACT|PROMISE|PART", required = true)]
    pub ids: Vec<String>,
}

/// Explains what is asked for.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let mut codes = Vec::new();
    let mut explained = 0;
    for id in &args.ids {
        match explain(id) {
            Ok(texts) => {
                for text in texts {
                    if explained > 0 {
                        console.data("\n");
                    }
                    console.show(&text);
                    explained += 1;
                }
            }
            Err(Trouble::Unknown { message, help }) => {
                console.error(&message, Some(&help));
                codes.push(exit::NOTHING);
            }
            Err(Trouble::Invalid(rendered)) => {
                console.say(&format!("{rendered}\n\n"));
                codes.push(exit::USAGE);
            }
        }
    }
    exit::first_of(&codes)
}

enum Trouble {
    Unknown { message: String, help: String },
    Invalid(String),
}

fn explain(id: &str) -> Result<Vec<String>, Trouble> {
    let text = cited::fact(id).or_else(|| cited::promise(id));
    if let Some(text) = text.or_else(|| reference::part(id)) {
        return Ok(vec![text]);
    }
    let sources = library::find(id).map_err(|missing| unknown(id, missing))?;
    sources
        .iter()
        .map(|source| match source.parse_asserting() {
            Ok(loaded) => Ok(scenario::describe(&loaded)),
            Err(invalid) => Err(Trouble::Invalid(invalid.render(true))),
        })
        .collect()
}

/// What looks like the id of a fact or promise is compared to those, anything else to names.
fn unknown(id: &str, missing: library::NotFound) -> Trouble {
    let looks_like_id = id.split_once('-').is_some_and(|(letters, digits)| {
        letters.chars().all(|c| c.is_ascii_alphabetic())
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_ascii_alphanumeric())
    });
    if !looks_like_id {
        return Trouble::Unknown {
            message: missing.message,
            help: missing.help,
        };
    }
    let wanted = id.to_uppercase();
    let ids = || facts::facts().keys().chain(facts::promises().keys());
    let letters_of = |id: &str| id.split_once('-').map(|(letters, _)| letters.to_owned());
    let letters = letters_of(&wanted).unwrap_or_default();
    if !ids().any(|known| letters_of(known).as_ref() == Some(&letters)) {
        return Trouble::Unknown {
            message: format!(
                "no fact and no promise `{letters}-…` is in this version, so no `{id}`"
            ),
            help: "a fact is here once a scenario or a credential relies on it".to_owned(),
        };
    }
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&wanted, known);
    let near = ids()
        .map(|known| (likeness(known), known))
        .fold(None, |best, next| match best {
            Some((likeness, _)) if likeness >= next.0 => best,
            _ => Some(next),
        });
    Trouble::Unknown {
        message: format!("there is no fact, promise or scenario `{id}`"),
        help: match near {
            Some((likeness, known)) if likeness > 0.5 => format!("did you mean `{known}`?"),
            _ => "the facts and promises of a scenario stand in `credsim explain NAME`".to_owned(),
        },
    }
}

/// The bundled scenarios; that they are valid is a matter for the tests.
fn library() -> Vec<Loaded> {
    library::bundled()
        .iter()
        .filter_map(|source| source.parse().ok())
        .collect()
}
