//! A platform that has a clock, random numbers and background tasks, and refuses everything else.

use std::{io, path::Path, sync::Arc};

use url::Url;

use super::{
    BoxFuture, Browser, BrowserError, ByteStream, ByteStreams, Clock, Command, CommandError,
    CommandOutput, CommandRunner, Environment, Files, HttpClient, HttpRequest, HttpResponse,
    Liveness, Loopback, LoopbackListener, Parts, Processes, Random, Secret, SecretName, Secrets,
    SecretsError, SecretsErrorKind, Spawner, TransportError, TransportErrorKind,
};

impl Parts {
    /// Returns parts of which only clock, random numbers and background tasks work. All others fail
    /// with an error that names the missing function; no variable is set and no file exists. For
    /// tests, and as a base for a platform that has only some functions:
    ///
    /// ```
    /// use credsim_identity::platform::{Parts, Platform};
    /// let system = Platform::system();
    /// let parts = Parts::bare(system.clock, system.random, system.spawner);
    /// let platform = Platform::new(Parts { files: system.files, ..parts });
    /// assert_eq!(platform.environment.var("PATH"), None);
    /// ```
    pub fn bare(clock: Arc<dyn Clock>, random: Arc<dyn Random>, spawner: Arc<dyn Spawner>) -> Self {
        Self {
            clock,
            random,
            spawner,
            http: Arc::new(Unavailable),
            commands: Arc::new(Unavailable),
            environment: Arc::new(Unavailable),
            files: Arc::new(Unavailable),
            streams: Arc::new(Unavailable),
            loopback: Arc::new(Unavailable),
            browser: Arc::new(Unavailable),
            processes: Arc::new(Unavailable),
            secrets: Arc::new(Unavailable),
        }
    }
}

/// Fails each operation with an error that says that this platform does not have it.
struct Unavailable;

fn unsupported(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("this platform {what}"))
}

impl HttpClient for Unavailable {
    fn send(&self, _: HttpRequest) -> BoxFuture<'static, Result<HttpResponse, TransportError>> {
        Box::pin(async {
            Err(TransportError::new(
                TransportErrorKind::NoClient,
                "this platform sends no HTTP requests: give it a client",
            ))
        })
    }
}

impl CommandRunner for Unavailable {
    fn run(&self, _: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>> {
        let why = "this platform starts no programs".to_owned();
        Box::pin(async { Err(CommandError::Start(why)) })
    }
}

impl Environment for Unavailable {
    fn var(&self, _: &str) -> Option<String> {
        None
    }
}

impl Files for Unavailable {
    fn exists(&self, _: &Path) -> bool {
        false
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Err(unsupported(&format!("cannot read {}", path.display())))
    }
}

impl ByteStreams for Unavailable {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        Box::pin(async { Err(unsupported("opens no connections")) })
    }
}

impl Loopback for Unavailable {
    fn listen(&self, _: Option<u16>) -> BoxFuture<'static, io::Result<Box<dyn LoopbackListener>>> {
        Box::pin(async { Err(unsupported("does not listen")) })
    }
}

impl Browser for Unavailable {
    fn open(&self, _: &Url) -> BoxFuture<'static, Result<(), BrowserError>> {
        let why = "this platform opens none".to_owned();
        Box::pin(async { Err(BrowserError::NotAvailable(why)) })
    }
}

impl Processes for Unavailable {
    fn own_id(&self) -> io::Result<u32> {
        Err(unsupported("has no processes"))
    }

    fn look_up(&self, _: u32) -> io::Result<Liveness> {
        Err(unsupported("cannot look up processes"))
    }
}

impl Unavailable {
    fn no_store<T>() -> Result<T, SecretsError> {
        Err(SecretsError::new(
            SecretsErrorKind::NotAvailable,
            "this platform has no secret store",
        ))
    }
}

impl Secrets for Unavailable {
    fn get(&self, _: &SecretName) -> BoxFuture<'static, Result<Option<Secret>, SecretsError>> {
        Box::pin(async { Self::no_store() })
    }

    fn set(&self, _: &SecretName, _: Secret) -> BoxFuture<'static, Result<(), SecretsError>> {
        Box::pin(async { Self::no_store() })
    }

    fn delete(&self, _: &SecretName) -> BoxFuture<'static, Result<bool, SecretsError>> {
        Box::pin(async { Self::no_store() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::platform::{LockKind, Method, Platform};

    #[tokio::test]
    async fn each_missing_capability_fails_with_an_error_that_names_it() {
        let system = Platform::system();
        let bare = Parts::bare(system.clock, system.random, system.spawner);
        let platform = Platform::new(bare);
        let url: Url = "https://login.example/".parse().expect("a URL");
        let request = HttpRequest::new(Method::Get, url.clone());
        let sent = platform.http.send(request).await.expect_err("no client");
        assert_eq!(sent.kind, TransportErrorKind::NoClient);
        let command = Command {
            program: "az".to_owned(),
            args: Vec::new(),
            env: Vec::new(),
        };
        let run = platform.commands.run(command).await;
        assert!(matches!(run, Err(CommandError::Start(_))), "{run:?}");
        let opened = platform.browser.open(&url).await;
        assert!(
            matches!(opened, Err(BrowserError::NotAvailable(_))),
            "{opened:?}"
        );
        let name = SecretName::new("service", "account");
        let got = platform.secrets.get(&name).await.expect_err("no store");
        assert_eq!(got.kind, SecretsErrorKind::NotAvailable);

        let path = Path::new("/file");
        assert!(!platform.files.exists(path));
        let files = &platform.files;
        let locked = files.lock(path, LockKind::Shared, Duration::from_secs(9));
        for error in [
            files.read(path).err(),
            files.load(path).await.err(),
            files.metadata(path).await.err(),
            files.list(path).await.err(),
            files.create_new(path, Vec::new(), 0o600).await.err(),
            files.create_folder(path, 0o700).await.err(),
            files.rename(path, path).await.err(),
            files.remove(path).await.err(),
            files.sync(path).await.err(),
            locked.await.err(),
            platform.write_atomic(path, Vec::new(), 0o600).await.err(),
            platform.streams.connect("a.example", 1).await.err(),
            platform.loopback.listen(None).await.err(),
            platform.processes.own_id().err(),
            platform.processes.look_up(1).err(),
        ] {
            let error = error.expect("refused");
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
            assert!(error.to_string().starts_with("this platform "), "{error}");
        }
    }
}
