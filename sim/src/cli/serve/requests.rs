//! Every request and command in a file.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use crate::{
    backend::{CaptureSink, Captured},
    redact::printable_json,
};

/// A file of requests.
pub struct Requests {
    path: PathBuf,
    file: Arc<File>,
    /// Why something is missing in it: the first reason.
    failed: Arc<OnceLock<io::Error>>,
}

impl Requests {
    /// Writes to the file at `path`, which is emptied first.
    ///
    /// # Errors
    /// It cannot be written.
    #[expect(clippy::disallowed_methods, reason = "files of this machine")]
    pub fn to_file(path: &Path) -> Result<Self, String> {
        let file = File::create(path)
            .map_err(|error| format!("`{}` can't be written: {error}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            failed: Arc::default(),
        })
    }

    /// Receives everything that arrives. A full disk does not end the world: what is lost is
    /// told at the end.
    pub fn capture(&self) -> CaptureSink {
        let (file, failed) = (self.file.clone(), self.failed.clone());
        Arc::new(move |captured: &Captured| {
            if failed.get().is_some() {
                return;
            }
            // Texts only: this cannot fail.
            let line = serde_json::to_string(captured).unwrap_or_default();
            let line = printable_json(&line) + "\n";
            if let Err(error) = (&*file).write_all(line.as_bytes()) {
                let _ = failed.set(error);
            }
        })
    }

    /// What got lost, in words.
    pub fn lost(&self) -> Option<String> {
        let error = self.failed.get()?;
        let path = self.path.display();
        Some(format!("`{path}` can't be written: {error}"))
    }
}
