//! Every request and command in a file.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crate::endpoint::{Witness, Witnessed};

/// Writes to the file at `path`, which is emptied first.
///
/// # Errors
/// It cannot be written.
pub fn to_file(path: &Path) -> Result<Witness, String> {
    let file = File::create(path)
        .map_err(|error| format!("`{}` can't be written: {error}", path.display()))?;
    let file = Mutex::new(file);
    Ok(Arc::new(move |witnessed: &Witnessed| {
        // Texts only: this cannot fail.
        let mut line = serde_json::to_vec(witnessed).unwrap_or_default();
        line.push(b'\n');
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk does not end the world.
        let _ = file.write_all(&line);
    }))
}
