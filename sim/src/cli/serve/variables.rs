//! The variables that lead a program into a world, in the forms in which programs take them.

use clap::ValueEnum;

use crate::live::Environment;
use crate::simulation::quoted;

/// How the variables are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `NAME=value`, a line each
    Env,
    /// One JSON object; null where a variable must not be set
    Json,
    /// Lines for a POSIX shell: `eval "$(...)"` does not end, so write them to a file and source it
    Shell,
}

/// The variables as they are printed.
#[derive(Debug, PartialEq, Eq)]
pub struct Printed {
    /// The whole text.
    pub text: String,
    /// The names that the form cannot hold.
    nameless: Vec<String>,
}

impl Printed {
    /// What is not in the text, in words; none if all is.
    pub fn left_out(&self) -> Option<String> {
        let names: Vec<_> = self
            .nameless
            .iter()
            .map(|name| format!("{name:?}"))
            .collect();
        (!names.is_empty()).then(|| {
            format!(
                "left out, because their names cannot be written in this form: {}\n",
                names.join(", ")
            )
        })
    }
}

/// The variables of `environment`. What has a name that the form cannot hold is left out.
///
/// # Errors
/// A value that the form cannot hold: which one it is, and what to do.
pub fn print(environment: &Environment, format: Format) -> Result<Printed, (String, &'static str)> {
    let can_hold = |name: &&str| match format {
        Format::Env => !name.contains(['\n', '\r', '=']),
        Format::Json => true,
        Format::Shell => is_identifier(name),
    };
    let names = environment.set.keys().chain(&environment.unset);
    let nameless = names.map(String::as_str).filter(|name| !can_hold(name));
    let nameless = nameless.map(str::to_owned).collect();
    let unset = environment
        .unset
        .iter()
        .map(String::as_str)
        .filter(can_hold);
    let set = environment.set.iter();
    let set = set.map(|(name, value)| (name.as_str(), value.to_string_lossy()));
    let set = set.filter(|(name, _)| can_hold(name));
    let alternatives = environment.alternatives.iter().map(|(name, value)| {
        format!("# instead, for clients that ignore the proxy: {name}={value}\n")
    });
    let alternatives: String = alternatives.collect();
    let text = match format {
        Format::Env => {
            let mut text: String = unset
                .map(|name| format!("# not to be set: {name}\n"))
                .collect();
            for (name, value) in set {
                if value.contains(['\n', '\r']) {
                    let what =
                        format!("the value of {name} has a line break, which env cannot hold");
                    return Err((what, "--format json can, and so can shell"));
                }
                text.push_str(&format!("{name}={value}\n"));
            }
            text + &alternatives
        }
        Format::Shell => unset
            .map(|name| format!("unset {name}\n"))
            .chain(set.map(|(name, value)| format!("export {name}={}\n", quoted(&value))))
            .chain([alternatives])
            .collect(),
        Format::Json => {
            let unset = unset.map(|name| (name.to_owned(), serde_json::Value::Null));
            let set = set.map(|(name, value)| (name.to_owned(), value.into()));
            let all: serde_json::Map<String, serde_json::Value> = unset.chain(set).collect();
            serde_json::Value::Object(all).to_string() + "\n"
        }
    };
    Ok(Printed { text, nameless })
}

/// Whether a shell takes it for the name of a variable.
fn is_identifier(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_word) && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_says_what_is_set_and_what_must_not_be() {
        let mut environment = Environment::default();
        environment.set.insert("HOME".to_owned(), "/a b".into());
        environment.unset.push("AZURE_CLIENT_ID".to_owned());
        let printed = |format| {
            print(&environment, format)
                .expect("all can be printed")
                .text
        };
        assert_eq!(
            printed(Format::Env),
            "# not to be set: AZURE_CLIENT_ID\nHOME=/a b\n"
        );
        assert_eq!(
            printed(Format::Shell),
            "unset AZURE_CLIENT_ID\nexport HOME='/a b'\n"
        );
        assert_eq!(
            printed(Format::Json),
            "{\"AZURE_CLIENT_ID\":null,\"HOME\":\"/a b\"}\n"
        );
    }

    #[test]
    fn an_alternative_is_a_comment_and_nothing_that_is_set() {
        let name = "AZURE_POD_IDENTITY_AUTHORITY_HOST".to_owned();
        let mut environment = Environment::default();
        environment
            .alternatives
            .insert(name, "http://127.0.0.1:1".to_owned());
        for format in [Format::Env, Format::Shell] {
            let text = print(&environment, format)
                .expect("all can be printed")
                .text;
            assert!(
                text.starts_with("# instead, ") && text.lines().count() == 1,
                "{text}"
            );
            assert!(text.ends_with("AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:1\n"));
        }
        // A JSON object has no comments.
        let json = print(&environment, Format::Json).expect("all can be printed");
        assert_eq!(json.text, "{}\n");
    }

    #[test]
    fn a_form_holds_only_what_it_can() {
        let mut environment = Environment::default();
        for name in ["AZURE_A-B", "OK_1"] {
            environment.set.insert(name.to_owned(), "x".into());
        }
        let unset = ["1A", "AZURE_$(x)", "AZURE_\nB", "AZURE_C"];
        environment.unset = unset.map(str::to_owned).to_vec();
        let shell = print(&environment, Format::Shell).expect("all can be printed");
        assert_eq!(shell.text, "unset AZURE_C\nexport OK_1=x\n");
        assert_eq!(
            shell.left_out().expect("some are missing"),
            "left out, because their names cannot be written in this form: \
             \"AZURE_A-B\", \"1A\", \"AZURE_$(x)\", \"AZURE_\\nB\"\n"
        );
        let env = print(&environment, Format::Env).expect("all can be printed");
        assert_eq!(env.nameless, ["AZURE_\nB"]);
        assert_eq!(env.text.lines().count(), 5);
        let json = print(&environment, Format::Json).expect("all can be printed");
        assert_eq!(json.left_out(), None);
    }

    #[test]
    fn a_value_of_several_lines_is_told_only_where_it_can_be() {
        let mut environment = Environment::default();
        environment.set.insert("A".to_owned(), "b\nC=d".into());
        let (what, help) = print(&environment, Format::Env).expect_err("it cannot");
        assert_eq!(
            what,
            "the value of A has a line break, which env cannot hold"
        );
        assert!(help.contains("json"));
        for format in [Format::Json, Format::Shell] {
            assert!(print(&environment, format).is_ok());
        }
    }
}
