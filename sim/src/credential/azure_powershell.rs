//! `AzurePowerShellCredential`.

use credsim_identity::AzurePowerShellCredential;

use super::command_options::command_credential;

command_credential!(AzurePowerShellCredential);
