//! Secrets that are recognised by their place in a command line.

use super::{
    MASK, is_secret_name, looks_secret, masked, masked_query, name::is_secret_member, shape,
    shape::word_ranges,
};

/// How a program reads its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As `az`, where `-p` is a password and options may be cut short.
    Az,
    /// The words of a PowerShell script, where a value may refer to a variable or to an expression.
    PowerShell,
    /// Unknown: only the names of options and variables count.
    Any,
}

/// Whether a word of a PowerShell script refers to a value elsewhere and holds no text of its own:
/// `$token.Token`, `(Get-Date)`.
fn is_reference(word: &str) -> bool {
    word.starts_with(['$', '(']) && !word.contains(['\'', '"'])
}

/// The options of `az` and `azd` that take secrets, with the length of the shortest prefix that
/// some command accepts for each: `az login` takes `--p` for `--password`.
const OPTIONS: &[(&str, usize)] = &[
    ("--access-token", 5),
    ("--account-key", 11),
    ("--body", 3),
    ("--client-secret", 5),
    ("--connection-string", 6),
    ("--federated-token", 3),
    ("--password", 3),
    ("--protected-settings", 6),
    ("--refresh-token", 5),
    ("--sas-token", 4),
    ("--secure-environment-variables", 5),
    ("--value", 5),
];

/// Short options that take secrets, each of one program or, without a name, of all that read their
/// arguments as `az` does.
const SHORT: &[(&str, &str)] = &[
    ("", "-p"),
    ("redis-cli", "-a"),
    ("sshpass", "-p"),
    ("mysql", "-p"),
    ("curl", "-u"),
    ("curl", "--user"),
    ("curl", "--proxy-user"),
    ("curl", "-U"),
    ("curl", "-b"),
    ("wget", "--http-user"),
];

/// Words before the name and the value of something, of which the value may be a secret whatever
/// its name: `azd env set NAME VALUE`.
const SETTERS: &[&[&str]] = &[&["env", "set"], &["env", "set-secret"], &["config", "set"]];

/// How many arguments after an option are its values.
#[derive(Clone, Copy)]
enum Covers {
    Nothing,
    Next,
    /// The next one, and all up to the option after it.
    Several,
    /// All up to the next option.
    Many,
}

/// The arguments with what holds a secret covered: the values of options and variables that are
/// called like secrets, and whatever looks like one.
pub fn arguments(args: &[String], dialect: Dialect) -> Vec<String> {
    // Programs with a `login` command mostly take its options from `az`.
    let logs_in = args.iter().any(|arg| arg == "login");
    let line = Line::of(args, if logs_in { Dialect::Az } else { dialect });
    let mut covers = Covers::Nothing;
    let shown = args.iter().map(|arg| {
        let is_value = match covers {
            Covers::Nothing => false,
            Covers::Next | Covers::Several => true,
            Covers::Many => !arg.starts_with('-'),
        };
        if is_value {
            let refers = line.dialect == Dialect::PowerShell && is_reference(arg);
            covers = match covers {
                Covers::Nothing | Covers::Next => Covers::Nothing,
                Covers::Several | Covers::Many => Covers::Many,
            };
            return if refers {
                line.argument(arg)
            } else {
                MASK.to_owned()
            };
        }
        covers = line.covered(arg);
        line.argument(arg)
    });
    let mut shown: Vec<String> = shown.collect();
    for at in set_values(args, line.dialect) {
        if let (Some(shown), Some(given)) = (shown.get_mut(at), args.get(at)) {
            *shown = match given.split_once('=') {
                Some((name, _)) => format!("{name}={MASK}"),
                None => MASK.to_owned(),
            };
        }
    }
    shown
}

