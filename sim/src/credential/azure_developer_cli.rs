//! `AzureDeveloperCliCredential`.

use credsim_identity::AzureDeveloperCliCredential;

use super::command_options::command_credential;

command_credential!(AzureDeveloperCliCredential);
