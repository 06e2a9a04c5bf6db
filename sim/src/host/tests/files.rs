//! The files of a simulated host: what a process sees, what a loss of power leaves, and locks.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use credsim_identity::platform::{FileKind, LockKind, Platform};
use jiff::Timestamp;

use super::{ENGINES, play};
use crate::{host::HostState, trace::Kind};

const CACHE: &str = "/home/.IdentityService/msal.cache";

/// Plays on the first engine; files do not depend on it.
fn on_lapse<F>(story: impl FnOnce(Arc<HostState>, Platform) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    play(ENGINES[0], Vec::new(), story);
}

async fn with_folder(platform: &Platform) -> &'static Path {
    let path = Path::new(CACHE);
    let folder = path.parent().expect("a folder");
    let created = platform.files.create_folder(folder, 0o700).await;
    created.expect("created");
    path
}

#[test]
fn a_host_has_the_files_that_are_put_there_and_those_that_are_written() {
    on_lapse(async |state, platform| {
        let files = &platform.files;
        let token = Path::new("/var/run/secrets/token");
        assert!(!files.exists(token));
        assert_eq!(
            files.read(token).expect_err("none").kind(),
            ErrorKind::NotFound
        );
        let now = platform.clock.now();
        state.disk.put(token, b"one", 0o644, now).expect("put");
        assert!(files.exists(token) && !files.exists(Path::new("/var/run")));
        assert_eq!(files.read(token).expect("readable"), b"one");
        state.disk.put(token, b"three", 0o200, now).expect("put");
        let error = files.load(token).await.expect_err("not readable");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);

        let path = with_folder(&platform).await;
        let mode = 0o600;
        let missing = files
            .create_new(Path::new("/nowhere/file"), Vec::new(), mode)
            .await;
        assert_eq!(missing.expect_err("no folder").kind(), ErrorKind::NotFound);
        platform.clock.sleep(Duration::from_secs(5)).await;
        files
            .create_new(path, b"first".to_vec(), mode)
            .await
            .expect("created");
        let again = files.create_new(path, b"second".to_vec(), mode).await;
        assert_eq!(again.expect_err("there").kind(), ErrorKind::AlreadyExists);
        let known = files.metadata(path).await.expect("metadata");
        assert_eq!(
            (known.kind, known.length, known.mode),
            (FileKind::File, 5, Some(mode))
        );
        assert_eq!(known.modified, Some(now + Duration::from_secs(5)));

        platform
            .write_atomic(path, b"whole".to_vec(), mode)
            .await
            .expect("written");
        let folder = path.parent().expect("a folder");
        assert_eq!(files.list(folder).await.expect("a list"), [path]);
        assert_eq!(files.load(path).await.expect("readable"), b"whole");
        files.remove(path).await.expect("removed");
        let folders: [PathBuf; 2] = ["/home".into(), "/var".into()];
        assert_eq!(files.list(Path::new("/")).await.expect("a list"), folders);
        let odd = files.load(Path::new("/var/../etc")).await.expect_err("odd");
        assert_eq!(odd.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_read_with_a_limit_is_in_the_trace_without_what_was_read() {
    on_lapse(async |state, platform| {
        let files = &platform.files;
        let token = Path::new("/var/run/secrets/token");
        let now = platform.clock.now();
        state.disk.put(token, b"three", 0o644, now).expect("put");
        let limited = async |limit| files.load_limited(token, limit).await;
        assert_eq!(limited(5).await.expect("short enough"), b"three");
        let error = limited(4).await.expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let folder = files.load_limited(Path::new("/var/run"), 5).await;
        assert_eq!(
            folder.expect_err("a folder").kind(),
            ErrorKind::InvalidInput
        );
        assert_eq!(files.canonical(token).await.expect("it exists"), token);
        let gone = files.canonical(Path::new("/var/gone")).await;
        assert_eq!(gone.expect_err("missing").kind(), ErrorKind::NotFound);
        let reads: Vec<String> = (state.recorder.finish().events.iter())
            .filter_map(|event| match &event.kind {
                Kind::FileRead { path, outcome, .. } => Some(format!("{path}: {outcome}")),
                _ => None,
            })
            .collect();
        assert_eq!(
            reads,
            [
                "/var/run/secrets/token: 5 bytes",
                "/var/run/secrets/token: /var/run/secrets/token has more than 4 bytes",
                "/var/run: /var/run is not a file",
            ]
        );
    });
}

#[test]
fn a_loss_of_power_leaves_what_was_synced_and_nothing_else() {
    on_lapse(async |state, platform| {
        let files = &platform.files;
        let path = with_folder(&platform).await;
        let beside = path.with_extension("tmp");
        let write = async |content: &[u8]| {
            let created = files.create_new(&beside, content.to_vec(), 0o600).await;
            created.expect("created");
        };
        platform
            .write_atomic(path, b"old".to_vec(), 0o600)
            .await
            .expect("written");
        state.disk.lose_power();
        assert_eq!(files.read(path).expect("durable"), b"old");

        // Synced and renamed, but the folder was not synced: the old file is there.
        write(b"new").await;
        files.sync(&beside).await.expect("synced");
        files.rename(&beside, path).await.expect("renamed");
        assert_eq!(files.read(path).expect("seen at once"), b"new");
        state.disk.lose_power();
        assert_eq!(files.read(path).expect("durable"), b"old");
        assert!(!files.exists(&beside));

        // Renamed without a sync of the file: the name is there, and the content is not.
        write(b"new").await;
        files.rename(&beside, path).await.expect("renamed");
        files
            .sync(path.parent().expect("a folder"))
            .await
            .expect("synced");
        state.disk.lose_power();
        assert_eq!(files.read(path).expect("durable"), b"");
    });
}

#[test]
fn a_lock_is_waited_for_in_virtual_time_and_ends_with_its_holder() {
    on_lapse(async |state, platform| {
        let files = &platform.files;
        with_folder(&platform).await;
        let path = Path::new("/home/.IdentityService/lock");
        let lock = |kind, seconds| files.lock(path, kind, Duration::from_secs(seconds));
        let shared = lock(LockKind::Shared, 0).await.expect("free");
        let second = lock(LockKind::Shared, 0).await.expect("shared");
        drop(second);
        let before = platform.clock.monotonic();
        let refused = lock(LockKind::Exclusive, 5).await.expect_err("held");
        assert_eq!(refused.kind(), ErrorKind::TimedOut);
        let waited = platform.clock.monotonic() - before;
        assert_eq!(waited, Duration::from_secs(5));
        drop(shared);

        // The holder is killed: what it held is free at that moment.
        let (held, begun) = (
            lock(LockKind::Exclusive, 0),
            tokio::sync::oneshot::channel(),
        );
        let holder = platform.spawner.spawn(Box::pin(async move {
            let _lock = held.await.expect("free");
            begun.0.send(()).expect("waited for");
            std::future::pending::<()>().await;
        }));
        begun.1.await.expect("it began");
        let clock = platform.clock.clone();
        let killer = platform.spawner.spawn(Box::pin(async move {
            clock.sleep(Duration::from_secs(3)).await;
            drop(holder);
        }));
        let before = platform.clock.monotonic();
        let mine = lock(LockKind::Exclusive, 60).await.expect("free in time");
        assert_eq!(platform.clock.monotonic() - before, Duration::from_secs(3));
        drop(killer);

        // Its file removed, another may be locked under the same name; and power ends all locks.
        files.remove(path).await.expect("removed");
        let other = lock(LockKind::Exclusive, 0).await.expect("a new file");
        let folder = path.parent().expect("a folder");
        files.sync(folder).await.expect("synced");
        state.disk.lose_power();
        let after = lock(LockKind::Exclusive, 0).await.expect("free");
        drop((mine, other));
        let refused = lock(LockKind::Exclusive, 0).await.expect_err("still held");
        assert_eq!(refused.kind(), ErrorKind::TimedOut);
        drop(after);
    });
}

/// The same operations in the same order give the same files.
#[test]
fn files_are_the_same_in_each_run() {
    let run = || {
        play(ENGINES[0], Vec::new(), async |_, platform| {
            let path = with_folder(&platform).await;
            for _ in 0..3 {
                let written = platform.write_atomic(path, b"it".to_vec(), 0o600).await;
                written.expect("written");
            }
            let known = platform.files.metadata(path).await.expect("metadata");
            (known, Timestamp::UNIX_EPOCH + platform.clock.monotonic())
        })
    };
    assert_eq!(run(), run());
}
