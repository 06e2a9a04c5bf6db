//! What an interactive login uses of a simulated host: a loopback port, the browser; and the
//! secret store and the processes that a persistent cache looks at.

use std::{io::ErrorKind, time::Duration};

use credsim_identity::platform::{BrowserError, Liveness, Secret, SecretName, SecretsErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use super::{ENGINES, play};
use crate::host::{APP, KeyringState, SUBJECT};

#[test]
fn a_redirect_reaches_the_loopback_port_of_its_own_host() {
    for engine in ENGINES {
        play(engine, Vec::new(), async |state, platform| {
            let mut first = platform.loopback.listen(None).await.expect("a port");
            let second = platform.loopback.listen(None).await.expect("a port");
            assert_ne!(first.port(), second.port());
            let taken = platform.loopback.listen(Some(first.port())).await.err();
            assert_eq!(taken.map(|error| error.kind()), Some(ErrorKind::AddrInUse));

            let (network, port) = (state.host.network.clone(), first.port());
            let redirect = platform.spawner.spawn(Box::pin(async move {
                let connected = network.connect(APP, port).await;
                let mut stream = connected.expect("a connection");
                stream.write_all(b"GET /?code=1").await.expect("written");
                std::future::pending::<()>().await;
            }));
            let mut accepted = first.accept().await.expect("accepted");
            let mut read = [0; 12];
            accepted.read_exact(&mut read).await.expect("read");
            assert_eq!(&read, b"GET /?code=1");
            drop(redirect);
        });
    }
}

/// Another host must not be able to send a redirect.
#[test]
fn other_hosts_are_turned_away_from_a_loopback_port() {
    let attacker: crate::engine::HostMain = std::sync::Arc::new(|host| {
        Box::pin(async move {
            host.runtime.sleep(Duration::from_secs(1)).await;
            if let Ok(mut stream) = host.network.connect(APP, 5000).await {
                let _ = stream.write_all(b"forged").await;
                std::future::pending::<()>().await;
            }
        })
    });
    for engine in ENGINES {
        let servers = vec![("attacker.example".to_owned(), attacker.clone())];
        play(engine, servers, async |_, platform| {
            let mut port = platform.loopback.listen(Some(5000)).await.expect("a port");
            let limit = Duration::from_secs(10);
            let accepted = platform.within(limit, port.accept()).await;
            assert!(accepted.is_none());
        });
    }
}

#[test]
fn the_browser_keeps_what_it_is_asked_for() {
    play(ENGINES[0], Vec::new(), async |state, platform| {
        let url = |text: &str| text.parse::<Url>().expect("a URL");
        let (browser, page) = (state.browser.clone(), url("https://login.example/?a=b"));
        let (told, seen) = tokio::sync::oneshot::channel();
        let person = platform.spawner.spawn(Box::pin(async move {
            let _ = told.send(browser.page(0).await);
        }));
        platform.clock.sleep(Duration::from_secs(1)).await;
        platform.browser.open(&page).await.expect("opened");
        assert_eq!(seen.await.expect("seen"), page);
        drop(person);
        let file = platform.browser.open(&url("file:///etc/passwd")).await;
        assert_eq!(file, Err(BrowserError::Scheme("file".to_owned())));
        let why = BrowserError::NotAvailable("nobody is there".to_owned());
        state.browser.set_missing(Some(why.clone()));
        assert_eq!(platform.browser.open(&page).await, Err(why));
        assert_eq!(state.browser.pages(), [page]);
    });
}

#[test]
fn the_secret_store_keeps_secrets_and_fails_as_it_is_told() {
    play(ENGINES[0], Vec::new(), async |state, platform| {
        let secrets = &platform.secrets;
        let name = SecretName::new("service", "account");
        let other = SecretName::new("service", "other");
        assert_eq!(secrets.get(&name).await, Ok(None));
        let secret = Secret::new(b"s3cret".to_vec());
        secrets.set(&name, secret.clone()).await.expect("kept");
        assert_eq!(secrets.get(&name).await, Ok(Some(secret.clone())));
        assert_eq!(secrets.get(&other).await, Ok(None));
        for (how, kind) in [
            (KeyringState::Missing, SecretsErrorKind::NotAvailable),
            (KeyringState::Locked, SecretsErrorKind::Locked),
            (KeyringState::Refusing, SecretsErrorKind::Refused),
        ] {
            state.keyring.set_state(how);
            let got = secrets.get(&name).await.map(|_| ());
            let deleted = secrets.delete(&name).await.map(|_| ());
            for result in [got, secrets.set(&name, secret.clone()).await, deleted] {
                assert_eq!(result.map_err(|error| error.kind), Err(kind));
            }
        }
        state.keyring.set_state(KeyringState::Hanging);
        let limit = Duration::from_secs(5);
        assert_eq!(platform.within(limit, secrets.get(&name)).await, None);
        state.keyring.set_state(KeyringState::Open);
        assert_eq!(secrets.delete(&name).await, Ok(true));
        assert_eq!(secrets.delete(&name).await, Ok(false));
    });
}

#[test]
fn a_process_that_took_over_an_id_is_told_from_the_one_that_had_it() {
    play(ENGINES[0], Vec::new(), async |state, platform| {
        let look_up = |id| platform.processes.look_up(id).expect("known");
        assert_eq!(platform.processes.own_id().expect("an id"), SUBJECT);
        let began = platform.clock.now();
        let slack = Duration::from_secs(2);
        assert!(look_up(SUBJECT).may_have_lived_at(began, slack));
        assert_eq!(look_up(7), Liveness::Dead);
        state.processes.start(7, state.elapsed());
        assert!(look_up(7).may_have_lived_at(began, slack));
        state.processes.end(7);
        assert_eq!(look_up(7), Liveness::Dead);
        platform.clock.sleep(Duration::from_secs(60)).await;
        state.processes.start(7, state.elapsed());
        let since = Some(platform.clock.now());
        assert_eq!(look_up(7), Liveness::Alive { since });
        assert!(!look_up(7).may_have_lived_at(began, slack));
    });
}
