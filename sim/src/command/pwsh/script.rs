//! The scripts with which SDKs get a token out of PowerShell. Nothing runs them: what matters is
//! found in their words, whatever their quotes and their case.

use std::fmt;

/// The longest text of a script in a trace, in characters.
const EXCERPT: usize = 200;

/// What a script asks for, and what it does when that fails.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    /// The resource that the token is for.
    pub resource: String,
    /// The tenant.
    pub tenant: Option<String>,
    /// How it prints the token.
    pub form: Form,
    /// What it does without the module.
    pub missing: Missing,
    /// How it ends when there is no token.
    pub failure: i32,
    /// Whether it prints errors itself, so that no command's name stands before them.
    pub is_bare: bool,
}

/// How a script prints a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `azsdk%<token>%<seconds>` (CLI-26).
    Line,
    /// An object with `Token` and `ExpiresOn` (CLI-24, CLI-26).
    Json {
        /// Whether `ExpiresOn` is in seconds since 1970; else it is a date.
        is_epoch: bool,
        /// Whether it is on one line.
        is_compressed: bool,
        /// Which of the two comes first.
        token_first: bool,
    },
}

/// What a script does when Az.Accounts is not there.
#[derive(Debug, PartialEq, Eq)]
pub enum Missing {
    /// It says so on standard output.
    Output { text: String, code: i32 },
    /// It fails.
    Error { text: String, code: i32 },
}

impl Script {
    /// Reads a script; none if it asks for no token, or prints it in another way.
    pub fn read(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (before, after) = lower.split_once("get-azaccesstoken")?;
        let resource = value(text, &lower, "resourceurl").filter(|url| !url.is_empty())?;
        let tenant = value(text, &lower, "tenantid").filter(|tenant| !tenant.is_empty());
        let form = if lower.contains("azsdk%") {
            Form::Line
        } else if lower.contains("convertto-json") {
            let field = |name: &str| {
                let spellings = [format!("name {name}"), format!("{name} =")];
                spellings.iter().filter_map(|it| after.find(it)).min()
            };
            Form::Json {
                is_epoch: after.contains("tounixtimeseconds"),
                is_compressed: after.contains("-compress"),
                token_first: match (field("token"), field("expireson")) {
                    (Some(token), Some(ends)) => token < ends,
                    _ => true,
                },
            }
        } else {
            return None;
        };
        Some(Self {
            resource: resource.to_owned(),
            tenant: tenant.map(str::to_owned),
            form,
            missing: missing(text.get(..before.len())?, before),
            failure: exit_code(after).unwrap_or(1),
            is_bare: after.contains(OWN_WORDS),
        })
    }
}

/// The request without all that surrounds it.
impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Get-AzAccessToken -ResourceUrl {}", self.resource)?;
        match &self.tenant {
            Some(tenant) => write!(f, " -TenantId {tenant}"),
            None => Ok(()),
        }
    }
}

/// How a script prints an error itself, without PowerShell's decoration.
const OWN_WORDS: &str = "$_.exception.message";

/// What is done without the module, in the part of a script before it asks for the token.
fn missing(text: &str, lower: &str) -> Missing {
    let Some((before, import)) = lower.split_once("import-module") else {
        let text = "Get-AzAccessToken: The term 'Get-AzAccessToken' is not recognized.".to_owned();
        return Missing::Error { text, code: 1 };
    };
    let text = text.get(before.len()..).unwrap_or_default();
    let code = exit_code(import);
    let says = |command: &str| {
        let (before, _) = lower.get(before.len()..)?.split_once(command)?;
        word(text.get(before.len() + command.len()..)?)
    };
    if let Some(text) = says("write-output") {
        let (text, code) = (text.to_owned(), code.unwrap_or(0));
        return Missing::Output { text, code };
    }
    let (text, code) = if let Some(text) = says("write-error") {
        (format!("Write-Error: {text}"), 1)
    } else {
        let version = says("-minimumversion").filter(|version| !version.starts_with('$'));
        let version = version.unwrap_or("2.2.0");
        let text = format!(
            "The specified module 'Az.Accounts' with version '{version}' was not loaded because \
             no valid module file was found in any module directory."
        );
        if import.contains(OWN_WORDS) {
            (text, code.unwrap_or(1))
        } else {
            (format!("Import-Module: {text}"), code.unwrap_or(1))
        }
    };
    Missing::Error { text, code }
}

/// The number after the first `exit`; 0 if none stands there.
fn exit_code(lower: &str) -> Option<i32> {
    let (_, rest) = lower.split_once("exit")?;
    let digits = rest.trim_start_matches([' ', '\t']);
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    Some(digits.get(..end)?.parse().unwrap_or(0))
}

