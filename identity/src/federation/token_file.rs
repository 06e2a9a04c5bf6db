//! A file that holds an assertion, which the host writes anew before it ends (CLI-41).

use std::{
    io::ErrorKind as IoErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Assertions, check_form, failed};
use crate::{
    Error, Secret,
    platform::{BoxFuture, Platform},
};

/// The largest file that is read, in bytes. A projected token has about one kilobyte.
const LIMIT: u64 = 64 * 1024;

/// How long a read may take. A volume over a network may hang.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// A token file of this host. It is read for each token request, so that no assertion is kept that
/// the host has replaced: requests are rare, and the file is small.
#[derive(Debug)]
pub(crate) struct TokenFile {
    credential: &'static str,
    path: PathBuf,
    platform: Platform,
}

impl TokenFile {
    pub(crate) fn new(credential: &'static str, path: impl AsRef<Path>, on: &Platform) -> Self {
        Self {
            credential,
            path: path.as_ref().to_owned(),
            platform: on.clone(),
        }
    }

    async fn read(&self) -> Result<Secret, Error> {
        let path = self.path.display();
        let wrong = |what: String, help: &str| {
            failed(
                self.credential,
                format!("the federated token file {path} {what}"),
                help,
            )
        };
        let load = self.platform.files.load_limited(&self.path, LIMIT);
        let Some(read) = self.platform.within(READ_LIMIT, load).await else {
            let what = format!("could not be read within {} s", READ_LIMIT.as_secs());
            let help = "check the volume that holds it";
            return Err(wrong(what, help).with_transient());
        };
        let content = read.map_err(|error| {
            let (what, help) = match error.kind() {
                IoErrorKind::NotFound => (
                    "does not exist".to_owned(),
                    "check that the pod has the label azure.workload.identity/use, and that the \
                     token's volume is mounted",
                ),
                IoErrorKind::PermissionDenied => (
                    "may not be read by this process".to_owned(),
                    "check the user of the process, and fsGroup of the pod",
                ),
                IoErrorKind::FileTooLarge => (
                    format!("has more than {LIMIT} bytes"),
                    "check that AZURE_FEDERATED_TOKEN_FILE names a token file",
                ),
                _ => (
                    format!("cannot be read: {error}"),
                    "check that AZURE_FEDERATED_TOKEN_FILE names a token file",
                ),
            };
            wrong(what, help).with_cause(error)
        })?;
        let text = zeroize::Zeroizing::new(content);
        let text = std::str::from_utf8(&text).unwrap_or("?");
        check_form(text).map_err(|what| {
            let help = "check what writes the file: in AKS, the kubelet of the node";
            // The host may just be writing it.
            wrong(what.to_owned(), help).with_transient()
        })
    }
}

impl Assertions for TokenFile {
    fn assertion(&self) -> BoxFuture<'_, Result<Secret, Error>> {
        Box::pin(self.read())
    }

    fn may_have_a_newer_one(&self) -> bool {
        true
    }
}
