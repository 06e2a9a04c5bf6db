//! The credential under test and who asks it, in words.

use crate::scenario::{
    Call, CallDo, CliOptions, ContinueAfter, Credential, FallbackPolicy, Instance, RetryOptions,
    Scenario,
};

/// One line for each `[[call]]`.
pub fn lines(scenario: &Scenario) -> Vec<String> {
    let mut lines: Vec<String> = scenario.call.iter().map(line).collect();
    if let Some(seeds) = &scenario.seeds {
        lines.push(format!(
            "all of it {} times, each with another seed",
            seeds.count
        ));
    }
    lines
}

fn line(call: &Call) -> String {
    let mut text = format!("after {}", call.at);
    if let Some(every) = call.every {
        text += &format!(" and every {every}");
        if let Some(until) = call.until {
            text += &format!(" until {until}");
        }
    }
    text += &match (call.callers, call.ramp_up) {
        (1, _) => ": a caller ".to_owned(),
        (many, None) => format!(": {many} callers at once "),
        (many, Some(over)) => format!(": {many} callers, evenly over {over}, "),
    };
    let plural = if call.callers == 1 { "s" } else { "" };
    text += &match &call.action {
        CallDo::GetToken(get) => {
            let kept = if get.keeps_token {
                " and keeps it until it must be renewed"
            } else {
                ""
            };
            format!("get{plural} a token for {}{kept}", get.scopes.join(" and "))
        }
        CallDo::UseResource(with) => {
            format!(
                "use{plural} the resource {} to {}",
                with.resource, with.right
            )
        }
        CallDo::Redis(work) => super::redis::work(work, plural),
        CallDo::RedisSubscribe(to) => format!("listen{plural} to {}", to.channels.join(" and ")),
    };
    text += match call.credential {
        Instance::Shared => "",
        Instance::New => ", with a new credential each time",
        Instance::Clone => ", with a clone of the credential each time",
        Instance::EachItsOwn => ", each with a credential of its own",
    };
    if let Some(patience) = call.gives_up_after {
        text += &format!(", giving up after {patience}");
    }
    text
}

/// The credential with the options that matter to a reader.
pub fn credential(credential: &Credential) -> String {
    match credential {
        Credential::Default(options) => {
            let mut text = "DefaultAzureCredential".to_owned();
            if let Some(client) = &options.managed_identity_client_id {
                text += &format!(", its managed identity is {client}");
            }
            if !options.required_variables.is_empty() {
                let names = options.required_variables.join(" and ");
                text += &format!(", insists on {names}");
            }
            text + &chain(options.continue_after, options.fallback_policy) + &retry(&options.retry)
        }
        Credential::Chain(options) => {
            let members: Vec<String> = options.of.iter().map(self::credential).collect();
            format!(
                "ChainedTokenCredential of [{}]{}",
                members.join("; "),
                chain(options.continue_after, options.fallback_policy),
            )
        }
        Credential::ManagedIdentity(options) => {
            let ids = [&options.client_id, &options.object_id, &options.resource_id];
            let id = ids.into_iter().flatten().next().map(|id| format!(" {id}"));
            let id = id.unwrap_or_else(|| " of the system".to_owned());
            format!("ManagedIdentityCredential{id}{}", retry(&options.retry))
        }
        Credential::ClientSecret(options) => {
            let retry = retry(&options.retry);
            format!("ClientSecretCredential of {}{retry}", options.client_id)
        }
        Credential::Environment(_) => "EnvironmentCredential".to_owned(),
        Credential::AzureCli(options) => format!("AzureCliCredential{}", patience(options)),
        Credential::AzureDeveloperCli(options) => {
            format!("AzureDeveloperCliCredential{}", patience(options))
        }
        Credential::AzurePowerShell(options) => {
            format!("AzurePowerShellCredential{}", patience(options))
        }
        Credential::Cached(options) => format!("Cached around {}", self::credential(&options.of)),
    }
}

fn patience(options: &CliOptions) -> String {
    let limit = options.process_timeout;
    limit
        .map(|time| format!(", waiting up to {time}"))
        .unwrap_or_default()
}

fn chain(after: ContinueAfter, policy: FallbackPolicy) -> String {
    let mut text = String::new();
    if after == ContinueAfter::Failure {
        text += ", goes on after any failure";
    }
    if policy == FallbackPolicy::Refuse {
        text += ", refuses to change identity";
    }
    text
}

fn retry(options: &RetryOptions) -> String {
    let mut text = String::new();
    if let Some(retries) = options.max_retries {
        text += &format!(", {retries} retries");
    }
    if let Some(delay) = options.retry_delay {
        text += &format!(", from {delay}");
    }
    if let Some(longest) = options.max_retry_delay {
        text += &format!(", waits of {longest} at most");
    }
    if let Some(cap) = options.retry_after_cap {
        text += &format!(", Retry-After up to {cap}");
    }
    text
}