/// The text that `name` is set to: `-Name x`, `Name = 'x'`, `$p["Name"] = "x"`, or a variable with
/// such a text.
fn value<'a>(text: &'a str, lower: &str, name: &str) -> Option<&'a str> {
    let mut variable = None;
    for (at, _) in lower.match_indices(name) {
        let rest = text.get(at + name.len()..)?;
        let is_parameter = text.get(..at)?.ends_with('-');
        let rest = rest.strip_prefix(['\'', '"']).unwrap_or(rest);
        let rest = rest.strip_prefix(']').unwrap_or(rest).trim_start();
        let rest = match rest.strip_prefix('=') {
            Some(rest) => rest.trim_start(),
            None if is_parameter => rest.strip_prefix(':').unwrap_or(rest).trim_start(),
            None => continue,
        };
        if rest.starts_with('$') {
            variable = variable.or_else(|| word(rest));
        } else if rest.starts_with(['\'', '"']) || is_parameter {
            return word(rest);
        }
    }
    let variable = variable?.to_ascii_lowercase();
    // Its own name in another place is no text, and looking for it again would never end.
    let (_, rest) = lower.split_once(&format!("{variable} ="))?;
    word(text.get(text.len() - rest.len()..)?.trim_start()).filter(|word| !word.starts_with('$'))
}

/// The first word of `text`, quoted or not. None if its quote is never closed.
fn word(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '\t']);
    for quote in ['\'', '"'] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).map(|(word, _)| word);
        }
    }
    let is_end = |c: char| c.is_whitespace() || matches!(c, ';' | '|' | '}' | ')');
    let word = text.split(is_end).next()?;
    (!word.is_empty()).then_some(word)
}

/// A text on one line, cut after some characters.
pub fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// A script without what stands in its quotes.
pub fn without_quoted(text: &str) -> String {
    let mut kept = String::new();
    let mut open = None;
    for c in text.chars() {
        match open {
            Some(quote) if c == quote => open = None,
            Some(_) => continue,
            None if matches!(c, '\'' | '"') => open = Some(c),
            None => {}
        }
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(script: &str) -> Option<String> {
        let script = format!("{script} | ConvertTo-Json");
        Script::read(&script).map(|script| script.to_string())
    }

    #[test]
    fn names_and_values_come_in_many_spellings() {
        for script in [
            "Get-AzAccessToken -ResourceUrl 'r' -TenantId 't'",
            "get-azaccesstoken -TENANTID t -resourceurl \"r\"",
            "Get-AzAccessToken -ResourceUrl:r -TenantId:t",
            "$p = @{ ResourceUrl='r'; \"TenantId\" = 't' }; Get-AzAccessToken @p",
            "$p['ResourceUrl'] = 'r'\n$p[\"TenantId\"] = $of\n$of = 't'\nGet-AzAccessToken @p",
            "$r = 'r'; $TenantId = 't'; Get-AzAccessToken -ResourceUrl $r -TenantId $tenantId",
        ] {
            let all = "Get-AzAccessToken -ResourceUrl r -TenantId t";
            assert_eq!(asked(script).as_deref(), Some(all), "{script}");
        }
        let one = "Get-AzAccessToken -ResourceUrl r";
        let empty = format!("{one} -TenantId ''");
        assert_eq!(asked(&empty).as_deref(), Some(one));
        for script in [
            "Get-AzAccessToken",
            "Get-AzAccessToken -ResourceUrl ''",
            "Get-AzAccessToken -ResourceUrl 'r",
            "Get-AzAccessToken -ResourceUrl $ResourceUrl",
            "Get-Thing -ResourceUrl r",
        ] {
            assert_eq!(asked(script), None, "{script}");
        }
    }

    /// A script that names no fields prints the cmdlet's own, a date among them.
    #[test]
    fn fields_that_are_not_named_are_the_cmdlets() {
        let script = Script::read("Get-AzAccessToken -ResourceUrl r | ConvertTo-Json");
        let form = Form::Json {
            is_epoch: false,
            is_compressed: false,
            token_first: true,
        };
        assert_eq!(script.map(|script| script.form), Some(form));
    }

    proptest::proptest! {
        #[test]
        fn any_script_is_survived(text in ".*", parts in proptest::collection::vec(0usize..12, 0..30)) {
            const WORDS: [&str; 12] = [
                "Get-AzAccessToken", "Import-Module", "-ResourceUrl", "tenantid", " ", "$", "=",
                "'", "\"", "exit", "Write-Output", "azsdk%é",
            ];
            let made: String = parts.into_iter().map(|part| WORDS[part]).collect();
            for text in [text, made] {
                let _ = Script::read(&text);
                assert!(!shortened(&without_quoted(&text)).contains('\n'));
            }
        }
    }
}
