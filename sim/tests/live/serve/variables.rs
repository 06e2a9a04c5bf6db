//! The environment variables that `serve` prints and sets.

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::{
    Case,
    support::{ENTRA, FORM, IMDS, World, client_with, tokens},
};
use crate::process::{Ended, command, finish, this};

pub const ALL: &[Case] = &[
    ("variables/as-lines", as_lines),
    ("variables/as-json", as_json),
    ("variables/for-a-shell", for_a_shell),
    ("variables/that-a-format-cannot-express", cannot_be_printed),
    ("variables/of-the-user", of_the_user),
    ("variables/none-of-the-outer-environment", none_leaks),
];

const REQUESTS: [&str; 5] = ["get", IMDS, "post", ENTRA, FORM];

/// Opens a world, lets `ask` use what is printed, and ends it.
fn opened(args: &[&str], ask: impl FnOnce(&World, &str) -> Ended) {
    let mut world = World::usual();
    for arg in args {
        world = world.arg(arg);
    }
    let mut open = world.open();
    let printed = open.when_it_prints("ready: IMDS, Entra ID behind the proxy http://127.0.0.1:");
    tokens(&ask(&world, &printed), 2);
    kill_process(open.id(), Signal::INT).unwrap();
    open.end()
        .with(0)
        .prints(&["1 passed, 0 failed, 0 skipped"]);
    assert!(world.left().is_empty());
}

fn pairs(lines: &str) -> Vec<(String, String)> {
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    lines.map(pair).collect()
}

fn as_lines() {
    // This form is the default.
    opened(&[], |_, printed| client_with(&pairs(printed), &REQUESTS));
    opened(&["--format", "env"], |_, printed| {
        client_with(&pairs(printed), &REQUESTS)
    });
}

fn as_json() {
    opened(&["--format", "json"], |_, printed| {
        let Value::Object(all) = serde_json::from_str(printed).unwrap() else {
            panic!("{printed}");
        };
        let set = all.iter().filter(|(_, value)| !value.is_null());
        let pair =
            |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap().to_owned());
        client_with(&set.map(pair).collect::<Vec<_>>(), &REQUESTS)
    });
}

fn for_a_shell() {
    opened(&["--format", "shell"], |world, printed| {
        std::fs::write(world.path("variables.sh"), printed).unwrap();
        let mut shell = command("/bin/sh");
        shell
            .env_clear()
            .env("AZURE_CLIENT_ID", "of another world")
            .args(["-c", r#". "$0" && exec "$@""#])
            .arg(world.path("variables.sh"))
            .arg(this())
            .arg("client")
            .args(REQUESTS);
        finish(&mut shell)
    });
}

/// A value is refused if a shell would execute a part of it, or if it would add a second variable.
fn cannot_be_printed() {
    let name = "AZURE_$(touch ran)";
    let shell = World::usual()
        .arg("--format")
        .arg("shell")
        .variable(name, "x");
    let ended = shell.run(&["true"]).with(4);
    assert!(!ended.out.contains("touch"), "{}", ended.out);
    ended.prints(&[
        "left out, because their names cannot be written in this form",
        name,
    ]);
    let env = World::usual()
        .arg("--format")
        .arg("env")
        .arg("--env")
        .arg("A=b\nC=d");
    let ended = env.run(&["touch", "ran"]).with(2);
    ended.prints(&["the value of A has a line break", "--format json"]);
    assert!(
        ended.out.is_empty() && !env.path("ran").exists(),
        "{}",
        ended.out
    );
    assert!(!ended.err.contains("HTTPS_PROXY"), "{}", ended.err);
}

fn of_the_user() {
    let world = World::usual()
        .arg("--env")
        .arg("PORT=8080")
        .arg("--env")
        .arg("HOME=/mine");
    let ended = world.shell("echo $PORT $HOME").with(4);
    assert_eq!(ended.out, "8080 /mine\n");
}

fn none_leaks() {
    let mut world = World::usual();
    for name in [
        "HOME",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_TENANT_ID",
        "AZURE_TOKEN_CREDENTIALS",
        "AZURE_CONFIG_DIR",
        "ARM_CLIENT_SECRET",
        "WEBSITE_SITE_NAME",
        "NODE_OPTIONS",
        "AzureWebJobsStorage",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "MSI_ENDPOINT",
        "HTTP_PROXY",
        "https_proxy",
        "NO_PROXY",
        "SSL_CERT_DIR",
        "XDG_CONFIG_HOME",
        "CREDSIM_WORLD",
    ] {
        world = world.variable(name, "/outer");
    }
    let path = std::env::var("PATH").unwrap();
    world = world.variable("PATH", &format!("/outer/bin:{path}"));
    let ended = world.run(&["env"]).with(4);
    let (mut of_path, rest): (Vec<_>, Vec<_>) = ended
        .out
        .lines()
        .partition(|line| line.starts_with("PATH="));
    let leaked: Vec<_> = rest.iter().filter(|line| line.contains("/outer")).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    let of_path = of_path.pop().unwrap();
    let runs = world.path("runs");
    assert!(
        of_path.starts_with(&format!("PATH={}/credsim-", runs.display())),
        "{of_path}"
    );
    assert!(of_path.contains("/bin:/outer/bin:"), "{of_path}");
    let home = rest.iter().find(|line| line.starts_with("HOME=")).unwrap();
    assert!(
        home.starts_with(&format!("HOME={}/", runs.display())),
        "{home}"
    );
}
