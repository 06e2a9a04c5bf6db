//! The simulated commands in `PATH`, run from a shell.

use super::{
    Case,
    support::{ALWAYS, World, lines},
};

pub const ALL: &[Case] = &[
    ("commands/that-are-installed", installed),
    ("commands/that-are-not", not_installed),
    ("commands/that-are-installed-later", later),
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
    let ended = world
        .shell(&format!("{AZ}; echo $?; {AZD}; echo $?; {PWSH}; echo $?"))
        .with(0);
    assert_eq!(lines(&ended), ["127"; 3]);
    ended.prints(&["az: not found", "azd: not found", "pwsh: not found"]);
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
    let ended = World::usual().shell(&script).with(4);
    assert_eq!(lines(&ended), ["1", "1"]);
    ended.prints(&[
        "its world does not answer",
        "CREDSIM_WORLD does not say of which world",
    ]);
}
