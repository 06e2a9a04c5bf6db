//! `AzureCliCredential`.

use credsim_identity::AzureCliCredential;

use super::command_options::command_credential;

command_credential!(AzureCliCredential);
