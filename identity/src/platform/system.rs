//! The real machine.
#![allow(
    clippy::disallowed_methods,
    reason = "the only module that uses the machine directly"
)]

mod browser;
mod clock;
mod command;
mod files;
mod lock;
mod loopback;
mod processes;
mod secrets;
mod streams;

use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt as _, rngs::StdRng};

use super::{BoxFuture, Environment, HttpClient, Parts, Platform, Random, Spawner, TaskHandle};

/// The real machine, as [`Platform::system`].
pub(super) fn platform() -> Platform {
    Platform::new(Parts {
        clock: Arc::new(clock::SystemClock::new()),
        http: http_client(),
        commands: Arc::new(command::SystemCommands),
        environment: Arc::new(SystemEnvironment),
        files: Arc::new(files::SystemFiles),
        random: Arc::new(SystemRandom(Mutex::new(rand::make_rng()))),
        spawner: Arc::new(SystemSpawner),
        streams: Arc::new(streams::SystemStreams),
        loopback: Arc::new(loopback::SystemLoopback),
        browser: Arc::new(browser::SystemBrowser),
        processes: Arc::new(processes::SystemProcesses),
        secrets: Arc::new(secrets::SystemSecrets),
    })
}

#[cfg(feature = "reqwest")]
fn http_client() -> Arc<dyn HttpClient> {
    Arc::new(crate::adapters::reqwest::ReqwestClient::new())
}

#[cfg(not(feature = "reqwest"))]
fn http_client() -> Arc<dyn HttpClient> {
    Arc::new(NoHttpClient)
}

/// Fails each request with an error that names the missing feature.
#[cfg(not(feature = "reqwest"))]
struct NoHttpClient;

#[cfg(not(feature = "reqwest"))]
impl HttpClient for NoHttpClient {
    fn send(
        &self,
        _: super::HttpRequest,
    ) -> BoxFuture<'static, Result<super::HttpResponse, super::TransportError>> {
        Box::pin(async {
            Err(super::TransportError::new(
                super::TransportErrorKind::NoClient,
                "there is no HTTP client: turn on the feature `reqwest` of credsim-identity, or \
                 give the platform a client",
            ))
        })
    }
}

struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// One generator for all purposes: separate streams matter only for the replay of a simulation.
struct SystemRandom(Mutex<StdRng>);

impl Random for SystemRandom {
    fn next(&self, _: &str) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random()
    }
}

struct SystemSpawner;

impl Spawner for SystemSpawner {
    fn spawn(&self, work: BoxFuture<'static, ()>) -> TaskHandle {
        let task = tokio::spawn(work);
        TaskHandle::new(move || task.abort())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::platform;

    #[tokio::test]
    async fn the_real_machine_lends_what_it_has() {
        let platform = platform();
        let (before, now) = (platform.clock.monotonic(), platform.clock.now());
        platform.clock.sleep(Duration::from_millis(5)).await;
        assert!(platform.clock.monotonic() >= before + Duration::from_millis(5));
        assert!(platform.clock.now() > now);
        assert_ne!(platform.random.uuid("test"), platform.random.uuid("test"));
        assert!((0.0..1.0).contains(&platform.random.unit("test")));
        assert!(platform.environment.var("PATH").is_some());
        assert_eq!(platform.environment.var("CREDSIM_NOT_SET"), None);
        let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(platform.files.exists(&manifest));
        assert!(!platform.files.exists(manifest.parent().expect("a folder")));
        assert!(!platform.files.read(&manifest).expect("readable").is_empty());
    }

    #[tokio::test]
    async fn background_work_ends_with_its_handle() {
        let platform = platform();
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let work = platform.spawner.spawn(Box::pin(async move {
            let _sender = sender;
            std::future::pending().await
        }));
        drop(work);
        assert!(receiver.await.is_err(), "the work was dropped");
    }

    #[cfg(not(feature = "reqwest"))]
    #[tokio::test]
    async fn without_a_client_the_error_names_the_missing_feature() {
        use crate::{ErrorKind, ManagedIdentityCredential, TokenCredential, TokenRequest};
        let credential = ManagedIdentityCredential::builder().platform(platform());
        let credential = credential.build().expect("a credential");
        let request = TokenRequest::new(["https://vault.azure.net/.default"]);
        let error = credential.get_token(&request).await.expect_err("no client");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().contains("feature `reqwest`"), "{error}");
    }
}
