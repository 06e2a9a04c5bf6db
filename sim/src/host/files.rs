//! The files of a host as one credential instance sees them.

use std::{
    io,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use credsim_identity::platform::{
    BoxFuture, Clock as _, FileKind, FileLock, Files, LockKind, Metadata,
};

use super::instance::Instance;
use crate::{trace::Kind, wording::counted};

impl Files for Instance {
    fn exists(&self, path: &Path) -> bool {
        let known = self.state.disk.metadata(path);
        known.is_ok_and(|known| known.kind == FileKind::File)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.state.disk.read(path)
    }

    fn load(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        on(self, path, |it, path| it.state.disk.read(path))
    }

    fn load_limited(&self, path: &Path, limit: u64) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        on(self, path, move |it, path| {
            let read = it.state.disk.read_limited(path, limit);
            let outcome = match &read {
                Ok(content) => counted(content.len() as u64, "byte"),
                Err(error) => error.to_string(),
            };
            it.record(Kind::FileRead {
                instance: it.number,
                path: path.display().to_string(),
                outcome,
            });
            read
        })
    }

    fn canonical(&self, path: &Path) -> BoxFuture<'static, io::Result<PathBuf>> {
        on(self, path, |it, path| it.state.disk.canonical(path))
    }

    fn metadata(&self, path: &Path) -> BoxFuture<'static, io::Result<Metadata>> {
        on(self, path, |it, path| it.state.disk.metadata(path))
    }

    fn list(&self, folder: &Path) -> BoxFuture<'static, io::Result<Vec<PathBuf>>> {
        on(self, folder, |it, folder| it.state.disk.list(folder))
    }

    fn create_new(
        &self,
        path: &Path,
        content: Vec<u8>,
        mode: u32,
    ) -> BoxFuture<'static, io::Result<()>> {
        on(self, path, move |it, path| {
            it.state.disk.create_new(path, content, mode, it.now())
        })
    }

    fn create_folder(&self, path: &Path, mode: u32) -> BoxFuture<'static, io::Result<()>> {
        on(self, path, move |it, path| {
            it.state.disk.create_folder(path, mode)
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> BoxFuture<'static, io::Result<()>> {
        let to = to.to_owned();
        on(self, from, move |it, from| it.state.disk.rename(from, &to))
    }

    fn remove(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        on(self, path, |it, path| it.state.disk.remove(path))
    }

    fn sync(&self, path: &Path) -> BoxFuture<'static, io::Result<()>> {
        on(self, path, |it, path| it.state.disk.sync(path))
    }

    fn lock(
        &self,
        path: &Path,
        kind: LockKind,
        limit: Duration,
    ) -> BoxFuture<'static, io::Result<FileLock>> {
        let (instance, path) = (self.clone(), path.to_owned());
        Box::pin(async move {
            let disk = &instance.state.disk;
            if let Some(lock) = disk.try_lock(&path, kind, instance.now())? {
                return Ok(lock);
            }
            let mut out_of_time = instance.sleep(limit);
            loop {
                // Registered before the try, so that no release is missed between the two.
                let mut freed = pin!(disk.freed());
                freed.as_mut().enable();
                if let Some(lock) = disk.try_lock(&path, kind, instance.now())? {
                    return Ok(lock);
                }
                tokio::select! { biased;
                    () = freed => {}
                    () = &mut out_of_time => {
                        let why = format!(
                            "others have held the lock {} for {} s",
                            path.display(),
                            limit.as_secs_f64()
                        );
                        return Err(io::Error::new(io::ErrorKind::TimedOut, why));
                    }
                }
            }
        })
    }
}

/// Does `work` when the future is first polled.
fn on<T: Send + 'static>(
    instance: &Instance,
    path: &Path,
    work: impl FnOnce(&Instance, &Path) -> io::Result<T> + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    let (instance, path) = (instance.clone(), path.to_owned());
    Box::pin(async move { work(&instance, &path) })
}
