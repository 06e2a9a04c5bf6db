//! Files of the real machine.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::lock;
use crate::platform::{BoxFuture, FileKind, FileLock, Files, LockKind, Metadata};

pub(super) struct SystemFiles;

impl Files for SystemFiles {
    fn exists(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn load(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        on(path, |path| fs::read(path))
    }

    fn load_limited(&self, path: &Path, limit: u64) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        on(path, move |path| load_limited(path, limit))
    }

    fn canonical(&self, path: &Path) -> BoxFuture<'static, io::Result<PathBuf>> {
        on(path, |path| path.canonicalize())
    }

    fn metadata(&self, path: &Path) -> BoxFuture<'static, io::Result<Metadata>> {
        on(path, metadata)
    }

    fn list(&self, folder: &Path) -> BoxFuture<'static, io::Result<Vec<PathBuf>>> {
        on(folder, |folder| {
            let entries = fs::read_dir(folder)?;
            let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
            let mut paths = paths?;
            paths.sort();
            Ok(paths)
        })
    }

    fn create_new(
        &self,
        path: &Path,
        content: Vec<u8>,
        mode: u32,
    ) -> BoxFuture<'static, io::Result<()>> {
        on(path, move |path| create_new(path, &content, mode))
    }

    fn create_folder(&self, path: &Path, mode: u32) -> BoxFuture<'static, io::Result<()>> {
        on(path, move |path| create_folder(path, mode))
    }

    fn rename(&self, from: &Path, to: &Path) -> BoxFuture<'static, io::Result<()>> {
        let to = to.to_owned();
        on(from, move |from| fs::rename(from, to))
    }

    fn remove(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        on(path, |path| fs::remove_file(path))
    }

    fn sync(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        on(path, sync)
    }

    fn lock(
        &self,
        path: &Path,
        kind: LockKind,
        limit: Duration,
    ) -> BoxFuture<'static, io::Result<FileLock>> {
        Box::pin(lock::lock(path.to_owned(), kind, limit))
    }
}

/// Runs `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

fn on<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    let path = path.to_owned();
    Box::pin(blocking(move || work(&path)))
}

fn load_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use io::Read as _;
    // The open of a pipe waits for a writer, and would keep a thread of the runtime for good.
    if !fs::metadata(path)?.is_file() {
        let why = format!("{} is not a file", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let mut content = Vec::new();
    let file = fs::File::open(path)?;
    file.take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    if u64::try_from(content.len()).is_ok_and(|length| length <= limit) {
        return Ok(content);
    }
    let why = format!("{} has more than {limit} bytes", path.display());
    Err(io::Error::new(io::ErrorKind::FileTooLarge, why))
}

fn metadata(path: &Path) -> io::Result<Metadata> {
    let own = fs::symlink_metadata(path)?;
    let is_link = own.is_symlink();
    let data = if is_link { fs::metadata(path)? } else { own };
    let kind = match data.file_type() {
        it if it.is_file() => FileKind::File,
        it if it.is_dir() => FileKind::Folder,
        _ => FileKind::Other,
    };
    let modified = data.modified().ok();
    let mut known = Metadata::new(kind, data.len());
    known.is_link = is_link;
    known.modified = modified.and_then(|at| Timestamp::try_from(at).ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        known.mode = Some(data.mode() & 0o7777);
        known.owner = Some(data.uid());
    }
    Ok(known)
}

fn create_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    use io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(mode);
    }
    let mut file = options.open(path)?;
    let written = set_mode(&file, mode).and_then(|()| file.write_all(content));
    if written.is_err() {
        drop(file);
        // The error of the write is reported, so one of the removal is dropped.
        let _ = fs::remove_file(path);
    }
    written
}

/// Sets the permission bits again: at the creation the umask has cleared some.
#[cfg(unix)]
fn set_mode(file: &fs::File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &fs::File, _: u32) -> io::Result<()> {
    Ok(())
}

fn create_folder(path: &Path, mode: u32) -> io::Result<()> {
    match create_one(path, mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = path.parent().filter(|it| !it.as_os_str().is_empty());
            create_folder(above.ok_or(error)?, mode)?;
            // Another process may have created it at the same time.
            match create_one(path, mode) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
                    Ok(())
                }
                created => created,
            }
        }
        created => created,
    }
}

