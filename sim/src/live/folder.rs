//! The folder of a run: what programs outside find on the disk.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::stale;
use crate::host::FilesOutside;
use tempfile::TempDir;
use tokio::net::UnixListener;

/// The folder of a run, which only this user can read. Dropping it removes it.
pub(super) struct RunFolder {
    root: TempDir,
    /// Says that the run has not ended.
    _lock: fs::File,
    /// The certificate of the run's authority.
    pub certificate: PathBuf,
    /// The home of processes outside: empty.
    pub home: PathBuf,
    /// The simulated commands.
    pub commands: PathBuf,
    /// The copies of the host's files.
    pub files: PathBuf,
}

/// Where the copy of a file of the host is, below the folder of the copies.
pub(super) fn copy_of(folder: &Path, path: &str) -> PathBuf {
    folder.join(path.trim_start_matches('/'))
}

/// The copies of the host's files in the folder of a run.
pub(crate) struct Copies(pub(super) PathBuf);

#[expect(clippy::disallowed_methods, reason = "files of this machine")]
impl FilesOutside for Copies {
    fn write(&self, path: &Path, content: &[u8], readable: bool) -> io::Result<()> {
        let copy = copy_of(&self.0, &path.to_string_lossy());
        let folder = copy.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder)?;
        let beside = folder.join(".written-anew");
        fs::write(&beside, content)?;
        let mode = if readable { 0o600 } else { 0o200 };
        fs::set_permissions(&beside, fs::Permissions::from_mode(mode))?;
        fs::rename(&beside, &copy)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(copy_of(&self.0, &path.to_string_lossy()))
    }
}

impl RunFolder {
    /// Makes it, with `authority` as the run's certificate and without commands.
    ///
    /// # Errors
    /// What is wrong with the folder for temporary files, and what to do.
    #[expect(clippy::disallowed_methods, reason = "files of this machine")]
    pub fn new(authority: &str) -> Result<Self, String> {
        let base = usable(std::env::temp_dir())?;
        stale::sweep(&base);
        let root = tempfile::Builder::new()
            .prefix(stale::PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&base)
            .map_err(|error| {
                format!(
                    "no folder for the run can be made in {}: {error}; set TMPDIR to a folder that \
                     is there and can be written to",
                    base.display()
                )
            })?;
        let lock = stale::lock(root.path()).map_err(cannot_be_filled)?;
        let within = |name: &str| root.path().join(name);
        let (certificate, home, commands) = (within("ca.pem"), within("home"), within("bin"));
        fs::write(&certificate, authority).map_err(cannot_be_filled)?;
        fs::create_dir_all(home.join(".azure")).map_err(cannot_be_filled)?;
        fs::create_dir(&commands).map_err(cannot_be_filled)?;
        let files = within("files");
        fs::create_dir(&files).map_err(cannot_be_filled)?;
        Ok(Self {
            root,
            _lock: lock,
            certificate,
            home,
            commands,
            files,
        })
    }

    /// The path of a file in it.
    pub fn within(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
}

/// The folder for temporary files as an absolute path that every variable can hold.
///
/// # Errors
/// It has a path that cannot stand in one.
fn usable(folder: PathBuf) -> Result<PathBuf, String> {
    let folder = if folder.as_os_str().is_empty() {
        PathBuf::from("/tmp")
    } else {
        folder
    };
    let folder = std::path::absolute(&folder)
        .map_err(|error| format!("{} is no usable folder: {error}", folder.display()))?;
    let why = match folder.to_str() {
        None => Some("its path is not UTF-8"),
        // The rest of the path would be a folder of its own in PATH, and a real `az` might run.
        Some(text) if text.contains(':') => {
            Some("its path has a colon, which separates the folders of PATH")
        }
        Some(text) if text.contains(char::is_control) => {
            Some("its path has a control character, which no line of variables can hold")
        }
        Some(_) => None,
    };
    match why {
        None => Ok(folder),
        Some(why) => Err(format!(
            "{folder:?} cannot hold the files of a run: {why}; set TMPDIR to another folder"
        )),
    }
}

pub(super) fn cannot_be_filled(error: io::Error) -> String {
    format!("the run's folder cannot be filled: {error}")
}

/// Listens on a socket that only this user can use.
///
/// # Errors
/// Why there is none, and what to do.
pub(super) fn listen_on_socket(path: &Path) -> Result<UnixListener, String> {
    let shims = UnixListener::bind(path).map_err(|error| no_socket(path, &error))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(cannot_be_filled)?;
    Ok(shims)
}

/// Why there is no socket; the path of one may be about a hundred bytes long.
fn no_socket(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    if error.kind() == io::ErrorKind::InvalidInput {
        format!("{path} is too long for the path of a socket; set TMPDIR to a shorter one")
    } else {
        format!("{path} cannot be a socket: {error}")
    }
}
