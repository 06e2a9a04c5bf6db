//! The file system of a simulated host, in memory: what processes see, and what a loss of power
//! leaves of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use credsim_identity::platform::{FileKind, FileLock, LockKind, Metadata};
use jiff::Timestamp;
use tokio::sync::{Notify, futures::OwnedNotified};

/// The files of a host. Clones are the same files.
///
/// A process sees each operation at once. Durable is the content of a file that was synced, and an
/// entry whose folder was synced: [`lose_power`](Self::lose_power) leaves nothing else. So a file
/// that was renamed into place but never synced is there and empty, as on real disks. Permissions
/// are those of one user: a file without 0400 cannot be read, a folder without 0200 cannot be
/// changed. There are no symbolic links.
#[derive(Clone, Default)]
pub struct Disk(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Rings when a lock is released.
    freed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// What processes see. The root is there without an entry.
    entries: BTreeMap<PathBuf, Entry>,
    /// What is there after a loss of power.
    durable: BTreeMap<PathBuf, Entry>,
    files: BTreeMap<u64, File>,
    locks: Vec<Lock>,
    /// The last number given to a file or a lock.
    last: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder { mode: u32 },
    File(u64),
}

struct File {
    content: Vec<u8>,
    durable: Vec<u8>,
    modified: Timestamp,
    mode: u32,
}

struct Lock {
    number: u64,
    file: u64,
    kind: LockKind,
}

impl Disk {
    /// Writes a file as the operator of the host does: folders are made as needed, an earlier
    /// file is overwritten, and everything is durable.
    ///
    /// # Errors
    /// A file is in the way of a folder, or a folder in that of the file.
    pub fn put(&self, path: &Path, content: &[u8], mode: u32, now: Timestamp) -> io::Result<()> {
        let path = whole(path)?;
        let mut state = self.lock_state();
        if let Some(folder) = path.parent() {
            state.create_folder(folder, 0o755)?;
        }
        let file = match state.entries.get(&path) {
            Some(Entry::Folder { .. }) => return Err(io::ErrorKind::IsADirectory.into()),
            Some(Entry::File(file)) => *file,
            None => state.next(),
        };
        let written = File {
            content: content.to_vec(),
            durable: content.to_vec(),
            modified: now,
            mode,
        };
        state.files.insert(file, written);
        state.entries.insert(path.clone(), Entry::File(file));
        state.durable.insert(path, Entry::File(file));
        Ok(())
    }

