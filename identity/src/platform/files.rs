//! Files of the host: read at once, or written so that nothing is lost.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::{BoxFuture, Platform};

/// Files of the host.
///
/// [`exists`](Self::exists) and [`read`](Self::read) block the calling thread: they are for the
/// small local files that a host puts there for credentials, such as a token file. The other
/// operations may meet a slow or hanging disk and are futures. An operation that has begun may go
/// on after its future is dropped; each takes effect whole or, where its text says so, not at all.
///
/// An operation that an implementation lacks fails with [`Unsupported`](io::ErrorKind::Unsupported),
/// which is what the default bodies do; none pretends to have been done.
pub trait Files: Send + Sync + 'static {
    /// Whether `path` exists and is a file.
    fn exists(&self, path: &Path) -> bool;

    /// The whole content of `path`.
    ///
    /// # Errors
    /// The file cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The whole content of `path`, without blocking the thread. What another process writes
    /// meanwhile may be in it by half.
    ///
    /// # Errors
    /// The file cannot be read.
    fn load(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        lacking("read", path)
    }

    /// What is known of `path`. A symbolic link is followed, and said to be one.
    ///
    /// # Errors
    /// Nothing is there ([`NotFound`](io::ErrorKind::NotFound)), or it may not be looked at.
    fn metadata(&self, path: &Path) -> BoxFuture<'static, io::Result<Metadata>> {
        lacking("look at", path)
    }

    /// The paths of what is in `folder`, in the order of their names.
    ///
    /// # Errors
    /// `folder` cannot be read.
    fn list(&self, folder: &Path) -> BoxFuture<'static, io::Result<Vec<PathBuf>>> {
        lacking("list", folder)
    }

    /// Creates the file `path` with this content, and with the permission bits `mode` whatever the
    /// umask; where files have no such bits, with what their folder gives them. Of several callers
    /// exactly one creates it. It is not durable before [`sync`](Self::sync) of the file and of
    /// its folder.
    ///
    /// # Errors
    /// Something is there, if only a symbolic link: [`AlreadyExists`](io::ErrorKind::AlreadyExists).
    /// Or it cannot be written whole, and is removed.
    fn create_new(
        &self,
        path: &Path,
        content: Vec<u8>,
        mode: u32,
    ) -> BoxFuture<'static, io::Result<()>> {
        drop(content);
        let _ = mode;
        lacking("create", path)
    }

    /// Creates the folder `path`, and those above it that are missing, with these permission bits
    /// as in [`create_new`](Self::create_new). A folder that exists stays as it is. On Unix a new
    /// folder is durable, unless the one above it may not be read.
    ///
    /// # Errors
    /// A folder cannot be created, or a file is in the way.
    fn create_folder(&self, path: &Path, mode: u32) -> BoxFuture<'static, io::Result<()>> {
        let _ = mode;
        lacking("create", path)
    }

    /// Gives a file another name in the same file system. An open of `to` finds the old file or
    /// the new one. A symbolic link at `to` is replaced and not followed.
    ///
    /// # Errors
    /// `from` is not there, or the folder cannot be changed; nothing is changed.
    fn rename(&self, from: &Path, to: &Path) -> BoxFuture<'static, io::Result<()>> {
        let _ = to;
        lacking("rename", from)
    }

    /// Removes a file, or a symbolic link itself.
    ///
    /// # Errors
    /// Nothing is there, it is a folder, or the folder above cannot be changed.
    fn remove(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        lacking("remove", path)
    }

    /// Makes a file's content durable, or a folder's entries: what was created, renamed or removed
    /// in it. After a loss of power they are there.
    ///
    /// # Errors
    /// The disk reports a failure, and what was written may be lost. Folders cannot be synced
    /// except on Unix ([`Unsupported`](io::ErrorKind::Unsupported)).
    fn sync(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        lacking("sync", path)
    }

    /// Locks the file `path` against other lockers, in this process and in others, and creates it
    /// (mode 0600) if it is missing. Waits for at most `limit`; a limit of zero tries once. The
    /// lock is advisory, and ends with the [`FileLock`] or with its process. The file stays. A
    /// holder may remove it as the last thing that it does: from then on others lock a new file of
    /// that name.
    ///
    /// # Errors
    /// Others have held it for all that time ([`TimedOut`](io::ErrorKind::TimedOut)), or the file
    /// cannot be opened. A symbolic link is not followed.
    fn lock(
        &self,
        path: &Path,
        kind: LockKind,
        limit: Duration,
    ) -> BoxFuture<'static, io::Result<FileLock>> {
        let _ = (kind, limit);
        lacking("lock", path)
    }
}

fn lacking<T: Send + 'static>(what: &str, path: &Path) -> BoxFuture<'static, io::Result<T>> {
    let why = format!("this platform cannot {what} {}", path.display());
    Box::pin(async { Err(io::Error::new(io::ErrorKind::Unsupported, why)) })
}

/// What is known of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// What it is, or what the symbolic link leads to.
    pub kind: FileKind,
    /// Whether the path itself is a symbolic link.
    pub is_link: bool,
    /// The length of the content in bytes.
    pub length: u64,
    /// When the content last changed, by the wall clock of the host; `None` where that is not
    /// known.
    pub modified: Option<Timestamp>,
    /// The permission bits; `None` where there are none.
    pub mode: Option<u32>,
    /// The user id of the owner; `None` where there is none.
    pub owner: Option<u32>,
}

impl Metadata {
    /// What is known of a file of this kind and length, and nothing else.
    pub fn new(kind: FileKind, length: u64) -> Self {
        Self {
            kind,
            is_link: false,
            length,
            modified: None,
            mode: None,
            owner: None,
        }
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file with content.
    File,
    /// A folder.
    Folder,
    /// A device, a socket, a pipe.
    Other,
}

/// The kind of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// Excludes all other lockers.
    Exclusive,
    /// Excludes exclusive lockers only.
    Shared,
}

/// A lock that is held. Dropping it releases the lock.
#[must_use = "dropping it releases the lock"]
pub struct FileLock(Option<Box<dyn FnOnce() + Send + Sync>>);

impl FileLock {
    /// A lock that `release` releases.
    pub fn new(release: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(release)))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}

impl fmt::Debug for FileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileLock")
    }
}

impl Platform {
    /// Replaces the content of the file `path`, or creates it: written beside, synced, renamed, and
    /// the folder synced. A reader, also after a loss of power, finds the old content or the new
    /// one, whole. The file is a new one with the permission bits
    /// `mode`.
    ///
    /// A caller that is dropped halfway may leave the file beside, whose name begins with a dot
    /// and ends in `.tmp`; an error does not.
    ///
    /// # Errors
    /// An operation failed. Until the last of them, the sync of the folder, the old content is
    /// there. Where folders cannot be synced, that is no error.
    pub async fn write_atomic(&self, path: &Path, content: Vec<u8>, mode: u32) -> io::Result<()> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            let why = format!("{} names no file", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        };
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{:016x}.tmp", self.random.next("file/temporary")));
        let beside = folder.join(beside);
        let files = &self.files;
        files.create_new(&beside, content, mode).await?;
        let replaced = match files.sync(&beside).await {
            Ok(()) => files.rename(&beside, path).await,
            failed => failed,
        };
        if let Err(error) = replaced {
            // The first error is the one that matters.
            let _ = files.remove(&beside).await;
            return Err(error);
        }
        match files.sync(folder).await {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
            synced => synced,
        }
    }
}
