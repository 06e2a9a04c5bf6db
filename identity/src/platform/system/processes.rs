//! Processes of the real machine.

use std::io;

use crate::platform::{Liveness, Processes};

pub(super) struct SystemProcesses;

impl Processes for SystemProcesses {
    fn own_id(&self) -> io::Result<u32> {
        Ok(std::process::id())
    }

    fn look_up(&self, id: u32) -> io::Result<Liveness> {
        look_up(id)
    }
}

#[cfg(not(unix))]
fn look_up(_: u32) -> io::Result<Liveness> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "processes cannot be looked up on this system",
    ))
}

#[cfg(unix)]
fn look_up(id: u32) -> io::Result<Liveness> {
    use rustix::{
        io::Errno,
        process::{Pid, test_kill_process},
    };
    // 0 is not a process, and the kernel's ids are positive 32-bit integers.
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return Ok(Liveness::Dead);
    };
    match test_kill_process(pid) {
        // PERM: the process exists and belongs to another user.
        Ok(()) | Err(Errno::PERM) => Ok(alive(id)),
        Err(Errno::SRCH) => Ok(Liveness::Dead),
        Err(error) => Err(error.into()),
    }
}

/// The state of an id that is in use: its process runs, or has ended and was not collected yet.
#[cfg(target_os = "linux")]
fn alive(id: u32) -> Liveness {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
    let Some((state, ticks)) = stat.ok().as_deref().and_then(linux::state_and_start) else {
        // It has just ended, or /proc is not readable. It existed a moment ago, so it counts as
        // alive.
        return Liveness::Alive { since: None };
    };
    if matches!(state, 'Z' | 'X') {
        return Liveness::Dead;
    }
    Liveness::Alive {
        since: linux::since_1970(ticks),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn alive(_: u32) -> Liveness {
    Liveness::Alive { since: None }
}

#[cfg(target_os = "linux")]
mod linux {
    use jiff::{SignedDuration, Timestamp};

    /// Returns state and start (in ticks since boot) from a line of `/proc/PID/stat`. The second
    /// field, the name of the program in parentheses, may contain any character.
    pub(super) fn state_and_start(line: &str) -> Option<(char, u64)> {
        let (_, fields) = line.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?.chars().next()?;
        // Field 22 of the line; the state is field 3.
        let start = fields.nth(18)?.parse().ok()?;
        Some((state, start))
    }

    /// Returns the time of a tick since boot.
    pub(super) fn since_1970(ticks: u64) -> Option<Timestamp> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        let boot = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
        let boot = Timestamp::from_second(boot.trim().parse().ok()?).ok()?;
        let per_second = rustix::param::clock_ticks_per_second();
        let seconds = ticks.checked_div(per_second)?;
        let since_boot = SignedDuration::from_secs(i64::try_from(seconds).ok()?);
        boot.checked_add(since_boot).ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_may_hold_anything() {
            let line = "42 (a) S 1) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
            assert_eq!(state_and_start(line), Some(('R', 4711)));
            for line in [
                "",
                "42 (a",
                "42 (a) R 1 2",
                "42 (a) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x",
            ] {
                assert_eq!(state_and_start(line), None, "{line}");
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        process::{Command, Stdio},
        time::Duration,
    };

    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_process_is_distinguished_from_an_earlier_one_with_its_id() {
        let before = Timestamp::now();
        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .expect("a process");
        let id = child.id();
        let alive = SystemProcesses.look_up(id).expect("known");
        let Liveness::Alive { since: Some(since) } = alive else {
            panic!("{alive:?}");
        };
        let slack = Duration::from_secs(3);
        assert!(since >= before - slack && since <= Timestamp::now() + slack);
        assert!(alive.may_have_lived_at(before, slack));
        assert!(!alive.may_have_lived_at(before - Duration::from_secs(10), slack));

        child.kill().expect("killed");
        // Until its parent collects it, the number is taken and the process is dead.
        let mut seen = alive;
        for _ in 0..200 {
            seen = SystemProcesses.look_up(id).expect("known");
            if seen == Liveness::Dead {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(seen, Liveness::Dead);
        child.wait().expect("collected");
        assert_eq!(SystemProcesses.look_up(id).expect("known"), Liveness::Dead);
    }

    #[test]
    fn this_process_and_the_first_one_live_and_no_process_is_dead() {
        let own = SystemProcesses.own_id().expect("a number");
        for id in [own, 1] {
            let alive = SystemProcesses.look_up(id).expect("known");
            assert!(matches!(alive, Liveness::Alive { .. }), "{id}: {alive:?}");
        }
        for id in [0, u32::MAX, 1 << 31, i32::MAX.unsigned_abs()] {
            assert_eq!(SystemProcesses.look_up(id).expect("known"), Liveness::Dead);
        }
    }
}
