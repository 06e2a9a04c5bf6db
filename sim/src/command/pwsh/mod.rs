//! `pwsh` 7 with the module Az.Accounts, as the SDKs call it (CLI-24, CLI-26).

mod argv;
mod script;
mod shown;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{
    Call, Command, CommandExit, Done, Program,
    keys::{command_keys, yes},
    object_id,
};
use crate::backend::{
    Backend,
    handle::State,
    issuer::{Issued, Who},
    journal::Why,
};
use argv::Asked;
use script::{Form, Missing, Script};
pub(super) use shown::shown;

/// Variables of its caller that change what it prints.
pub(super) const VARIABLES: &[&str] = &[];

/// Variables of this machine that steer it.
pub(super) const KEPT_OUT: &[&str] = &["PSMODULEPATH"];

command_keys! {
    /// PowerShell 7 with the module Az.Accounts.
    pub struct Pwsh, account "connected" {
        /// Whether it has the module Az.Accounts, which knows Azure. Default: true.
        #[serde(default = "yes")]
        pub has_az_accounts: bool = true,
    }
}

impl Command for Pwsh {
    fn program(&self) -> Program {
        Program::Pwsh
    }

    fn describe_own_keys(&self) -> Vec<String> {
        let lacks = "without the module Az.Accounts";
        let lacks = (!self.has_az_accounts).then(|| lacks.to_owned());
        lacks.into_iter().collect()
    }

    fn install(&self, backend: &Backend) {
        backend.state().parts.insert(self.clone());
    }

    fn run(&self, state: &mut State, now: Timestamp, call: &Call<'_>) -> Done {
        let text = match argv::read(call.args) {
            Asked::Usage => {
                return Done {
                    exit: CommandExit {
                        code: 0,
                        stdout: USAGE.to_owned(),
                        stderr: String::new(),
                    },
                    why: Why::plain("shows its usage"),
                };
            }
            Asked::Misuse(why) => {
                return Done::failed(MISUSE, format!("pwsh: {why}\n{USAGE}"), why);
            }
            Asked::Script { text, .. } => text,
        };
        match Script::read(&text) {
            Some(script) => token(self, state, now, &script),
            None => Done::failed(1, format!("{SIMULATED}\n"), "the script is not simulated"),
        }
    }
}

/// How PowerShell ends when it does not understand its arguments.
const MISUSE: i32 = 64;

const USAGE: &str = "\
Usage: pwsh [-NoLogo] [-NoProfile] [-NonInteractive] [-OutputFormat {Text | XML}]
            [-EncodedCommand <Base64>] [-Command <script>]
       pwsh -h | -Help | -? | /?
";

/// What a script that is something else hears.
const SIMULATED: &str = "\
pwsh: this script is not simulated. Simulated are scripts that call Get-AzAccessToken with a \
ResourceUrl, and a TenantId if they like, and print the token with ConvertTo-Json or as a line \
azsdk%<token>%<seconds>.";

/// The token that a script asks for, or what it says instead.
fn token(pwsh: &Pwsh, state: &mut State, now: Timestamp, script: &Script) -> Done {
    if !pwsh.has_az_accounts {
        return without_module(&script.missing);
    }
    let refuse = |text: &str, why: &str| {
        let stderr = if script.is_bare {
            format!("{text}\n")
        } else {
            format!("Get-AzAccessToken: {text}\n")
        };
        Done::failed(script.failure, stderr, why)
    };
    let Some(account) = &pwsh.account else {
        return refuse("Run Connect-AzAccount to login.", "nobody is connected");
    };
    let tenant = script.tenant.as_deref();
    if let Some(asked) = tenant.filter(|asked| !asked.eq_ignore_ascii_case(state.issuer.tenant())) {
        let text = format!("AADSTS90002: Tenant '{asked}' not found. Check that it is right.");
        return refuse(&text, &format!("there is no tenant {asked}"));
    }
    let person = object_id(state, account);
    let State { issuer, .. } = state;
    let who = Who::Person {
        name: account,
        object_id: &person,
    };
    let resource = &script.resource;
    let issued = issuer.issue(who, resource, now, pwsh.token_life.0);
    Done {
        exit: CommandExit {
            code: 0,
            stdout: printed(script.form, &issued),
            stderr: String::new(),
        },
        why: Why {
            token: Some(issued.fingerprint),
            principal: Some(issued.principal),
            ..Why::plain(format!("a token of {account} for {resource}"))
        },
    }
}

fn without_module(missing: &Missing) -> Done {
    let why = "the module Az.Accounts is not installed";
    match missing {
        Missing::Output { text, code } => Done {
            exit: CommandExit {
                code: *code,
                stdout: format!("{text}\n"),
                stderr: String::new(),
            },
            why: Why::plain(why),
        },
        Missing::Error { text, code } => Done::failed(*code, format!("{text}\n"), why),
    }
}

/// What the script prints of a token.
fn printed(form: Form, issued: &Issued) -> String {
    let (token, ends) = (&issued.token, issued.expires_on);
    match form {
        Form::Line => format!("\nazsdk%{token}%{ends}\n\n"),
        Form::Json {
            is_epoch,
            is_compressed,
            token_first,
        } => {
            let ends = if is_epoch {
                ends.to_string()
            } else {
                let at = Timestamp::from_second(ends).unwrap_or(Timestamp::MAX);
                // As .NET writes a time with an offset.
                at.strftime("\"%Y-%m-%dT%H:%M:%S+00:00\"").to_string()
            };
            let mut fields = [("Token", format!("\"{token}\"")), ("ExpiresOn", ends)];
            if !token_first {
                fields.reverse();
            }
            let [(first, one), (second, two)] = fields;
            if is_compressed {
                format!("{{\"{first}\":{one},\"{second}\":{two}}}\n")
            } else {
                format!("{{\n  \"{first}\": {one},\n  \"{second}\": {two}\n}}\n")
            }
        }
    }
}
