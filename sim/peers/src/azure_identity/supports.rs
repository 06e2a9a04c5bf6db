//! Which scenarios it can't play, and why.

use std::time::Duration;

use credsim::{
    action::Action,
    call::{Call, CallDo},
    credential::{
        ChainOptions, CliOptions, Credential, FallbackPolicy, ManagedIdentityOptions, RetryOptions,
    },
    story::Scenario,
};

use crate::machine;

/// What its credentials read from the environment of this process (MI-03, EN-02).
const READ: [&str; 4] = [
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "AZURE_AUTHORITY_HOST",
];

/// Whether it can play `scenario`.
///
/// # Errors
/// Why it can't, for people.
pub fn check(scenario: &Scenario) -> Result<(), String> {
    if scenario.subject.redis.is_some() {
        return Err("it has no Redis client".to_owned());
    }
    credential(&scenario.subject.credential)?;
    variables(scenario)?;
    let disposed = |action: &Action| matches!(action, Action::Dispose(_));
    if scenario.at.iter().any(|at| disposed(&at.action)) {
        return Err("a credential is disposed, and its credentials can only be dropped".to_owned());
    }
    convoy(scenario)?;
    queue(scenario)?;
    scenario.call.iter().try_for_each(|call| asks(&call.action))
}

/// Tokens that end within this time are asked for by every call (CA-05).
const NEVER_KEPT: Duration = Duration::from_secs(300);

/// So many callers who spin while each waits for a request of its own (CA-24) are still played:
/// ten times as many take a hundred times as long.
const LARGEST_CONVOY: u32 = 100;

/// A long queue of spinning callers is not played out.
fn convoy(scenario: &Scenario) -> Result<(), String> {
    let world = &scenario.world;
    let lives = [
        world.imds.as_ref().map(|imds| imds.token_life),
        world.entra.as_ref().map(|entra| entra.token_life),
    ];
    let never_kept = lives.into_iter().flatten().any(|life| life.0 <= NEVER_KEPT);
    match scenario.call.iter().map(|call| call.callers).max() {
        Some(callers) if never_kept && callers > LARGEST_CONVOY => Err(format!(
            "{callers} callers would wake each other without a pause, while each waits for a \
             request of its own (CA-24), and nobody waits for that"
        )),
        _ => Ok(()),
    }
}

/// So many tokens, asked for one by one, are still played.
const LONGEST_QUEUE: u128 = 1_000;

/// Requests for tokens of their own wait for each other (CA-13), and a long queue of them spins.
fn queue(scenario: &Scenario) -> Result<(), String> {
    let tokens = |call: &Call| match (&call.action, call.every) {
        (CallDo::GetToken(get), Some(every)) if get.scopes.iter().any(|s| s.contains("{n}")) => {
            let until = call.until.unwrap_or(scenario.world.lasts).0;
            until.saturating_sub(call.at.0).as_nanos() / every.0.as_nanos().max(1)
        }
        _ => 1,
    };
    match scenario.call.iter().map(tokens).max() {
        Some(tokens) if tokens > LONGEST_QUEUE => Err(format!(
            "{tokens} tokens are asked for, each in a request that waits for the one before \
             (CA-13) and spins meanwhile (CA-24), and nobody waits for that"
        )),
        _ => Ok(()),
    }
}

