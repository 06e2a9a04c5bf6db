//! Files of the host: reading, atomic and durable writing, locks.

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
/// small local files that a host provides for credentials, such as a token file. The other
/// operations are futures, because a disk may be slow or hang. An operation that has begun may
/// continue after its future is dropped; it takes effect as a whole, unless its documentation says
/// otherwise.
///
/// An operation that an implementation does not have must fail with
/// [`Unsupported`](io::ErrorKind::Unsupported), as the default bodies do.
pub trait Files: Send + Sync + 'static {
    /// Returns whether `path` exists and is a file.
    fn exists(&self, path: &Path) -> bool;

    /// Returns the whole content of `path`.
    ///
    /// # Errors
    /// The file cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Returns the whole content of `path`, without blocking the thread. If another process writes
    /// to the file at the same time, the content may be a mixture.
    ///
    /// # Errors
    /// The file cannot be read.
    fn load(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        lacking("read", path)
    }

    /// Returns the whole content of the file `path` if it has at most `limit` bytes, without
    /// blocking the thread. Symbolic links are followed. Not more than `limit` bytes are kept,
    /// even if the file grows meanwhile.
    ///
    /// # Errors
    /// The content is longer ([`FileTooLarge`](io::ErrorKind::FileTooLarge)), `path` is a folder, a
    /// device or a pipe, which is not opened ([`InvalidInput`](io::ErrorKind::InvalidInput)), or
    /// the file cannot be read.
    fn load_limited(&self, path: &Path, limit: u64) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let _ = limit;
        lacking("read", path)
    }

    /// Returns the absolute path of an existing file or folder without symbolic links, `.` and
    /// `..`. A check of the result followed by a read of the result is safe against links that
    /// exist at the time of the check.
    ///
    /// # Errors
    /// `path` does not exist, or a folder on the way cannot be searched.
    fn canonical(&self, path: &Path) -> BoxFuture<'static, io::Result<PathBuf>> {
        lacking("resolve", path)
    }

    /// Returns kind, size and permissions of `path`. A symbolic link is followed, and
    /// [`is_link`](Metadata::is_link) is set.
    ///
    /// # Errors
    /// `path` does not exist ([`NotFound`](io::ErrorKind::NotFound)), or this process may not read
    /// its metadata.
    fn metadata(&self, path: &Path) -> BoxFuture<'static, io::Result<Metadata>> {
        lacking("look at", path)
    }

    /// Returns the paths of the entries of `folder`, in the order of their names.
    ///
    /// # Errors
    /// `folder` cannot be read.
    fn list(&self, folder: &Path) -> BoxFuture<'static, io::Result<Vec<PathBuf>>> {
        lacking("list", folder)
    }

    /// Creates the file `path` with this content. Of several concurrent callers exactly one
    /// succeeds.
    ///
    /// On Unix the file has the permission bits `mode`, whatever the umask; on other systems the
    /// permissions that its folder passes on. It is not durable before [`sync`](Self::sync) of the
    /// file and of its folder.
    ///
    /// # Errors
    /// `path` exists, even as a dangling symbolic link
    /// ([`AlreadyExists`](io::ErrorKind::AlreadyExists)), or it cannot be written; a partly written
    /// file is removed.
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

    /// Creates the folder `path` and its missing parents, with permission bits as in
    /// [`create_new`](Self::create_new). An existing folder is not changed. On Unix a new folder is
    /// durable, unless this process may not read its parent.
    ///
    /// # Errors
    /// A folder cannot be created, or part of the path is a file.
    fn create_folder(&self, path: &Path, mode: u32) -> BoxFuture<'static, io::Result<()>> {
        let _ = mode;
        lacking("create", path)
    }

    /// Renames a file within one file system. A file at `to` is replaced atomically: an open of
    /// `to` finds the old file or the new one. A symbolic link at `to` is replaced, not followed.
    ///
    /// # Errors
    /// `from` does not exist, or this process may not write to the folder. Nothing is changed then.
    fn rename(&self, from: &Path, to: &Path) -> BoxFuture<'static, io::Result<()>> {
        let _ = to;
        lacking("rename", from)
    }

    /// Removes a file. Of a symbolic link, the link is removed.
    ///
    /// # Errors
    /// `path` does not exist or is a folder, or this process may not write to its folder.
    fn remove(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        lacking("remove", path)
    }

    /// Makes the content of a file durable, or the entries of a folder (files created, renamed or
    /// removed in it): they survive a loss of power.
    ///
    /// # Errors
    /// The disk reports a failure, and written data may be lost. On other systems than Unix, `path`
    /// is a folder ([`Unsupported`](io::ErrorKind::Unsupported)).
    fn sync(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        lacking("sync", path)
    }

    /// Locks the file `path` against other lockers in this process and in others, and creates it
    /// (mode 0600) if it does not exist. Waits for at most `limit`; a limit of zero tries once.
    ///
    /// The lock is advisory. It ends with the [`FileLock`] or with its process, and the file stays.
    /// A holder may remove the file as the last operation under the lock: from then on others lock
    /// a new file of that name. [`Platform::system`] has locks on Unix only.
    ///
    /// # Errors
    /// The lock was not free within `limit` ([`TimedOut`](io::ErrorKind::TimedOut)), the file
    /// cannot be opened or is a symbolic link, or this system has no locks that end with their
    /// process ([`Unsupported`](io::ErrorKind::Unsupported)).
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

/// Kind, size and permissions of a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The kind, of a symbolic link that of its target.
    pub kind: FileKind,
    /// Whether the path itself is a symbolic link.
    pub is_link: bool,
    /// The length of the content in bytes.
    pub length: u64,
    /// When the content last changed, by the wall clock of the host; `None` if that is not known.
    pub modified: Option<Timestamp>,
    /// The permission bits; `None` on systems without them.
    pub mode: Option<u32>,
    /// The user id of the owner; `None` on systems without user ids.
    pub owner: Option<u32>,
}

impl Metadata {
    /// Creates the metadata of a file of this kind and length; all other fields are `None` or
    /// `false`.
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

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file with content.
    File,
    /// A folder.
    Folder,
    /// A device, a socket or a pipe.
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

/// A lock on a file. Dropping it releases the lock.
#[must_use = "dropping it releases the lock"]
pub struct FileLock(Option<Box<dyn FnOnce() + Send + Sync>>);

impl FileLock {
    /// Creates a lock that calls `release` when it is dropped.
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
    /// Creates the file `path`, or replaces its content atomically. A reader finds the old content
    /// or the new one, whole, even after a loss of power.
    ///
    /// The content is written to a new file in the same folder with the permission bits `mode`,
    /// which is synced and renamed to `path`; then the folder is synced. If the future is dropped
    /// before its end, the new file may stay, with a name that begins with a dot and ends in
    /// `.tmp`; after an error it is removed.
    ///
    /// # Errors
    /// One of these operations failed. The old content is still there, unless only the sync of the
    /// folder failed. On systems that cannot sync folders, that step is left out.
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
