//! Records the captures anew.

use std::{env, fs, process::Command};

use libtest_mimic::{Failed, Trial};

use super::cases;

/// Skipped by name where the SDK is not installed; with `CREDSIM_REQUIRE` set, it fails instead.
pub fn trial() -> Trial {
    let sdk = cases::folder().join("../../sim/drivers/javascript/node_modules/@azure/identity");
    let node = Command::new("node").arg("--version").output();
    let installed = sdk.is_dir() && node.is_ok();
    let left_out = !installed && env::var_os("CREDSIM_REQUIRE").is_none();
    let work = move || {
        if !installed {
            return Err("run sim/drivers/install first".into());
        }
        capture()
    };
    Trial::test("captures-come-out-the-same", work).with_ignored_flag(left_out)
}

fn capture() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let output = Command::new(cases::folder().join("capture"))
        .arg(folder.path())
        .env("CREDSIM", env!("CARGO_BIN_EXE_credsim"))
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    for case in cases::all() {
        let kept = case.capture();
        let name = kept.file_name().unwrap_or_default();
        let (kept, made) = (fs::read_to_string(&kept)?, folder.path().join(name));
        let made = fs::read_to_string(made)?;
        if kept != made {
            let why = "is no longer what the SDK sends; run fixtures/wire/capture and see why";
            return Err(format!("{} {why}\nkept:\n{kept}\nmade:\n{made}", case.case).into());
        }
    }
    Ok(())
}