#[cfg(unix)]
fn create_one(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    fs::DirBuilder::new().mode(mode).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    let above = path.parent().filter(|it| !it.as_os_str().is_empty());
    match sync(above.unwrap_or(Path::new("."))) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
fn create_one(path: &Path, _: u32) -> io::Result<()> {
    fs::DirBuilder::new().create(path)
}

#[cfg(unix)]
fn sync(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Windows syncs only files that are open for writing, and no folders.
#[cfg(not(unix))]
fn sync(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        let why = "folders cannot be synced on this system";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    fs::OpenOptions::new().write(true).open(path)?.sync_all()
}

#[cfg(all(test, unix))]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::platform::Platform;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("metadata").permissions().mode() & 0o7777
    }

    #[tokio::test]
    async fn of_many_callers_one_creates_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let all: Vec<_> = (0..16_u8)
            .map(|n| tokio::spawn(SystemFiles.create_new(&path, vec![n; 100], 0o600)))
            .collect();
        let mut winners = Vec::new();
        for (n, created) in (0..).zip(all) {
            match created.await.expect("no panic") {
                Ok(()) => winners.push(n),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::AlreadyExists),
            }
        }
        assert_eq!(winners.len(), 1);
        let content = SystemFiles.load(&path).await.expect("readable");
        assert_eq!(content, vec![winners[0]; 100]);
    }

    #[tokio::test]
    async fn a_read_has_a_limit_and_does_not_wait_for_a_pipe() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        fs::write(&path, "12345").expect("written");
        let read = SystemFiles.load_limited(&path, 5).await;
        assert_eq!(read.expect("short enough"), b"12345");
        let long = SystemFiles.load_limited(&path, 4).await;
        assert_eq!(
            long.expect_err("too long").kind(),
            io::ErrorKind::FileTooLarge
        );
        let odd = SystemFiles.load_limited(folder.path(), 5).await;
        assert_eq!(
            odd.expect_err("a folder").kind(),
            io::ErrorKind::InvalidInput
        );
        let endless = SystemFiles.load_limited(Path::new("/dev/zero"), 5).await;
        assert_eq!(
            endless.expect_err("a device").kind(),
            io::ErrorKind::InvalidInput
        );

        let link = folder.path().join("link.key");
        symlink(&path, &link).expect("a link");
        let canonical = SystemFiles.canonical(&link).await.expect("it exists");
        assert_eq!(canonical, path.canonicalize().expect("it exists"));
        let gone = folder.path().join("gone");
        let gone = SystemFiles.canonical(&gone).await.expect_err("missing");
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn modes_do_not_depend_on_the_umask() {
        let folder = tempfile::tempdir().expect("a folder");
        // The usual umask takes the write bits of group and others away.
        let path = folder.path().join("file");
        let created = SystemFiles.create_new(&path, Vec::new(), 0o666).await;
        created.expect("created");
        assert_eq!(mode(&path), 0o666);
        let deep = folder.path().join("one/two");
        SystemFiles
            .create_folder(&deep, 0o777)
            .await
            .expect("created");
        assert_eq!(mode(&deep), 0o777);
        assert_eq!(mode(&folder.path().join("one")), 0o777);
        let again = SystemFiles.create_folder(&deep, 0o700).await;
        again.expect("it is there already");
        assert_eq!(mode(&deep), 0o777, "what exists stays as it is");
        let error = SystemFiles.create_folder(&path, 0o700).await;
        assert_eq!(
            error.expect_err("a file").kind(),
            io::ErrorKind::AlreadyExists
        );
    }

    #[tokio::test]
    async fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, elsewhere) = (folder.path().join("cache"), folder.path().join("elsewhere"));
        fs::write(&elsewhere, "of another user").expect("written");
        symlink(&elsewhere, &path).expect("a link");
        let platform = Platform::system();
        let known = platform.files.metadata(&path).await.expect("metadata");
        assert_eq!((known.is_link, known.length), (true, 15));
        for content in [&b"first"[..], b"second"] {
            let written = platform.write_atomic(&path, content.to_vec(), 0o600).await;
            written.expect("written");
            assert_eq!(fs::read(&path).expect("readable"), content);
        }
        let followed = fs::read(&elsewhere).expect("readable");
        assert_eq!(
            followed, b"of another user",
            "a link is not followed to write"
        );
        let known = platform.files.metadata(&path).await.expect("metadata");
        assert_eq!((known.kind, known.is_link), (FileKind::File, false));
        assert_eq!((known.length, known.mode), (6, Some(0o600)));
        assert!(known.modified.is_some() && known.owner.is_some());

        // It cannot replace a folder; what it wrote beside is gone.
        let blocked = folder.path().join("folder");
        fs::create_dir_all(blocked.join("full")).expect("created");
        let failed = platform
            .write_atomic(&blocked, b"new".to_vec(), 0o600)
            .await;
        failed.expect_err("a folder is in the way");
        let all = platform.files.list(folder.path()).await.expect("a list");
        assert_eq!(all, [path.clone(), elsewhere, blocked]);

        platform.files.remove(&path).await.expect("removed");
        let gone = platform.files.metadata(&path).await.expect_err("gone");
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }
}