fn credential(credential: &Credential) -> Result<(), String> {
    match credential {
        Credential::ManagedIdentity(options) => {
            one_id(options)?;
            retries(&options.retry)
        }
        Credential::ClientSecret(options) => retries(&options.retry),
        Credential::AzureCli(options) | Credential::AzureDeveloperCli(options) => timeout(options),
        Credential::Chain(options) => chain(options),
        Credential::ClientAssertion(options) => {
            if options.timeout.is_some() {
                return Err("`timeout` is set, and it waits for its callback for good".to_owned());
            }
            retries(&options.retry)
        }
        Credential::WorkloadIdentity(_) => {
            Err("it reads the token file of this machine, not of the simulated host".to_owned())
        }
        Credential::AzurePipelines(_) => Err(
            "it reads SYSTEM_OIDCREQUESTURI of this process, not of the simulated host".to_owned(),
        ),
        Credential::GitHubActions(_) => Err("it has no GitHubActionsCredential".to_owned()),
        Credential::Default(_) => Err("it has no DefaultAzureCredential (EN-16)".to_owned()),
        Credential::Environment(_) => Err("it has no EnvironmentCredential (EN-16)".to_owned()),
        Credential::AzurePowerShell(_) => {
            Err("it has no AzurePowerShellCredential (EN-16)".to_owned())
        }
        Credential::Cached(_) => Err("it has no cache to put around a credential".to_owned()),
    }
}

/// Its one chain is `DeveloperToolsCredential`.
fn chain(options: &ChainOptions) -> Result<(), String> {
    let [Credential::AzureCli(az), Credential::AzureDeveloperCli(azd)] = options.of.as_slice()
    else {
        return Err("its only chain is DeveloperToolsCredential: az, then azd (EN-16)".to_owned());
    };
    if options.fallback_policy == FallbackPolicy::Refuse {
        return Err("`fallback-policy` is set, and its chain has no such setting".to_owned());
    }
    for member in [az, azd] {
        timeout(member)?;
        if member.tenant.is_some() {
            return Err("`tenant` is set for a member of its chain, which takes none".to_owned());
        }
    }
    Ok(())
}

fn one_id(options: &ManagedIdentityOptions) -> Result<(), String> {
    let ids = [&options.client_id, &options.object_id, &options.resource_id];
    if ids.into_iter().flatten().count() > 1 {
        return Err("two ids are given, and it has room for one".to_owned());
    }
    Ok(())
}

fn retries(options: &RetryOptions) -> Result<(), String> {
    match options.retry_after_cap {
        Some(_) => Err("`retry-after-cap` is set, and it has no such setting".to_owned()),
        None => Ok(()),
    }
}

fn timeout(options: &CliOptions) -> Result<(), String> {
    match options.process_timeout {
        Some(_) => Err("`process-timeout` is set, and it has no such setting".to_owned()),
        None => Ok(()),
    }
}

/// A variable that the scenario sets can't be shown to it, and one that is set here can't be
/// hidden from it.
fn variables(scenario: &Scenario) -> Result<(), String> {
    let at_start = scenario.world.environment.keys();
    // A service of the world sets it.
    let world = &scenario.world;
    let names_endpoint = (world.app_service.is_some() || world.service_fabric.is_some())
        && matches!(scenario.subject.credential, Credential::ManagedIdentity(_));
    let of_services = names_endpoint.then(|| "IDENTITY_ENDPOINT".to_owned());
    let later = scenario.at.iter().filter_map(|at| match &at.action {
        Action::SetVariable(set) => Some(&set.name),
        _ => None,
    });
    if let Some(name) = at_start
        .chain(later)
        .chain(&of_services)
        .find(|name| READ.contains(&name.as_str()))
    {
        return Err(format!(
            "{name} is set, and it reads the environment of this process"
        ));
    }
    match machine::first_set(&READ) {
        Some(name) => Err(format!(
            "{name} is set here, and it would go elsewhere: unset it"
        )),
        None => Ok(()),
    }
}

fn asks(action: &CallDo) -> Result<(), String> {
    let CallDo::GetToken(get) = action else {
        return Ok(());
    };
    let asked = [
        ("tenant", get.tenant.is_some()),
        ("claims", get.claims.is_some()),
        ("cae", get.cae),
        ("min-remaining", get.min_remaining.is_some()),
    ];
    match asked.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((name, _)) => Err(format!(
            "`{name}` is asked for, and its token requests have scopes only"
        )),
        None => Ok(()),
    }
}
