//! One script for each group of commands, played on ours and on a real one.

use super::real::{Real, play};

const SCRIPTS: &[(&str, &str)] = &[
    ("connection", include_str!("scripts/connection.txt")),
    ("protocol", include_str!("scripts/protocol.txt")),
    ("strings", include_str!("scripts/strings.txt")),
    ("keys", include_str!("scripts/keys.txt")),
    ("collections", include_str!("scripts/collections.txt")),
    ("lists", include_str!("scripts/lists.txt")),
    ("blocking", include_str!("scripts/blocking.txt")),
    ("transactions", include_str!("scripts/transactions.txt")),
    ("channels", include_str!("scripts/channels.txt")),
];

/// The parts of a script are separated by `---`: each begins anew.
fn parts(script: &'static str) -> impl Iterator<Item = &'static str> {
    script.split("---\n")
}

#[test]
fn a_real_server_says_the_same() {
    let Some(mut real) = Real::start() else {
        return;
    };
    let mut wrong = Vec::new();
    for (name, script) in SCRIPTS {
        for part in parts(script) {
            if let Err(problem) = play(&mut real, true, part) {
                wrong.push(format!("{name}:\n{problem}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_real_server_lets_in_the_same_people() {
    let Some(mut real) = Real::start() else {
        return;
    };
    for user in ["alice", "bob"] {
        real.ask(&format!("ACL SETUSER {user} on >secret ~* &* +@all"));
    }
    // The connection that asks stays in.
    real.ask("AUTH alice secret");
    real.ask("ACL SETUSER default off resetpass");
    for part in parts(include_str!("scripts/login.txt")) {
        play(&mut real, false, part).unwrap_or_else(|problem| panic!("{problem}"));
    }
}
