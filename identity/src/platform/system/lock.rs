//! Advisory locks on files of the real machine.

#[cfg(unix)]
use std::{fs::File, path::Path};
use std::{io, path::PathBuf, time::Duration};

use crate::platform::{FileLock, LockKind};

/// The interval at which a lock that is held is tried again. `flock` can wait for it only by
/// blocking a thread.
#[cfg(unix)]
const STEP: Duration = Duration::from_millis(10);

#[cfg(unix)]
pub(super) async fn lock(path: PathBuf, kind: LockKind, limit: Duration) -> io::Result<FileLock> {
    use super::files::blocking;
    let start = tokio::time::Instant::now();
    loop {
        let path = path.clone();
        let tried = blocking({
            let path = path.clone();
            move || attempt(&path, kind)
        });
        if let Some(file) = tried.await? {
            return Ok(FileLock::new(move || drop(file)));
        }
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            let why = format!(
                "others have held the lock {} for {} s",
                path.display(),
                limit.as_secs_f64()
            );
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        tokio::time::sleep(STEP.min(left)).await;
    }
}

/// Fails: a lock that outlives a crashed process would block all others for good.
#[cfg(not(unix))]
pub(super) async fn lock(path: PathBuf, _: LockKind, _: Duration) -> io::Result<FileLock> {
    let why = format!("files cannot be locked on this system: {}", path.display());
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

/// Returns the locked file; `None` if the lock is held. Closing the file releases the lock.
#[cfg(unix)]
fn attempt(path: &Path, kind: LockKind) -> io::Result<Option<File>> {
    loop {
        let file = open(path)?;
        match take(&file, path, kind)? {
            Taken::Ours => return Ok(Some(file)),
            Taken::Others => return Ok(None),
            Taken::Gone => {}
        }
    }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0))
        .open(path)
}

/// The outcome of an attempt to lock an open file.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Ours,
    Others,
    /// The path leads to another file by now, or to none: other processes would lock that one.
    Gone,
}

#[cfg(unix)]
fn take(file: &File, path: &Path, kind: LockKind) -> io::Result<Taken> {
    use std::os::unix::fs::MetadataExt as _;

    use rustix::{
        fs::{FlockOperation, flock},
        io::Errno,
    };
    let operation = match kind {
        LockKind::Exclusive => FlockOperation::NonBlockingLockExclusive,
        LockKind::Shared => FlockOperation::NonBlockingLockShared,
    };
    loop {
        match flock(file, operation) {
            Ok(()) => break,
            Err(Errno::WOULDBLOCK) => return Ok(Taken::Others),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let ours = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(Taken::Ours),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(Taken::Gone),
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use std::{
        process::{Command, Stdio},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use super::*;
    use crate::platform::{Files as _, system::files::SystemFiles};

    const NOW: Duration = Duration::ZERO;
    const SOON: Duration = Duration::from_secs(20);

    async fn refused(path: &Path, kind: LockKind) {
        let error = SystemFiles.lock(path, kind, NOW).await;
        let error = error.expect_err("others hold it");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
        assert!(error.to_string().contains("have held the lock"), "{error}");
    }

    #[tokio::test]
    async fn an_exclusive_lock_keeps_all_out_and_a_shared_one_only_writers() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let exclusive = SystemFiles.lock(&path, LockKind::Exclusive, NOW).await;
        let exclusive = exclusive.expect("a free lock");
        refused(&path, LockKind::Exclusive).await;
        refused(&path, LockKind::Shared).await;
        drop(exclusive);
        let one = SystemFiles.lock(&path, LockKind::Shared, NOW).await;
        let two = SystemFiles.lock(&path, LockKind::Shared, NOW).await;
        let (one, two) = (one.expect("free"), two.expect("shared"));
        refused(&path, LockKind::Exclusive).await;
        drop(one);
        refused(&path, LockKind::Exclusive).await;
        drop(two);
        let free = SystemFiles.lock(&path, LockKind::Exclusive, NOW).await;
        drop(free.expect("free again"));
    }

    #[tokio::test]
    async fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, target) = (folder.path().join("lock"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &path).expect("a link");
        let locked = SystemFiles.lock(&path, LockKind::Exclusive, NOW).await;
        locked.expect_err("a link");
        assert!(!target.exists());
    }

    /// Between the open and the lock another process may remove the file, and a third one may lock
    /// a new file of that name.
    #[test]
    fn a_file_that_lost_its_name_is_not_locked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let old = open(&path).expect("a file");
        std::fs::remove_file(&path).expect("removed");
        let taken = |file| take(file, &path, LockKind::Exclusive).expect("known");
        assert_eq!(taken(&old), Taken::Gone);
        let new = open(&path).expect("a new file");
        assert_eq!(taken(&old), Taken::Gone);
        assert_eq!(taken(&new), Taken::Ours);
        let third = open(&path).expect("the same file");
        assert_eq!(taken(&third), Taken::Others);
    }

    /// Threads take the lock, and some of them remove the file as the last operation under it.
    /// Removed earlier, it would let others in: they would lock a new file of that name.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn never_are_two_inside_even_if_the_file_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let inside = Arc::<AtomicUsize>::default();
        let all: Vec<_> = (0..8)
            .map(|n| {
                let (path, inside) = (path.clone(), Arc::clone(&inside));
                tokio::spawn(async move {
                    for round in 0..20 {
                        let lock = SystemFiles.lock(&path, LockKind::Exclusive, SOON).await;
                        let lock = lock.expect("a lock in time");
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        tokio::task::yield_now().await;
                        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                        if (n + round) % 3 == 0 {
                            std::fs::remove_file(&path).expect("removed");
                        }
                        drop(lock);
                    }
                })
            })
            .collect();
        for each in all {
            each.await.expect("no two inside");
        }
    }

    /// The kernel releases the locks of a killed process. Skipped if flock(1) is missing; with
    /// `CREDSIM_REQUIRE` that is a failure.
    #[tokio::test]
    async fn a_lock_of_another_process_ends_with_it() {
        if Command::new("flock").arg("--version").output().is_err() {
            assert!(
                std::env::var_os("CREDSIM_REQUIRE").is_none(),
                "flock(1) is missing"
            );
            eprintln!("skipped: there is no flock(1)");
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let mut other = Command::new("flock")
            .arg("--no-fork")
            .arg(&path)
            .args(["sleep", "60"])
            .stdin(Stdio::null())
            .spawn()
            .expect("another process");
        let is_held = async || {
            let tried = SystemFiles.lock(&path, LockKind::Exclusive, NOW).await;
            tried.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
        };
        for _ in 0..200 {
            if is_held().await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(is_held().await, "the other process has it");
        let waiting = tokio::spawn(SystemFiles.lock(&path, LockKind::Exclusive, SOON));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        other.kill().expect("killed");
        other.wait().expect("gone");
        let lock = waiting.await.expect("no panic").expect("the lock in time");
        drop(lock);
    }
}
