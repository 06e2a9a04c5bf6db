//! Runs our client in a served world.

use std::{
    env,
    fs::{self, File},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::cases::Case;

/// The time limit of a case: enough for all its retries on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Returns what our client sends in this case, one JSON object a line.
///
/// # Errors
/// It sent nothing, or did not end in time.
pub fn ours(case: &Case) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let [requests, output] = ["requests", "output"].map(|name| folder.path().join(name));
    let written = File::create(&output).unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_credsim"))
        .arg("serve")
        .arg(case.scenario())
        .args(["--quiet", "--until-exit", "--requests"])
        .arg(&requests)
        .arg("--")
        .arg(env::current_exe().unwrap())
        .args(["--as-client", &case.case])
        .stdin(Stdio::null())
        .stdout(written.try_clone().unwrap())
        .stderr(written)
        .spawn()
        .map_err(|error| error.to_string())?;
    let start = Instant::now();
    // The verdict of the world is ignored: only the captured requests are compared.
    while serve.try_wait().unwrap().is_none() {
        if start.elapsed() > LIMIT {
            let id = i32::try_from(serve.id()).ok();
            if let Some(id) = id.and_then(rustix::process::Pid::from_raw) {
                // `serve` then ends the client as well.
                let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
            }
            let _ = serve.wait();
            return Err(format!("{} did not end within {LIMIT:?}", case.case));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let raw = fs::read_to_string(&requests).unwrap_or_default();
    if raw.is_empty() {
        let output = fs::read_to_string(&output).unwrap_or_default();
        return Err(format!("nothing was sent: {output}"));
    }
    Ok(raw)
}
