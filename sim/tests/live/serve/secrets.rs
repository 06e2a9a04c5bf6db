//! Secrets stay out of files that other users can read, and of everything that is printed.

use super::{
    Case,
    support::{ALWAYS, ENTRA, SERVICES, World, lines},
};
use crate::process::this;

pub const ALL: &[Case] = &[
    ("secrets/only-this-user-can-read", modes),
    ("secrets/a-warning-about-what-looks-real", real_secret),
    ("secrets/of-commands-are-printed-nowhere", command),
    #[cfg(target_os = "linux")]
    ("secrets/only-this-machine-can-connect", loopback),
];

fn modes() {
    let script = r#"
        mode() { ls -ld "$1" | cut -c1-10; }
        mode "$CREDSIM_WORLD"
        mode "$(dirname "$CREDSIM_WORLD")"
        grep -rc --exclude-dir=bin 'PRIVATE KEY' "$(dirname "$CREDSIM_WORLD")" | grep -v ':0$'
    "#;
    let ended = World::usual().shell(script);
    assert_eq!(lines(&ended), ["srw-------", "drwx------"]);
}

fn real_secret() {
    // Made up: 40 characters with the mark of the real ones.
    let secret = &format!("abc8Q~{}", "zZ9._-".repeat(6))[..40];
    let form = format!(
        "grant_type=client_credentials&client_id=c11e07a0-0000-0000-0000-000000000001&client_secret={secret}&scope=s%2F.default"
    );
    let world = World::usual()
        .arg("--env")
        .arg(&format!("FORM={form}"))
        .arg("--requests")
        .arg("requests.jsonl")
        .arg("--report")
        .arg("json=out.json");
    let script = format!("exec '{}' client post {ENTRA} \"$FORM\"", this().display());
    let ended = world.shell(&script).with(0);
    ended.prints(&["warning  a request to entra holds what looks like a real client secret"]);
    assert!(ended.out.starts_with("401 "), "{}", ended.out);
    let (requests, report) = (world.text("requests.jsonl"), world.text("out.json"));
    for printed in [&ended.out, &ended.err, &requests, &report] {
        assert!(
            !printed.is_empty() && !printed.contains(secret),
            "{printed}"
        );
    }
}

/// Reports show the command line, which reproduces the run, with its secrets covered.
fn command() {
    let world = World::with(&format!("{SERVICES}[world.az]\n"), ALWAYS)
        .arg("--env")
        .arg("APP_SECRET=hunter2")
        .arg("--requests")
        .arg("requests.jsonl")
        .arg("--report")
        .arg("json=out.json");
    let script = "az login --service-principal -u u -p hunter2 -t t";
    let ended = world.shell(script);
    ended.prints(&[
        "az login --service-principal -u u -p *** -t t",
        "warning  a request to az holds a password that is none of this world",
    ]);
    let (requests, report) = (world.text("requests.jsonl"), world.text("out.json"));
    for printed in [&ended.err, &requests, &report] {
        assert!(
            !printed.is_empty() && !printed.contains("hunter2"),
            "{printed}"
        );
    }
    let line = "--env APP_SECRET=*** --until-exit -- sh -c ...";
    assert!(report.contains(line), "{report}");
}

/// Every socket on which the process listens is one of 127.0.0.1.
#[cfg(target_os = "linux")]
fn loopback() {
    use std::fs;

    use rustix::process::{Signal, kill_process};

    let world = World::usual();
    let mut running = world.open();
    running.when_it_prints("ready: ");
    let process = format!("/proc/{}", running.id().as_raw_nonzero());
    let sockets = fs::read_dir(format!("{process}/fd"))
        .unwrap()
        .filter_map(|fd| {
            let to = fs::read_link(fd.ok()?.path()).ok()?;
            let inode = to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        });
    let sockets: Vec<String> = sockets.collect();
    let mut listening = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let table = fs::read_to_string(format!("{process}/net/{table}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if sockets.iter().any(|inode| inode == fields[9]) && fields[3] == "0A" {
                listening.push(fields[1].split(':').next().unwrap().to_owned());
            }
        }
    }
    kill_process(running.id(), Signal::INT).unwrap();
    running.end().with(4);
    // The proxy, the port that leads to IMDS without it, and two services.
    assert_eq!(listening, ["0100007F"; 4]);
}
