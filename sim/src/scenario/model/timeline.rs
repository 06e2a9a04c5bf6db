//! What happens to the world, in time.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, ManagedIdentity, Reach, RedisFailOver, RedisKill, Scenario, SignedSpan, Span};

/// Something happens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct At {
    /// When, counted from the world's start.
    pub time: Span,
    /// What.
    #[serde(rename = "do")]
    pub action: Action,
}

/// What can happen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Action {
    /// Somebody runs `az login`.
    AzLogin(Login),
    /// Somebody runs `az logout`.
    AzLogout(Nothing),
    /// Somebody runs `azd auth login`.
    AzdLogin(Login),
    /// Somebody runs `azd auth logout`.
    AzdLogout(Nothing),
    /// Somebody runs `Connect-AzAccount` in PowerShell.
    PwshLogin(Login),
    /// Somebody runs `Disconnect-AzAccount` in PowerShell.
    PwshLogout(Nothing),
    /// `az` is installed.
    AzInstall(Nothing),
    /// `az` is removed.
    AzUninstall(Nothing),
    /// PowerShell is installed; `world.pwsh` says with which module.
    PwshInstall(Nothing),
    /// PowerShell is removed.
    PwshUninstall(Nothing),
    /// IMDS no longer knows an identity.
    RemoveIdentity(IdentityRef),
    /// IMDS knows this system-assigned identity from now on.
    AssignSystemIdentity(ManagedIdentity),
    /// A fault begins to apply.
    Fault(Box<Fault>),
    /// A fault no longer applies.
    Lift(Lift),
    /// Packets reach a service, or no longer do.
    Network(NetworkChange),
    /// The service's host goes down.
    Crash(ServiceRef),
    /// The service's host comes up again.
    Restart(ServiceRef),
    /// The wall clock of the subject's host jumps.
    StepClock(StepClock),
    /// An environment variable of the subject's host changes; credentials built later see it.
    SetVariable(SetVariable),
    /// The shared credential is disposed.
    Dispose(Nothing),
    /// An application's secret is replaced in Entra.
    RotateSecret(RotateSecret),
    /// The Redis server closes connections.
    RedisKill(RedisKill),
    /// A node of the Redis cluster goes down, and its replica takes over.
    RedisFailOver(RedisFailOver),
    /// An object id may sign in at Redis from now on.
    RedisAllow(IdentityRef),
    /// An object id may no longer sign in at Redis; its connections are closed.
    RedisDeny(IdentityRef),
}

impl Action {
    /// Whether it makes something in the world better, so that calls may succeed again.
    pub fn is_repair(&self) -> bool {
        match self {
            Self::Network(change) => change.reach == Reach::Reachable,
            Self::Lift(_)
            | Self::Restart(_)
            | Self::AssignSystemIdentity(_)
            | Self::AzLogin(_)
            | Self::AzdLogin(_)
            | Self::PwshLogin(_)
            | Self::AzInstall(_)
            | Self::PwshInstall(_)
            | Self::StepClock(_)
            | Self::RedisAllow(_)
            | Self::RotateSecret(_) => true,
            _ => false,
        }
    }
}

impl Scenario {
    /// The last time at which something in the world gets better: see [`last_repair`].
    pub fn last_repair(&self) -> Option<Duration> {
        last_repair(&self.at)
    }
}

/// The last time at which something in the world gets better, as far as the timeline says; none
/// if nothing ever does. A fault that strikes so many times ends whenever it has.
pub(crate) fn last_repair(timeline: &[At]) -> Option<Duration> {
    let repairs = timeline.iter().filter_map(|at| match &at.action {
        Action::Fault(fault) => match (fault.lasts, fault.first) {
            (Some(lasts), _) => Some(at.time.0.saturating_add(lasts.0)),
            (None, Some(_)) => Some(at.time.0),
            (None, None) => None,
        },
        other => other.is_repair().then_some(at.time.0),
    });
    repairs.max()
}

/// No options.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Who logs in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Login {
    /// One of `world.accounts`.
    pub account: String,
}

/// A managed identity of `world.imds`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdentityRef {
    /// Its object id.
    pub object_id: String,
}

/// The end of a fault.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lift {
    /// The fault's name.
    pub fault: String,
}

/// A service that has a host of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// The instance metadata service.
    Imds,
    /// Microsoft Entra ID.
    Entra,
    /// Redis: all of its nodes.
    Redis,
}

impl Service {
    /// Its name in scenario files and traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Imds => "imds",
            Self::Entra => "entra",
            Self::Redis => "redis",
        }
    }
}

/// A change of the network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkChange {
    /// Between the subject's host and which service.
    pub service: Service,
    /// What it is from now on.
    pub reach: Reach,
}

/// A service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceRef {
    /// Which.
    pub service: Service,
}

/// A jump of the wall clock.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepClock {
    /// How far; negative is back.
    pub by: SignedSpan,
}

/// A change of the environment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetVariable {
    /// The variable.
    pub name: String,
    /// Its new value.
    pub value: String,
}

/// A new secret.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RotateSecret {
    /// The application.
    pub client_id: String,
    /// Its new secret.
    pub secret: String,
}
