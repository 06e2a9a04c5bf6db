//! After the end of a world no process and no folder of it is left.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{
    Case,
    support::{ALWAYS, SERVICES, World},
};
use crate::process::soon;

pub const ALL: &[Case] = &[
    ("ends/by-ctrl-c", || by(Signal::INT, 130)),
    ("ends/by-sigterm", || by(Signal::TERM, 143)),
    ("ends/by-sighup", || by(Signal::HUP, 129)),
    #[cfg(target_os = "linux")]
    ("ends/by-sigkill", by_sigkill),
    ("ends/with-its-command", with_the_command),
    ("ends/although-the-command-ignores-signals", stubborn),
    ("ends/by-sigquit", || by(Signal::QUIT, 131)),
    ("ends/a-run-with-a-driver", driven),
    ("ends/with-its-driver", driver_that_dies),
];

/// A command with a child.
const FAMILY: &str = "sleep 300 & echo $! $$ > pids; wait";

/// The process ids that the command wrote to a file.
fn family(world: &World) -> Vec<Pid> {
    soon(
        || world.text("pids").ends_with('\n'),
        || "no pids".to_owned(),
    );
    let text = world.text("pids");
    let pids = text.split_whitespace().map(|pid| pid.parse().unwrap());
    pids.map(|pid| Pid::from_raw(pid).unwrap()).collect()
}

fn gone(pids: &[Pid]) {
    assert!(!pids.is_empty());
    for pid in pids {
        soon(|| !is_there(*pid), || format!("{pid:?} is still there"));
    }
}

/// Returns whether the process runs. A zombie, which its parent has not waited for, counts as
/// ended.
fn is_there(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    let is_zombie = status.is_ok_and(|status| {
        let state = status.rsplit(')').next().unwrap_or_default();
        state.trim_start().starts_with(['Z', 'X'])
    });
    test_kill_process(pid).is_ok() && !is_zombie
}

fn by(signal: Signal, code: i32) {
    let world = World::usual();
    let running = world.start(&["sh", "-c", FAMILY]);
    let pids = family(&world);
    assert_eq!(world.left().len(), 1);
    assert!(pids.iter().all(|pid| is_there(*pid)));
    kill_process(running.id(), signal).unwrap();
    running.end().with(code);
    gone(&pids);
    assert!(world.left().is_empty());
}

/// Nothing can be done when this signal comes: the system ends the command, and the next start
/// removes the folder.
#[cfg(target_os = "linux")]
fn by_sigkill() {
    let world = World::usual();
    let running = world.start(&["sh", "-c", "echo $$ > pids; exec sleep 300"]);
    let pids = family(&world);
    assert_eq!(world.left().len(), 1);
    assert!(pids.iter().all(|pid| is_there(*pid)));
    kill_process(running.id(), Signal::KILL).unwrap();
    gone(&pids);
    assert_eq!(world.left().len(), 1);
    world.shell("exit 0").with(4);
    assert!(world.left().is_empty());
}

fn with_the_command() {
    let world = World::usual();
    world.shell("sleep 300 & echo $! > pids; exit 0").with(4);
    gone(&family(&world));
    // A process that handles SIGTERM gets the time to do so.
    let slow = "(trap 'sleep 0.3; echo done > last; exit' TERM; : > ready; \
                while :; do sleep 0.1; done) & \
                while [ ! -e ready ]; do sleep 0.02; done";
    world.shell(slow).with(4);
    assert_eq!(world.text("last"), "done\n");
}

fn stubborn() {
    let world = World::usual();
    let script = "trap '' TERM INT; sleep 300 & echo $! $$ > pids; while :; do sleep 1; done";
    let running = world.start(&["sh", "-c", script]);
    let pids = family(&world);
    kill_process(running.id(), Signal::TERM).unwrap();
    running.end().with(143);
    gone(&pids);
    assert!(world.left().is_empty());
}

/// `run` with a driver leaves nothing behind either when a signal ends it.
fn driven() {
    let world = World::with(SERVICES, ALWAYS);
    // It answers nothing after `hello`, and does not end with its input.
    let script = r#"echo $$ >> pids; read -r line; echo '{"id":1,"ok":{"protocol":1,"sdk":"mute","version":"1","credentials":{"default":[]}}}'; trap '' TERM INT; while :; do sleep 0.1; done"#;
    let file = world.path("driver.sh");
    std::fs::write(&file, script).unwrap();
    let running = world.driven("sh driver.sh");
    // Started twice: for the name of the SDK, and for the run.
    soon(
        || world.text("pids").lines().count() == 2,
        || format!("no second process: {}", running.stderr()),
    );
    kill_process(running.id(), Signal::INT).unwrap();
    running.end().with(130);
    gone(&family(&world));
    assert!(world.left().is_empty());
}

/// A driver that dies ends the run at once.
fn driver_that_dies() {
    let world = World::with(SERVICES, ALWAYS);
    let script = r#"read -r line; echo '{"id":1,"ok":{"protocol":1,"sdk":"short","version":"1","credentials":{"default":[]}}}'; read -r line || exit 0; echo '{"id":2,"ok":{"class":"C"}}'; read -r line; exit 7"#;
    std::fs::write(world.path("driver.sh"), script).unwrap();
    let start = std::time::Instant::now();
    let ended = world.driven("sh driver.sh").end().with(3);
    assert!(
        start.elapsed() < std::time::Duration::from_secs(15),
        "{}",
        ended.err
    );
    ended.prints(&["the harness failed"]);
    assert!(world.left().is_empty());
}
