//! Folders of runs that were killed: the next start removes them.
//!
//! A run locks a file in its folder for as long as it lasts. The system takes the lock away with
//! the process, however it ends.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use rustix::{
    fs::{FlockOperation, flock},
    process::geteuid,
};

/// What the name of a run's folder begins with.
pub(super) const PREFIX: &str = "credsim-";

/// The locked file in it.
const LOCK: &str = "lock";

/// Locks a new folder of a run until the file is dropped.
///
/// # Errors
/// The file can't be made or locked.
#[expect(clippy::disallowed_methods, reason = "files of this machine")]
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    // Locked before it has its name: a sweep must not find it without.
    let early = folder.join("lock-to-be");
    let file = File::create(&early)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    fs::rename(early, folder.join(LOCK))?;
    Ok(file)
}

/// Removes the folders of this user's runs below `temporary` that have ended. What can't be removed
/// stays, and the next start tries again.
#[expect(clippy::disallowed_methods, reason = "files of this machine")]
pub(super) fn sweep(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(PREFIX) && is_stale(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "files of this machine")]
fn is_stale(folder: &Path) -> bool {
    // Not through a link, and only what this user has made.
    let is_own = |metadata: fs::Metadata| metadata.uid() == geteuid().as_raw();
    let is_ours = fs::symlink_metadata(folder).is_ok_and(|it| it.is_dir() && is_own(it));
    // Where there is no such file, the run is just beginning, or it is no run's folder.
    is_ours
        && File::open(folder.join(LOCK))
            .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "files of this machine")]
    fn only_folders_of_runs_that_have_ended_are_swept() {
        let temporary = tempfile::tempdir().expect("a folder");
        let path = |name: &str| temporary.path().join(name);
        for name in ["credsim-ended", "credsim-runs", "credsim-begins", "another"] {
            fs::create_dir(path(name)).expect("a folder");
        }
        drop(lock(&path("credsim-ended")).expect("a lock"));
        drop(lock(&path("another")).expect("a lock"));
        let runs = lock(&path("credsim-runs")).expect("a lock");
        sweep(temporary.path());
        assert!(!path("credsim-ended").exists());
        for name in ["credsim-runs", "credsim-begins", "another"] {
            assert!(path(name).exists(), "{name}");
        }
        drop(runs);
        sweep(temporary.path());
        assert!(!path("credsim-runs").exists());
    }
}
