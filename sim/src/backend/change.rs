//! What actions of the timeline do to identities, logins and secrets.

use super::stage::State;
use crate::scenario::Action;

/// Applies `action` and says it in words; none if it is not about identities, logins or secrets.
pub fn change(state: &mut State, action: &Action) -> Option<String> {
    let what = match action {
        Action::AzLogin(login) => {
            state.world.az.get_or_insert_default().account = Some(login.account.clone());
            format!("{} logs in to az", login.account)
        }
        Action::AzLogout(_) => {
            let account = state.world.az.as_mut().and_then(|az| az.account.take());
            format!("{} logs out of az", account.as_deref().unwrap_or("nobody"))
        }
        Action::AzdLogin(login) => {
            state.world.azd.get_or_insert_default().account = Some(login.account.clone());
            format!("{} logs in to azd", login.account)
        }
        Action::AzdLogout(_) => {
            let account = state.world.azd.as_mut().and_then(|azd| azd.account.take());
            format!("{} logs out of azd", account.as_deref().unwrap_or("nobody"))
        }
        Action::PwshLogin(login) => {
            state.world.pwsh.get_or_insert_default().account = Some(login.account.clone());
            format!("{} connects pwsh to Azure", login.account)
        }
        Action::PwshLogout(_) => {
            let pwsh = state.world.pwsh.as_mut();
            let account = pwsh.and_then(|pwsh| pwsh.account.take());
            format!(
                "{} disconnects pwsh from Azure",
                account.as_deref().unwrap_or("nobody")
            )
        }
        Action::AzInstall(_) => {
            state.world.az.get_or_insert_default().installed = true;
            "az is installed".to_owned()
        }
        Action::AzUninstall(_) => {
            if let Some(az) = &mut state.world.az {
                az.installed = false;
            }
            "az is removed".to_owned()
        }
        Action::PwshInstall(_) => {
            state.world.pwsh.get_or_insert_default().installed = true;
            "pwsh is installed".to_owned()
        }
        Action::PwshUninstall(_) => {
            if let Some(pwsh) = &mut state.world.pwsh {
                pwsh.installed = false;
            }
            "pwsh is removed".to_owned()
        }
        Action::RemoveIdentity(identity) => {
            if let Some(imds) = &mut state.world.imds {
                imds.system_identity
                    .take_if(|known| known.object_id == identity.object_id);
                imds.user_identities
                    .retain(|known| known.object_id != identity.object_id);
            }
            state
                .kept
                .retain(|(principal, _), _| *principal != identity.object_id);
            format!("IMDS no longer knows identity {}", identity.object_id)
        }
        Action::AssignSystemIdentity(identity) => {
            if let Some(imds) = &mut state.world.imds {
                imds.system_identity = Some(identity.clone());
            }
            format!("IMDS knows system-assigned identity {}", identity.object_id)
        }
        Action::RotateSecret(rotation) => {
            let apps = state
                .world
                .entra
                .iter_mut()
                .flat_map(|entra| &mut entra.apps);
            let app = apps
                .into_iter()
                .find(|app| app.client_id == rotation.client_id);
            let old = app.and_then(|app| app.secret.replace(rotation.secret.clone()));
            state.remember_secret(old);
            format!(
                "the secret of application {} is replaced",
                rotation.client_id
            )
        }
        _ => return None,
    };
    Some(what)
}
