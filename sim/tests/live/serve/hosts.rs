//! Hosts that a world has, and hosts that it does not.

use serde_json::Value;

use super::{
    Case,
    support::{ALWAYS, ENTRA, FORM, IMDS, World, lines, tokens},
};

pub const ALL: &[Case] = &[
    ("hosts/known-hosts-only", known_hosts_only),
    ("hosts/no-imds", no_imds),
    ("hosts/no-agent-of-this-machine", no_agent),
    ("hosts/no-entra", no_entra),
    ("hosts/who-does-not-trust-the-authority", distrust),
];

/// The only thing that convicts a client that asks for other hosts.
fn known_hosts_only() {
    let world = World::usual().arg("--report").arg("json=out.json");
    let words = [
        "get",
        "http://example.com/",
        "get",
        "https://management.azure.com/",
        "get",
        IMDS,
    ];
    let ended = world.client(&words).with(1);
    let said = lines(&ended);
    assert_eq!(
        said[0],
        "403 credsim: the scenario has no host example.com:80"
    );
    assert!(said[1].starts_with("error: "), "{}", said[1]);
    assert!(said[2].starts_with("200 "), "{}", said[2]);
    ended.says(&[
        "proxy    refuses example.com:80: the scenario has no such host",
        "proxy    refuses management.azure.com:443: the scenario has no such host",
    ]);
    let json: Value = serde_json::from_str(&world.text("out.json")).unwrap();
    let verdict = &json["scenarios"][0]["verdict"];
    let findings = [&verdict["expectations"], &verdict["invariants"]];
    let findings = findings.map(|findings| findings.as_array().unwrap().iter());
    let failed = findings
        .into_iter()
        .flatten()
        .filter(|f| f["outcome"] == "fails");
    let failed: Vec<_> = failed.map(|finding| &finding["name"]).collect();
    assert_eq!(failed, ["known-hosts-only"]);
    tokens(&World::usual().client(&["get", IMDS]).with(0), 1);
}

/// A machine without a metadata service has no route there: that is no mistake of the client.
fn no_imds() {
    let ended = World::with(
        "[world.entra]\n",
        "that.requests = { to.entra = {}, at-most = 99 }",
    )
    .client(&["get", IMDS])
    .with(0);
    let said = lines(&ended);
    assert!(
        said[0].starts_with("403 ") && said[0].contains("unreachable"),
        "{}",
        said[0]
    );
}

/// What answers there on a machine of Azure Arc is no part of any world.
fn no_agent() {
    let url = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
    let mut world = World::usual();
    for name in ["NO_PROXY=", "no_proxy="] {
        world = world.arg("--env").arg(name);
    }
    let ended = world.client(&["get", url]).with(1);
    let said = lines(&ended);
    assert!(
        said[0].starts_with("403 credsim: no world has"),
        "{}",
        said[0]
    );
    ended.says(&["proxy    refuses 127.0.0.1:40342"]);
}

fn no_entra() {
    let world = World::with("[world.imds]\n", ALWAYS);
    let ended = world.client(&["post", ENTRA, FORM]).with(1);
    ended.says(&["proxy    refuses login.microsoftonline.com:443"]);
    let plain = world
        .client(&["get", "http://login.microsoftonline.com:443/"])
        .with(1);
    assert!(
        plain.out.contains("add [world.entra] to it"),
        "{}",
        plain.out
    );
}

fn distrust() {
    let world = World::usual();
    let ended = world
        .client(&["trusting-nobody", "post", ENTRA, FORM])
        .with(0);
    assert!(ended.out.starts_with("error: "), "{}", ended.out);
    ended.says(&[
        "proxy    no TLS with login.microsoftonline.com: the client does not trust this run's authority",
        "NODE_EXTRA_CA_CERTS for Node.js, REQUESTS_CA_BUNDLE for Python, SSL_CERT_FILE for Go, Rust",
    ]);
}
