//! Faults as an external client observes them, through the proxy and through TLS.

use rustix::process::{Signal, kill_process};

use super::{
    Case,
    hosts::{ask, connect},
    support::{ALWAYS, ENTRA, FORM, IMDS, SERVICES, World, lines, tokens},
};
use crate::process::this;

pub const ALL: &[Case] = &[
    ("faults/a-black-hole", black_hole),
    ("faults/a-black-hole-that-outlasts-the-client", given_up),
    ("faults/a-black-hole-that-outlasts-the-run", never_there),
    ("faults/a-black-hole-that-a-proxy-cannot-show", unshown),
    ("faults/imds-at-a-port-of-its-own", own_port),
    ("faults/a-crash-and-a-restart", crash),
    ("faults/a-reset", || reset("before")),
    ("faults/a-reset-after-the-work-is-done", || reset("after")),
    ("faults/a-truncated-body", truncated),
    ("faults/a-service-whose-limit-is-exceeded", throttled),
    ("faults/no-file-descriptors-left", no_descriptors),
];

const BOTH: [&str; 5] = ["get", IMDS, "post", ENTRA, FORM];

/// The world with this timeline.
fn world(happens: &str) -> World {
    World::with(&format!("{SERVICES}{happens}"), ALWAYS)
}

/// A fault that strikes the first request of each service.
fn first_of_each(then: &str) -> World {
    let fault = |on: &str| {
        format!(
            "[[at]]\ntime = \"0s\"\ndo.fault = {{ name = \"on {on}\", on.{on} = {{}}, first = 1, then.{then} }}\n"
        )
    };
    world(&(fault("imds") + &fault("entra")))
}

/// Sends a request to each service, twice.
fn twice(world: &World) -> Vec<String> {
    let ended = world.client(&[BOTH, BOTH].concat()).with(0);
    let lines: Vec<String> = lines(&ended).into_iter().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4, "{}\n{}", ended.out, ended.err);
    for line in &lines[2..] {
        assert!(line.starts_with("200 "), "{line}");
    }
    lines
}

/// A world whose services are out of reach for the first two seconds.
fn dark() -> World {
    let mut happens = String::new();
    for service in ["imds", "entra"] {
        for (time, reach) in [("0s", "black-holed"), ("2s", "reachable")] {
            happens += &format!(
                "[[at]]\ntime = \"{time}\"\n\
                 do.network = {{ service = \"{service}\", reach = \"{reach}\" }}\n"
            );
        }
    }
    world(&happens)
}

/// A request gets no answer until packets pass again.
fn black_hole() {
    let ended = dark().client(&BOTH).with(4);
    tokens(&ended, 2);
    let first = ended.err.lines().find(|line| line.contains(" request 1"));
    let first = first.unwrap().trim_start();
    let times = ["00:00:02", "00:00:03", "00:00:04"];
    assert!(times.iter().any(|time| first.starts_with(time)), "{first}");
}

/// A request that the client has given up does not arrive later, when packets pass again.
fn given_up() {
    let words = [
        &["patience", "500"],
        &BOTH[..],
        &["sleep", "3000"],
        &BOTH[..],
    ]
    .concat();
    let ended = dark().client(&words).with(4);
    let said = lines(&ended);
    assert!(
        said[..2].iter().all(|line| line.starts_with("error: ")),
        "{said:?}"
    );
    assert!(
        said[2..].iter().all(|line| line.starts_with("200 ")),
        "{said:?}"
    );
    assert!(!ended.err.contains(" request 2"), "{}", ended.err);
}

/// A client that tries in vain was there, and its attempts are in the journal.
fn never_there() {
    let dark = "[world.imds]\nreach = \"black-holed\"\n";
    let ended = World::with(dark, ALWAYS).client(&["patience", "300", "get", IMDS]);
    assert!(ended.out.starts_with("error: "), "{}", ended.out);
    ended.prints(&["proxy    a client waits for 169.254.169.254: packets to it vanish"]);
    for wrong in ["no request reached the world", "never reached the world"] {
        assert!(!ended.err.contains(wrong), "{}", ended.err);
    }
}

/// Through a proxy a limit on the time of a connect never ends the waiting. What such a client does
/// then is not held against it, and neither for it; what came before is.
fn unshown() {
    let happens = "[[at]]\ntime = \"0s\"\ndo.network = { service = \"imds\", reach = \"black-holed\" }\n\
                   [[at]]\ntime = \"2s\"\ndo.network = { service = \"imds\", reach = \"reachable\" }\n";
    let judged = |expected: &str, words: &[&str], code: i32| {
        let world = World::with(&format!("{SERVICES}{happens}"), expected);
        world.client(words).with(code)
    };
    // It hangs, and what it does afterwards is something else than it would have done.
    let hangs = ["patience", "20000", "get", IMDS, "get", IMDS];
    let why = "packets to 169.254.169.254 vanished, which a proxy cannot show";
    for expected in [
        "that.requests = { to.imds = {}, exactly = 0 }",
        "that.requests = { to.imds = {}, exactly = 2 }",
        "that.rate = { to.imds = {}, at-most = 5, per = \"1s\" }",
    ] {
        judged(expected, &hangs, 4)
            .prints(&["nothing could be observed", "vanished, which a proxy"]);
    }
    // A client that asks another service first is judged by that.
    let before = ["post", ENTRA, FORM, "patience", "300", "get", IMDS];
    let ended = judged("that.requests = { to.entra = {}, exactly = 0 }", &before, 1);
    ended.prints(&["expect[1] requests"]);
    let ended = judged(
        "that.requests = { to.entra = {}, at-least = 1 }",
        &before,
        0,
    );
    assert!(!ended.err.contains(why), "{}", ended.err);
    // One that never goes there is judged as ever.
    judged(
        "that.requests = { to.entra = {}, exactly = 1 }",
        &["post", ENTRA, FORM],
        0,
    );
}