/// The name of the program that an argument could be.
fn program(arg: &str) -> &str {
    let name = arg.rsplit(['/', '\\']).next().unwrap_or(arg);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The positions of the values that a command such as `azd env set` sets.
fn set_values(args: &[String], dialect: Dialect) -> Vec<usize> {
    if dialect != Dialect::Az && !args.iter().any(|arg| matches!(program(arg), "azd" | "az")) {
        return Vec::new();
    }
    let words: Vec<(usize, &str)> = args
        .iter()
        .map(String::as_str)
        .enumerate()
        .filter(|(_, arg)| !arg.starts_with('-'))
        .collect();
    let is_setter = |start: &usize| {
        let rest = words.get(*start..).unwrap_or_default();
        SETTERS.iter().any(|setter| {
            let begins = rest.iter().map(|(_, word)| *word).take(setter.len());
            begins.eq(setter.iter().copied())
        })
    };
    let Some(start) = (0..words.len()).find(is_setter) else {
        return Vec::new();
    };
    let operands = words.get(start + 2..).unwrap_or_default();
    let assignments = operands.iter().filter(|(_, word)| word.contains('='));
    let positional = operands
        .iter()
        .skip(1)
        .filter(|_| !operands.iter().take(1).any(|(_, word)| word.contains('=')));
    assignments.chain(positional).map(|(at, _)| *at).collect()
}

/// What counts for each of the arguments of one command line.
struct Line {
    dialect: Dialect,
    /// The short options that take secrets.
    short: Vec<&'static str>,
}

impl Line {
    fn of(args: &[String], dialect: Dialect) -> Self {
        // Of `az rest` `-b` is a body, and other options hold parts of a request.
        let is_rest = args.first().is_some_and(|arg| arg == "rest")
            || args
                .windows(2)
                .any(|pair| pair[0] == "az" && pair[1] == "rest");
        let is_here = |name: &str| match name {
            "" => dialect == Dialect::Az,
            name => args.iter().any(|arg| program(arg) == name),
        };
        let short = SHORT.iter().filter(|(program, _)| is_here(program));
        let short = short.map(|(_, option)| *option);
        Self {
            dialect,
            short: short.chain(is_rest.then_some("-b")).collect(),
        }
    }

    /// How many arguments after `arg` are secret, if it is an option without its value.
    fn covered(&self, arg: &str) -> Covers {
        let is_alone = arg.starts_with('-') && !arg.contains(['=', ':']);
        if self.short.contains(&arg) {
            Covers::Next
        } else if !is_alone || !self.is_secret_option(arg) {
            Covers::Nothing
        } else if arg.ends_with('s') {
            Covers::Several
        } else {
            Covers::Next
        }
    }

    fn is_secret_option(&self, name: &str) -> bool {
        let is_cut = |(option, shortest): &(&str, usize)| {
            name.len() >= *shortest && option.starts_with(name)
        };
        self.dialect == Dialect::Az && OPTIONS.iter().any(is_cut)
            || name.starts_with('-') && is_secret_member(name)
            || is_secret_name(name)
    }

    /// An argument that is not the value of the one before it, with its secrets covered.
    fn argument(&self, arg: &str) -> String {
        let is_option = arg.starts_with('-');
        for option in self.short.iter().filter(|option| option.len() == 2) {
            if let Some(value) = arg.strip_prefix(option).filter(|value| !value.is_empty()) {
                let mark = if value.starts_with('=') { "=" } else { "" };
                return format!("{option}{mark}{MASK}");
            }
        }
        // Of a URL, the rest stays readable.
        if let Some((place, query)) = arg.split_once('?')
            && !is_option
            && place.contains("://")
            && !arg.contains(char::is_whitespace)
        {
            return format!("{}?{}", masked(place), masked_query(query));
        }
        let marks: &[char] = if is_option { &['=', ':'] } else { &['='] };
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.$[]".contains(c);
        if let Some((name, _)) = arg.split_once(marks)
            && name.chars().all(is_part)
            && self.is_secret_option(name)
        {
            let mark = arg.get(name.len()..=name.len()).unwrap_or_default();
            return format!("{name}{mark}{MASK}");
        }
        let by_form = only_words(arg);
        // It may be a script, whose own arguments may be secret.
        let words: Vec<String> = by_form.split_whitespace().map(str::to_owned).collect();
        let covers_words = words.len() > 1 && arguments(&words, self.dialect) != words;
        if covers_words || looks_secret(&by_form) {
            return MASK.to_owned();
        }
        by_form
    }
}

/// An argument with the words covered that are secrets by their own form.
fn only_words(arg: &str) -> String {
    let mut shown = String::with_capacity(arg.len());
    let mut end = 0;
    for range in word_ranges(arg) {
        if arg
            .get(range.clone())
            .is_some_and(|word| shape(word).is_some())
        {
            shown.push_str(arg.get(end..range.start).unwrap_or_default());
            shown.push_str(MASK);
            end = range.end;
        }
    }
    shown + arg.get(end..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, dialect: Dialect) -> String {
        let args: Vec<_> = line.split(' ').map(str::to_owned).collect();
        arguments(&args, dialect).join(" ")
    }

    /// Command lines of `az` and `azd`, and how they are shown.
    const LINES: &[(&str, &str)] = &[
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
        ("login --p S --tenant t", "login --p *** --tenant t"),
        ("login --username u --pa=S", "login --username u --pa=***"),
        (
            "keyvault secret set --vault-name v -n n --value S",
            "keyvault secret set --vault-name v -n n --value ***",
        ),
        (
            "keyvault secret set --val=S",
            "keyvault secret set --val=***",
        ),
        (
            "appconfig kv set --key k --value S",
            "appconfig kv set --key *** --value ***",
        ),
        ("env set NAME S", "env set NAME ***"),
        ("env set -e dev NAME S", "env set -e dev *** ***"),
        ("env set NAME=S OTHER=S", "env set NAME=*** OTHER=***"),
        ("rest --method put --body S", "rest --method put --body ***"),
        ("rest -m put -b S", "rest -m put -b ***"),
        (
            "rest --headers X-Functions-Key=S a=b",
            "rest --headers X-Functions-Key=*** a=b",
        ),
        (
            "rest --url https://h/a?sig=S&b=1",
            "rest --url https://h/a?sig=***&b=1",
        ),
        (
            "storage blob list --account-key S",
            "storage blob list --account-key ***",
        ),
        (
            "storage blob list --sas-token S",
            "storage blob list --sas-token ***",
        ),
        ("storage blob list --sas S", "storage blob list --sas ***"),
        ("x --connection-string S", "x --connection-string ***"),
        (
            "storage blob list --auth-mode key",
            "storage blob list --auth-mode key",
        ),
        (
            "vm create --admin-password S",
            "vm create --admin-password ***",
        ),
        (
            "webapp config appsettings set --settings A_SECRET=S",
            "webapp config appsettings set --settings A_SECRET=***",
        ),
        (
            "deployment create --parameters adminPassword=S",
            "deployment create --parameters adminPassword=***",
        ),
        ("get --claims C --scope S", "get --claims C --scope S"),
        (
            "get --subscription S --secret-name n",
            "get --subscription S --secret-name n",
        ),
    ];

    #[test]
    fn values_of_secret_options_are_covered() {
        for (line, expected) in LINES {
            assert_eq!(shown(line, Dialect::Az), *expected);
        }
    }

    #[test]
    fn outside_az_p_is_no_password() {
        assert_eq!(shown("mkdir -p a", Dialect::Any), "mkdir -p a");
        assert_eq!(shown("app --token S", Dialect::Any), "app --token ***");
        assert_eq!(shown("az login -p S", Dialect::Any), "az login -p ***");
        assert_eq!(shown("app -Password:S", Dialect::Any), "app -Password:***");
        assert_eq!(
            shown("redis-cli -a S ping", Dialect::Any),
            "redis-cli -a *** ping"
        );
        assert_eq!(
            shown("/usr/bin/curl -u u:S h", Dialect::Any),
            "/usr/bin/curl -u *** h"
        );
        assert_eq!(shown("azd env set N S", Dialect::Any), "azd env set N ***");
        assert_eq!(
            shown("git config set a b", Dialect::Any),
            "git config set a b"
        );
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
