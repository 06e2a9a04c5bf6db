//! The browser of the real machine, started with the opener of the operating system.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process;
use url::Url;

use super::command;
use crate::platform::{BoxFuture, Browser, BrowserError};

/// The program that opens a page, and its arguments before the URL.
const OPENER: (&str, &[&str]) = if cfg!(target_os = "macos") {
    ("open", &[])
} else if cfg!(windows) {
    // Not `start`, which is a command of the shell.
    ("rundll32", &["url.dll,FileProtocolHandler"])
} else {
    ("xdg-open", &[])
};

/// How long the opener is watched for a failure. If it still runs then, it is the browser itself or
/// waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) struct SystemBrowser;

impl Browser for SystemBrowser {
    fn open(&self, url: &Url) -> BoxFuture<'static, Result<(), BrowserError>> {
        let url = url.clone();
        Box::pin(async move {
            BrowserError::check(&url)?;
            let (name, arguments) = OPENER;
            let program = command::find_on_path(name).ok_or_else(|| {
                BrowserError::NotAvailable(format!("there is no program {name} on the PATH"))
            })?;
            open_with(&program, arguments, &url).await
        })
    }
}

/// Starts `program`, which outlives the caller, and waits for it to fail.
async fn open_with(program: &Path, arguments: &[&str], url: &Url) -> Result<(), BrowserError> {
    let failed = |why: String| {
        let name = program.file_name().map(PathBuf::from).unwrap_or_default();
        BrowserError::Failed(format!("{}: {why}", name.display()))
    };
    let mut process = process::Command::new(program);
    process
        .args(arguments)
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // A signal to the process group of this process must not end the user's browser.
    #[cfg(unix)]
    process.process_group(0);
    let mut child = process.spawn().map_err(|error| failed(error.to_string()))?;
    match tokio::time::timeout(PATIENCE, child.wait()).await {
        Err(_) => Ok(()),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(status.to_string())),
        Ok(Err(error)) => Err(failed(error.to_string())),
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    async fn shell(script: &str, url: &Url) -> Result<(), BrowserError> {
        open_with(Path::new("/bin/sh"), &["-c", script], url).await
    }

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[tokio::test]
    async fn the_url_is_one_argument_and_no_shell_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (argument_file, touched) = (
            folder.path().join("argument"),
            folder.path().join("touched"),
        );
        let text = format!(
            "https://login.example/?a=$(touch${{IFS}}{0})&b=`touch%20{0}`;c|d'e",
            touched.display()
        );
        let url = url(&text);
        let script = format!("printf %s \"$0\" > '{}'", argument_file.display());
        shell(&script, &url).await.expect("opened");
        let argument = std::fs::read_to_string(&argument_file).expect("readable");
        assert_eq!(argument, url.as_str());
        assert!(argument.contains("$(touch"), "{argument}");
        assert!(!touched.exists());
    }

    #[tokio::test]
    async fn a_failed_open_gives_the_reason_without_the_url() {
        let secret = url("https://login.example/?state=s3cret");
        let error = shell("exit 3", &secret).await.expect_err("failed");
        assert!(
            matches!(&error, BrowserError::Failed(why) if why.contains("3")),
            "{error}"
        );
        let nowhere = open_with(Path::new("/no/such/opener"), &[], &secret).await;
        let nowhere = nowhere.expect_err("no program");
        for error in [error, nowhere] {
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
        for scheme in ["file:///etc/passwd", "javascript:alert(1)", "ms-settings:a"] {
            let error = SystemBrowser.open(&url(scheme)).await.expect_err(scheme);
            assert!(matches!(error, BrowserError::Scheme(_)), "{error}");
        }
    }

    /// Some openers end when the browser does.
    #[tokio::test]
    async fn a_browser_that_stays_open_is_not_waited_for_and_not_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = folder.path().join("mark");
        let script = format!("sleep 4; touch '{}'", mark.display());
        let opened = shell(&script, &url("https://login.example/")).await;
        opened.expect("it runs");
        assert!(!mark.exists());
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(mark.exists(), "it was killed");
    }
}