/// At a port of its own, IMDS refuses connections and lets packets vanish as the world says, so
/// that it is judged.
fn own_port() {
    let has = |reach: &str, happens: &str| {
        let imds = "[world.imds]\nsystem-identity = { object-id = \"5e29463d-0000-0000-0000-000000000001\" }\n";
        World::with(&format!("{imds}reach = \"{reach}\"\n{happens}"), ALWAYS)
            .arg("--imds")
            .arg("variable")
    };
    let path = IMDS.trim_start_matches("http://169.254.169.254");
    let ask = format!("get \"$AZURE_POD_IDENTITY_AUTHORITY_HOST{path}\"");
    let this = this();
    let script = |words: &str| format!("exec '{}' client {words}", this.display());
    let ended = has("refused", "").shell(&script(&ask));
    assert!(
        ended.out.starts_with("error: ConnectionRefused"),
        "{}",
        ended.out
    );
    ended.prints(&["leads to a port of IMDS's own", "SDKs send no probe"]);
    let later = "[[at]]\ntime = \"2s\"\ndo.network = { service = \"imds\", reach = \"reachable\" }\n\
                 [[at]]\ntime = \"4s\"\ndo.network = { service = \"imds\", reach = \"refused\" }\n";
    let words = format!("patience 700 {ask} patience 20000 {ask}");
    let ended = has("black-holed", later).shell(&script(&words)).with(0);
    let said = lines(&ended);
    assert!(said[0].starts_with("error: "), "{}", ended.out);
    assert!(said[1].starts_with("200 "), "{}\n{}", ended.out, ended.err);
    ended.prints(&["network  a client waits for 169.254.169.254: packets to it vanish"]);
    // Without the flag a refusal cannot be shown, and without IMDS there is nothing to find.
    let world = World::with("[world.entra]\n", ALWAYS.replace("imds", "entra").as_str());
    let ended = world.arg("--imds=variable").run(&["true"]).with(2);
    ended.prints(&["has no IMDS that a variable could lead to"]);
}

fn crash() {
    let mut happens = String::new();
    for service in ["imds", "entra"] {
        for (time, what) in [("0s", "crash"), ("2s", "restart")] {
            happens +=
                &format!("[[at]]\ntime = \"{time}\"\ndo.{what} = {{ service = \"{service}\" }}\n");
        }
    }
    let words = [
        &["patience", "500"],
        &BOTH[..],
        &["sleep", "3000"],
        &BOTH[..],
    ]
    .concat();
    let ended = world(&happens).client(&words).with(4);
    let said = lines(&ended);
    assert_eq!(said.len(), 4, "{}", ended.out);
    // A host that is down does not even refuse the connection.
    for line in &said[..2] {
        assert!(line.starts_with("error: "), "{line}");
        assert!(!line.contains("ConnectionReset"), "{line}");
    }
    for line in &said[2..] {
        assert!(line.starts_with("200 "), "{line}");
    }
}

/// A reset is ECONNRESET of the operating system, also inside a tunnel.
fn reset(when: &str) {
    for line in &twice(&first_of_each(&format!("reset = {{ when = \"{when}\" }}")))[..2] {
        assert!(line.starts_with("error: ConnectionReset: "), "{line}");
    }
}

fn truncated() {
    for line in &twice(&first_of_each("truncate = { after = 10 }"))[..2] {
        assert!(line.starts_with("error: "), "{line}");
    }
}

/// Status and body of the answer of a service whose limit is exceeded.
fn throttled() {
    for line in &twice(&first_of_each(
        "reply = { status = 429, retry-after = \"1\" }",
    ))[..2]
    {
        assert!(line.starts_with("429 {"), "{line}");
    }
}

/// A world whose process has no descriptors left says so once, and goes on when connections end.
fn no_descriptors() {
    let world = World::usual();
    let mut open = world.open_with("ulimit -n 64");
    let said = open.when_it_prints("ready: ");
    let held: Vec<_> = (0..100).map(|_| connect(&said, "HTTP_PROXY=")).collect();
    let line = "credsim has no file descriptors left";
    open.when_it_prints(line);
    drop(held);
    let mut stream = connect(&said, "HTTP_PROXY=");
    let imds = format!("GET {IMDS} HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n\r\n");
    let answer = ask(&mut stream, &imds);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    kill_process(open.id(), Signal::INT).unwrap();
    let ended = open.end().with(0);
    assert_eq!(ended.err.matches(line).count(), 1, "{}", ended.err);
}
