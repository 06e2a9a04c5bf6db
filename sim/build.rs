//! Compiles the bundled scenarios, facts and promises into the crate, in a fixed order.
#![allow(
    clippy::disallowed_methods,
    reason = "files of the machine that builds"
)]

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..");
    let out = PathBuf::from(variable("OUT_DIR")?);

    let scenarios = table("SCENARIOS", &root.join("scenarios"))?;
    fs::write(out.join("scenarios.rs"), scenarios)?;

    let promises = root.join("fixtures").join("promises.toml");
    println!("cargo::rerun-if-changed={}", promises.display());
    let facts = table("FACTS", &root.join("fixtures").join("facts"))?;
    let promises = format!("pub(super) const PROMISES: &str = include_str!({promises:?});\n");
    fs::write(out.join("facts.rs"), facts + &promises)
}

fn variable(name: &str) -> io::Result<String> {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is how cargo speaks to a build script"
    )]
    env::var(name).map_err(io::Error::other)
}

/// The source of a constant with the name and the text of every `*.toml` below a folder.
fn table(constant: &str, folder: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut entries = Vec::new();
    collect(folder, "", &mut entries)?;
    entries.sort();
    let entries = entries
        .iter()
        .map(|(name, path)| format!("    ({name:?}, include_str!({path:?})),\n"));
    let entries = entries.collect::<String>();
    Ok(format!(
        "pub(super) const {constant}: &[(&str, &str)] = &[\n{entries}];\n"
    ))
}

fn collect(folder: &Path, prefix: &str, entries: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, file) = (entry.path(), entry.file_name());
        let file = file.to_string_lossy();
        if entry.file_type()?.is_dir() {
            collect(&path, &format!("{prefix}{file}/"), entries)?;
        } else if let Some(name) = file.strip_suffix(".toml") {
            entries.push((format!("{prefix}{name}"), path));
        }
    }
    Ok(())
}