    /// The host loses its power: what is not durable is gone, and nobody holds a lock.
    pub fn lose_power(&self) {
        let mut state = self.lock_state();
        state.locks.clear();
        state.entries = state.durable.clone();
        for file in state.files.values_mut() {
            file.content.clone_from(&file.durable);
        }
        state.forget();
        drop(state);
        self.0.freed.notify_waiters();
    }

    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.lock_state();
        let file = state.file(&whole(path)?)?;
        if file.mode & 0o400 == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(file.content.clone())
    }

    /// Reads a file that has at most `limit` bytes.
    pub(super) fn read_limited(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        if self.metadata(path)?.kind != FileKind::File {
            let why = format!("{} is not a file", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let content = self.read(path)?;
        if u64::try_from(content.len()).is_ok_and(|length| length <= limit) {
            return Ok(content);
        }
        let why = format!("{} has more than {limit} bytes", path.display());
        Err(io::Error::new(io::ErrorKind::FileTooLarge, why))
    }

    /// The path itself, if there is such a file or folder: there are no links.
    pub(super) fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        let path = whole(path)?;
        self.lock_state().entry(&path)?;
        Ok(path)
    }

    /// Removes a file as the operator of the host does, durably and whatever the permissions of its
    /// folder.
    ///
    /// # Errors
    /// There is no such file.
    pub(crate) fn take_away(&self, path: &Path) -> io::Result<()> {
        let path = whole(path)?;
        let mut state = self.lock_state();
        if matches!(state.entry(&path)?, Entry::Folder { .. }) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        state.entries.remove(&path);
        state.durable.remove(&path);
        state.forget();
        Ok(())
    }

    pub(super) fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let (path, state) = (whole(path)?, self.lock_state());
        let mut known = match state.entry(&path)? {
            Entry::Folder { mode } => {
                let mut known = Metadata::new(FileKind::Folder, 0);
                known.mode = Some(mode);
                known
            }
            Entry::File(_) => {
                let file = state.file(&path)?;
                let length = u64::try_from(file.content.len()).unwrap_or(u64::MAX);
                let mut known = Metadata::new(FileKind::File, length);
                known.modified = Some(file.modified);
                known.mode = Some(file.mode);
                known
            }
        };
        known.owner = Some(0);
        Ok(known)
    }

    pub(super) fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let (folder, state) = (whole(folder)?, self.lock_state());
        match state.entry(&folder)? {
            Entry::Folder { .. } => Ok(state.inside(&folder).cloned().collect()),
            Entry::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn create_new(
        &self,
        path: &Path,
        content: Vec<u8>,
        mode: u32,
        now: Timestamp,
    ) -> io::Result<()> {
        let path = whole(path)?;
        let mut state = self.lock_state();
        if state.entry(&path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.create(&path, content, mode, now).map(|_| ())
    }

    pub(super) fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.lock_state().create_folder(&whole(path)?, mode)
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (whole(from)?, whole(to)?);
        let mut state = self.lock_state();
        let moved = state.entry(&from)?;
        let replaced = state.entries.get(&to).copied();
        for entry in [Some(moved), replaced] {
            if matches!(entry, Some(Entry::Folder { .. })) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
        }
        state.changeable(&from)?;
        state.changeable(&to)?;
        state.entries.remove(&from);
        state.entries.insert(to, moved);
        state.forget();
        Ok(())
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        let path = whole(path)?;
        let mut state = self.lock_state();
        if matches!(state.entry(&path)?, Entry::Folder { .. }) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        state.changeable(&path)?;
        state.entries.remove(&path);
        state.forget();
        Ok(())
    }

    pub(super) fn sync(&self, path: &Path) -> io::Result<()> {
        let path = whole(path)?;
        let mut state = self.lock_state();
        match state.entry(&path)? {
            Entry::File(file) => {
                if let Some(file) = state.files.get_mut(&file) {
                    file.durable.clone_from(&file.content);
                }
            }
            Entry::Folder { .. } => {
                let is_inside = |it: &PathBuf| it.parent() == Some(&path);
                state.durable.retain(|it, _| !is_inside(it));
                let inside: Vec<_> = state.inside(&path).cloned().collect();
                for path in inside {
                    if let Some(entry) = state.entries.get(&path).copied() {
                        state.durable.insert(path, entry);
                    }
                }
                state.forget();
            }
        }
        Ok(())
    }

    /// The lock of a file, which is created if it is missing; none while others hold it.
    pub(super) fn try_lock(
        &self,
        path: &Path,
        kind: LockKind,
        now: Timestamp,
    ) -> io::Result<Option<FileLock>> {
        let path = whole(path)?;
        let mut state = self.lock_state();
        let file = match state.entry(&path) {
            Ok(Entry::File(file)) => file,
            Ok(Entry::Folder { .. }) => return Err(io::ErrorKind::IsADirectory.into()),
            Err(_) => state.create(&path, Vec::new(), 0o600, now)?,
        };
        let keeps_out = |lock: &Lock| {
            lock.file == file && (lock.kind == LockKind::Exclusive || kind == LockKind::Exclusive)
        };
        if state.locks.iter().any(keeps_out) {
            return Ok(None);
        }
        let number = state.next();
        state.locks.push(Lock { number, file, kind });
        drop(state);
        let disk = self.clone();
        Ok(Some(FileLock::new(move || {
            let mut state = disk.lock_state();
            state.locks.retain(|lock| lock.number != number);
            state.forget();
            drop(state);
            disk.0.freed.notify_waiters();
        })))
    }

    /// Completes when a lock is released after this call.
    pub(super) fn freed(&self) -> OwnedNotified {
        self.0.freed.clone().notified_owned()
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn entry(&self, path: &Path) -> io::Result<Entry> {
        if path.parent().is_none() {
            return Ok(Entry::Folder { mode: 0o755 });
        }
        let entry = self.entries.get(path).copied();
        entry.ok_or_else(|| {
            let why = format!("no file {}", path.display());
            io::Error::new(io::ErrorKind::NotFound, why)
        })
    }

    fn file(&self, path: &Path) -> io::Result<&File> {
        match self.entry(path)? {
            Entry::Folder { .. } => Err(io::ErrorKind::IsADirectory.into()),
            Entry::File(file) => (self.files.get(&file)).ok_or(io::ErrorKind::NotFound.into()),
        }
    }

    fn inside(&self, folder: &Path) -> impl Iterator<Item = &PathBuf> {
        let entries = self.entries.keys();
        entries.filter(move |path| path.parent() == Some(folder))
    }

    /// Whether the folder of `path` is there and lets its entries be changed.
    fn changeable(&self, path: &Path) -> io::Result<()> {
        match self.entry(path.parent().unwrap_or(path))? {
            Entry::File(_) => Err(io::ErrorKind::NotADirectory.into()),
            Entry::Folder { mode } if mode & 0o200 == 0 => {
                Err(io::ErrorKind::PermissionDenied.into())
            }
            Entry::Folder { .. } => Ok(()),
        }
    }

    fn create(
        &mut self,
        path: &Path,
        content: Vec<u8>,
        mode: u32,
        now: Timestamp,
    ) -> io::Result<u64> {
        self.changeable(path)?;
        let number = self.next();
        let file = File {
            content,
            durable: Vec::new(),
            modified: now,
            mode,
        };
        self.files.insert(number, file);
        self.entries.insert(path.to_owned(), Entry::File(number));
        Ok(number)
    }

    /// Folders are durable when they have been created.
    fn create_folder(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        match self.entry(path) {
            Ok(Entry::Folder { .. }) => return Ok(()),
            Ok(Entry::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => {}
        }
        if let Some(above) = path.parent() {
            self.create_folder(above, mode)?;
        }
        self.changeable(path)?;
        self.entries.insert(path.to_owned(), Entry::Folder { mode });
        self.durable.insert(path.to_owned(), Entry::Folder { mode });
        Ok(())
    }

    /// Forgets files that no entry leads to and that nobody has locked.
    fn forget(&mut self) {
        let entries = self.entries.values().chain(self.durable.values());
        let mut kept: BTreeSet<u64> = (entries)
            .filter_map(|entry| match entry {
                Entry::File(file) => Some(*file),
                Entry::Folder { .. } => None,
            })
            .collect();
        kept.extend(self.locks.iter().map(|lock| lock.file));
        self.files.retain(|file, _| kept.contains(file));
    }
}

/// `path` from the root on. A simulated process has no folder of its own.
fn whole(path: &Path) -> io::Result<PathBuf> {
    let mut whole = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => whole.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                let why = "a simulated host knows no `..` and no drives in paths";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        }
    }
    Ok(whole)
}
