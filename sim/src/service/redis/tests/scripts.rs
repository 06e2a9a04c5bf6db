//! One script for each group of commands, played on ours and on a real one.

use super::{
    Ours,
    real::{Real, play},
    request,
};
use crate::service::redis::{
    resp::{Reply, read},
    server::Version,
};

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

/// RS-49: clients of a cluster take the positions of keys from COMMAND.
#[test]
fn a_real_server_puts_keys_at_the_same_positions() {
    let Some(mut real) = Real::start() else {
        return;
    };
    let mut ours = Ours::new(Version::V7_0, false, true);
    ours.connect(0);
    let mut wrong = Vec::new();
    let ask = |ours: &mut Ours, line: &str| {
        let bytes = ours.send(0, &request(line), 0).remove(0);
        read::reply(&bytes).expect("RESP").expect("whole").0
    };
    let Reply::Array(commands) = ask(&mut ours, "COMMAND") else {
        panic!("an array");
    };
    assert!(commands.len() > 90, "{}", commands.len());
    assert_eq!(
        ask(&mut ours, "COMMAND COUNT"),
        Reply::Int(i64::try_from(commands.len()).expect("a small number"))
    );
    let mut open = commands;
    while let Some(Reply::Array(mine)) = open.pop() {
        let Reply::Bulk(name) = &mine[0] else {
            panic!("a name");
        };
        let name = String::from_utf8_lossy(name).into_owned();
        if let Reply::Array(subcommands) = &mine[9] {
            open.extend(subcommands.iter().cloned());
        }
        let asked = format!("COMMAND INFO {name}");
        let (Reply::Array(one), Reply::Array(theirs)) = (ask(&mut ours, &asked), real.ask(&asked))
        else {
            panic!("arrays");
        };
        assert_eq!(one[0], Reply::Array(mine.clone()), "{name}");
        let Reply::Array(theirs) = &theirs[0] else {
            wrong.push(format!("{name} is not a command"));
            continue;
        };
        if (&mine[1], &mine[3..6]) != (&theirs[1], &theirs[3..6]) {
            wrong.push(format!("{name}: {:?} {:?}", &mine[1..6], &theirs[1..6]));
        }
        let (Reply::Array(flags), Reply::Array(known)) = (&mine[2], &theirs[2]) else {
            panic!("flags");
        };
        if let Some(flag) = flags.iter().find(|flag| !known.contains(flag)) {
            wrong.push(format!("{name} is not {flag:?}"));
        }
        for flag in ["write", "movablekeys", "no_auth"].map(Reply::simple) {
            if known.contains(&flag) && !flags.contains(&flag) {
                wrong.push(format!("{name} is {flag:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
