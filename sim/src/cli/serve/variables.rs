//! The variables that lead a program into a world, in the forms in which programs take them.

use clap::ValueEnum;

use super::super::quote;
use crate::door::Environment;

/// How the variables are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `NAME=value`, a line each
    Env,
    /// One JSON object; null where a variable must not be set
    Json,
    /// Lines for a POSIX shell: `eval "$(...)"` does not end, so write them to a file and source it
    Shell,
}

/// The variables of `environment`.
pub fn told(environment: &Environment, format: Format) -> String {
    let set = environment.set.iter();
    let set = set.map(|(name, value)| (name.as_str(), value.to_string_lossy()));
    match format {
        Format::Env => {
            let unset = environment.unset.iter();
            unset
                .map(|name| format!("# not to be set: {name}\n"))
                .chain(set.map(|(name, value)| format!("{name}={value}\n")))
                .collect()
        }
        Format::Shell => {
            let unset = environment.unset.iter();
            unset
                .map(|name| format!("unset {name}\n"))
                .chain(set.map(|(name, value)| format!("export {name}={}\n", quote::shell(&value))))
                .collect()
        }
        Format::Json => {
            let unset = environment.unset.iter();
            let unset = unset.map(|name| (name.clone(), serde_json::Value::Null));
            let set = set.map(|(name, value)| (name.to_owned(), value.into()));
            let all: serde_json::Map<String, serde_json::Value> = unset.chain(set).collect();
            serde_json::Value::Object(all).to_string() + "\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_says_what_is_set_and_what_must_not_be() {
        let mut environment = Environment::default();
        environment.set.insert("HOME".to_owned(), "/a b".into());
        environment.unset.push("AZURE_CLIENT_ID".to_owned());
        let told = |format| told(&environment, format);
        assert_eq!(
            told(Format::Env),
            "# not to be set: AZURE_CLIENT_ID\nHOME=/a b\n"
        );
        assert_eq!(
            told(Format::Shell),
            "unset AZURE_CLIENT_ID\nexport HOME='/a b'\n"
        );
        assert_eq!(
            told(Format::Json),
            "{\"AZURE_CLIENT_ID\":null,\"HOME\":\"/a b\"}\n"
        );
    }
}
