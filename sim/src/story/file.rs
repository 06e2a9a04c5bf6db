//! Reads a scenario file: a regular one, of a limited size.

use std::{
    fs::{File, Metadata},
    io::Read as _,
    path::Path,
};

/// The largest scenario file that is read, in bytes. The largest bundled one has a hundredth of it.
pub const LARGEST_FILE: u64 = 1 << 20;

/// Why a scenario file can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The system says this.
    Failed(String),
    /// It is something else than a file, such as `a pipe`: it may never end, or never begin.
    NoFile(&'static str),
    /// It is larger than [`LARGEST_FILE`].
    TooLarge,
}

/// Returns the bytes of the file at `path`.
///
/// # Errors
/// It can't be read, is not a regular file, or has more than [`LARGEST_FILE`] bytes.
#[allow(
    clippy::disallowed_methods,
    reason = "the user's own files are read here, before any world begins"
)]
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let failed = |error: std::io::Error| Unreadable::Failed(error.to_string());
    // Asked before it is opened: opening a pipe waits for its other end.
    is_regular(&std::fs::metadata(path).map_err(failed)?)?;
    let file = File::open(path).map_err(failed)?;
    is_regular(&file.metadata().map_err(failed)?)?;
    // No more than one byte too many, whatever its size is said to be: files of `/proc` say 0.
    let mut bytes = Vec::new();
    let mut within = file.take(LARGEST_FILE + 1);
    within.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Unreadable::TooLarge);
    }
    Ok(bytes)
}

/// Refuses what is not a regular file.
fn is_regular(metadata: &Metadata) -> Result<(), Unreadable> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return Err(Unreadable::NoFile("a pipe"));
        }
        if kind.is_socket() {
            return Err(Unreadable::NoFile("a socket"));
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Err(Unreadable::NoFile("a device"));
        }
    }
    Err(Unreadable::NoFile(if kind.is_dir() {
        "a folder"
    } else {
        "no regular file"
    }))
}
