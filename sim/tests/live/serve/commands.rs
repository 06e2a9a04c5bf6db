//! The simulated commands in `PATH`, run from a shell.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{
    Case,
    support::{ALWAYS, World, lines},
};

pub const ALL: &[Case] = &[
    ("commands/that-are-installed", installed),
    ("commands/that-are-not", not_installed),
    ("commands/that-are-installed-later", later),
    ("commands/that-only-this-machine-has", covered),
    ("commands/whatever-the-path-says", path_of_the_user),
    ("commands/that-outlive-their-world", without_a_world),
];

const AZ: &str = "az account get-access-token --output json --resource https://vault.azure.net";
const AZD: &str =
    "azd auth token --output json --no-prompt --scope https://vault.azure.net/.default";
const PWSH: &str = "pwsh -NoProfile -NonInteractive -Command 'Get-AzAccessToken -ResourceUrl \"https://vault.azure.net\" | ConvertTo-Json'";

fn installed() {
    let logged_in = |name: &str| {
        format!(
            "[world.{name}]\naccount = \"alice@contoso.example\"\ntakes = {{ at-least = \"10ms\", at-most = \"10ms\" }}\n"
        )
    };
    let has = "[world.imds]\n".to_owned() + &["az", "azd", "pwsh"].map(logged_in).concat();
    let world = World::with(&has, ALWAYS);
    let ended = world.shell(&format!(
        "{AZ}; echo \"az $?\"; {AZD}; echo \"azd $?\"; {PWSH}; echo \"pwsh $?\""
    ));
    for part in [
        "\"accessToken\": \"eyJ",
        "az 0\n",
        "\"token\":\"eyJ",
        "azd 0\n",
        "pwsh 0\n",
    ] {
        assert!(
            ended.out.contains(part),
            "no {part:?} in: {}\n{}",
            ended.out,
            ended.err
        );
    }
    ended.prints(&[
        "az       command 1",
        "azd      command 2",
        "pwsh     command 3",
    ]);
}

fn not_installed() {
    let world = World::usual();
    let world = world.variable("PATH", "/usr/bin:/bin");
    let ended = world
        .shell(&format!("{AZ}; echo $?; {AZD}; echo $?; {PWSH}; echo $?"))
        .with(4);
    assert_eq!(lines(&ended), ["127"; 3]);
    ended.prints(&["az: not found", "azd: not found", "pwsh: not found"]);
}

/// A world with a machine around it that has an `az` and no `azd`.
fn with_a_real_az() -> (World, String) {
    let world = World::usual();
    let folder = world.path("real");
    fs::create_dir(&folder).unwrap();
    let az = folder.join("az");
    fs::write(&az, "#!/bin/sh\necho \"REAL AZ RAN: $*\"\n").unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    (world, path)
}

/// A link stands only before a command that this machine has: without one, a client that looks for
/// the file finds none.
fn covered() {
    let (world, path) = with_a_real_az();
    let world = world.variable("PATH", &path);
    let ended = world
        .shell(&format!("{AZ}; echo $?; command -v azd || echo none"))
        .with(0);
    assert_eq!(lines(&ended), ["127", "none"]);
    ended.prints(&[
        "real/az of this machine is not in this world",
        "exit code 127",
    ]);
    assert!(!ended.err.contains("azd of this machine"), "{}", ended.err);
}

/// A PATH that the user sets for the command leads past no simulated command either.
fn path_of_the_user() {
    let (world, path) = with_a_real_az();
    let ended = world
        .arg("--env")
        .arg(&format!("PATH={path}"))
        .shell(&format!("{AZ}; echo $?"))
        .with(0);
    assert_eq!(lines(&ended), ["127"]);
}

fn later() {
    let has = "[world.imds]\n[world.az]\ninstalled = false\ntakes = { at-least = \"10ms\", at-most = \"10ms\" }\n\
               [[at]]\ntime = \"1500ms\"\ndo.az-install = {}\n\
               [[at]]\ntime = \"1500ms\"\ndo.az-login = { account = \"alice@contoso.example\" }\n";
    let script = format!("{AZ}; echo $?; sleep 3; {AZ} > /dev/null; echo $?");
    let ended = World::with(has, ALWAYS).shell(&script).with(0);
    assert_eq!(lines(&ended), ["127", "0"]);
}

/// A simulated command outside of any world reports what is wrong, and does not hang.
fn without_a_world() {
    let script =
        format!("CREDSIM_WORLD=/nowhere {AZ}; echo $?; unset CREDSIM_WORLD; {AZ}; echo $?");
    let has = "[world.imds]\n[world.az]\n";
    let ended = World::with(has, ALWAYS).shell(&script).with(4);
    assert_eq!(lines(&ended), ["1", "1"]);
    ended.prints(&[
        "its world does not answer",
        "CREDSIM_WORLD does not say of which world",
    ]);
}
