//! Secrets that are recognised by their place in a command line.

use super::{MASK, is_secret_name, looks_secret, masked};

/// How a program reads its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As `az`, where `-p` is a password and options may be cut short.
    Az,
    /// Unknown: only the names of options and variables count.
    Any,
}

/// The options of `az` and `azd` that take secrets. Both accept unambiguous prefixes of them.
const OPTIONS: &[&str] = &[
    "--access-token",
    "--client-secret",
    "--federated-token",
    "--password",
    "--refresh-token",
];

/// The length of the shortest unambiguous prefix of these: `--pas`.
const SHORTEST: usize = 5;

/// How many arguments after an option are its values.
#[derive(Clone, Copy)]
enum Covers {
    Nothing,
    Next,
    /// All up to the next option.
    Many,
}

/// The arguments with what holds a secret covered: the values of options and variables that are
/// called like secrets, and whatever looks like one.
pub fn arguments(args: &[String], dialect: Dialect) -> Vec<String> {
    // Programs with a `login` command mostly take its options from `az`.
    let logs_in = args.iter().any(|arg| arg == "login");
    let dialect = if logs_in { Dialect::Az } else { dialect };
    let mut covers = Covers::Nothing;
    let shown = args.iter().map(|arg| {
        let is_value = match covers {
            Covers::Nothing => false,
            Covers::Next => true,
            Covers::Many => !arg.starts_with('-'),
        };
        if is_value {
            if matches!(covers, Covers::Next) {
                covers = Covers::Nothing;
            }
            return MASK.to_owned();
        }
        covers = covered(arg, dialect);
        argument(arg, dialect)
    });
    shown.collect()
}

/// How many arguments after `arg` are secret, if it is an option without its value.
fn covered(arg: &str, dialect: Dialect) -> Covers {
    let is_alone = arg.starts_with('-') && !arg.contains(['=', ':']);
    if dialect == Dialect::Az && arg == "-p" {
        Covers::Next
    } else if !is_alone || !is_secret_option(arg, dialect) {
        Covers::Nothing
    } else if arg.ends_with('s') {
        Covers::Many
    } else {
        Covers::Next
    }
}

fn is_secret_option(name: &str, dialect: Dialect) -> bool {
    let is_cut = dialect == Dialect::Az
        && name.len() >= SHORTEST
        && OPTIONS.iter().any(|option| option.starts_with(name));
    is_cut || is_secret_name(name)
}

/// An argument that is not the value of the one before it, with its secrets covered.
fn argument(arg: &str, dialect: Dialect) -> String {
    let is_option = arg.starts_with('-');
    if dialect == Dialect::Az
        && arg.len() > 2
        && let Some(value) = arg.strip_prefix("-p")
    {
        return format!("-p{}{MASK}", if value.starts_with('=') { "=" } else { "" });
    }
    let marks: &[char] = if is_option { &['=', ':'] } else { &['='] };
    if let Some((name, _)) = arg.split_once(marks)
        && is_secret_option(name, dialect)
    {
        let mark = arg.get(name.len()..=name.len()).unwrap_or_default();
        return format!("{name}{mark}{MASK}");
    }
    let shown = masked(arg);
    // It may be a script, whose own arguments may be secret.
    let words: Vec<String> = shown.split_whitespace().map(str::to_owned).collect();
    let covers_words = words.len() > 1 && arguments(&words, dialect) != words;
    if covers_words || looks_secret(&shown) {
        return MASK.to_owned();
    }
    shown.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, dialect: Dialect) -> String {
        let args: Vec<_> = line.split(' ').map(str::to_owned).collect();
        arguments(&args, dialect).join(" ")
    }

    #[test]
    fn values_of_secret_options_are_covered() {
        for (line, expected) in [
            (
                "login --service-principal -u u -p S --tenant t",
                "login --service-principal -u u -p *** --tenant t",
            ),
            ("login -pS", "login -p***"),
            ("login -p=S", "login -p=***"),
            (
                "login --password=S --tenant t",
                "login --password=*** --tenant t",
            ),
            ("login --passw -S", "login --passw ***"),
            ("login --federated-t S", "login --federated-t ***"),
            (
                "auth login --client-secret S",
                "auth login --client-secret ***",
            ),
            (
                "secret set --secrets a=b c -n n",
                "secret set --secrets *** *** -n n",
            ),
            ("x AZURE_CLIENT_SECRET=S", "x AZURE_CLIENT_SECRET=***"),
            ("x --set=client_secret=S", "x ***"),
            ("get --claims C --scope S", "get --claims C --scope S"),
            (
                "get --subscription S --secret-name n",
                "get --subscription S --secret-name n",
            ),
        ] {
            assert_eq!(shown(line, Dialect::Az), expected);
        }
    }

    #[test]
    fn outside_az_p_is_no_password() {
        assert_eq!(shown("mkdir -p a", Dialect::Any), "mkdir -p a");
        assert_eq!(shown("app --token S", Dialect::Any), "app --token ***");
        assert_eq!(shown("az login -p S", Dialect::Any), "az login -p ***");
        assert_eq!(shown("app -Password:S", Dialect::Any), "app -Password:***");
    }

    #[test]
    fn a_script_is_covered_whole() {
        for (script, expected) in [
            ("mkdir -p a; az login -u u -p S", MASK),
            ("app --client-secret S", MASK),
            ("mkdir -p a; app", "mkdir -p a; app"),
        ] {
            assert_eq!(arguments(&[script.to_owned()], Dialect::Any), [expected]);
        }
    }

    proptest::proptest! {
        #[test]
        fn as_many_come_out_as_go_in(args: Vec<String>) {
            for dialect in [Dialect::Az, Dialect::Any] {
                proptest::prop_assert_eq!(arguments(&args, dialect).len(), args.len());
            }
        }
    }
}
