//! What happens to the world, in words.

use super::{faults, world};
use crate::scenario::{Action, At, Span};

/// One line for each `[[at]]`.
pub fn lines(timeline: &[At]) -> Vec<String> {
    let mut lines: Vec<(Span, String)> = timeline
        .iter()
        .map(|at| (at.time, action(&at.action)))
        .collect();
    lines.sort_by_key(|(time, _)| *time);
    lines
        .into_iter()
        .map(|(time, what)| format!("after {time}: {what}"))
        .collect()
}

fn action(action: &Action) -> String {
    match action {
        Action::AzLogin(login) => format!("{} logs in with az login", login.account),
        Action::AzLogout(_) => "az logout".to_owned(),
        Action::AzdLogin(login) => format!("{} logs in with azd auth login", login.account),
        Action::AzdLogout(_) => "azd auth logout".to_owned(),
        Action::PwshLogin(login) => format!("{} connects with Connect-AzAccount", login.account),
        Action::PwshLogout(_) => "Disconnect-AzAccount".to_owned(),
        Action::AzInstall(_) => "az is installed".to_owned(),
        Action::AzUninstall(_) => "az is removed".to_owned(),
        Action::PwshInstall(_) => "pwsh is installed".to_owned(),
        Action::PwshUninstall(_) => "pwsh is removed".to_owned(),
        Action::RemoveIdentity(identity) => {
            format!("imds no longer knows the identity {}", identity.object_id)
        }
        Action::AssignSystemIdentity(identity) => {
            format!(
                "the host gets the system-assigned identity {}",
                identity.object_id
            )
        }
        Action::Fault(fault) => format!("fault `{}`: {}", fault.name, faults::sentence(fault)),
        Action::Lift(lift) => format!("fault `{}` ends", lift.fault),
        Action::Network(change) => {
            format!(
                "network to {}: {}",
                change.service.name(),
                world::reach(change.reach)
            )
        }
        Action::Crash(service) => format!("the host of {} goes down", service.service.name()),
        Action::Restart(service) => format!("the host of {} comes up", service.service.name()),
        Action::StepClock(step) => {
            let way = if step.by.negative { "back" } else { "ahead" };
            format!(
                "the host's wall clock jumps {way} by {}",
                Span(step.by.length)
            )
        }
        Action::SetVariable(variable) => format!("{} is set on the host", variable.name),
        Action::Dispose(_) => "the shared credential is disposed".to_owned(),
        Action::RotateSecret(rotate) => {
            format!("the secret of application {} is replaced", rotate.client_id)
        }
        Action::RedisKill(kill) => match kill.connection {
            Some(number) => format!("redis closes connection {number}"),
            None => "redis closes all connections".to_owned(),
        },
        Action::RedisFailOver(of) => {
            format!(
                "node {} of redis goes down, and its replica takes over",
                of.node
            )
        }
        Action::RedisAllow(of) => format!("{} may sign in at redis", of.object_id),
        Action::RedisDeny(of) => format!("{} may no longer sign in at redis", of.object_id),
    }
}
