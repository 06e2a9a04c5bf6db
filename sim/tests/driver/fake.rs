//! A driver of a fake SDK: one case follows the protocol, each other one breaks it in its own way.

use std::{
    env,
    io::{self, BufRead as _, Write as _},
    process, thread,
    time::Duration,
};

use base64::Engine as _;
use serde_json::{Value, json};

/// A token of `oid`.
pub fn token(oid: &str) -> String {
    let encode = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = json!({ "oid": oid, "upn": "alice@contoso.example" });
    format!(
        "{}.{}.sig",
        encode("{\"alg\":\"none\"}".to_owned()),
        encode(claims.to_string())
    )
}

/// Speaks the protocol until the input ends.
pub fn run(case: &str) {
    match case {
        "dies at once" => {
            eprintln!("Cannot find package");
            process::exit(3);
        }
        "silent" => thread::sleep(Duration::from_secs(60)),
        "garbage" => println!("Hello, I am a driver."),
        "garbage with a token" => println!("the token is {}", token("o")),
        "endless line" => {
            let _ = io::stdout().write_all(&vec![b'x'; 3_000_000]);
        }
        _ => {}
    }
    let mut open = Vec::new();
    let mut cancelled = Vec::new();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let question: Value = serde_json::from_str(&line).unwrap();
        match question["do"].as_str().unwrap() {
            "hello" => send(hello(case, &question)),
            "new-credential" => new_credential(case, &question),
            "get-token" => get_token(case, question, &mut open, &cancelled),
            "cancel" => cancelled.push(question["id"].as_u64().unwrap()),
            "forget" => {}
            other => panic!("what is {other}?"),
        }
    }
    if case == "does not end" {
        thread::sleep(Duration::from_secs(60));
    }
}

fn send(what: Value) {
    println!("{what}");
}

fn hello(case: &str, question: &Value) -> Value {
    let protocol = if case == "another protocol" { 7 } else { 1 };
    let mut hello = json!({
        "protocol": protocol, "sdk": "fake", "version": "1.0", "runtime": "rust",
        "credentials": { "azure-cli": ["tenant"], "client-secret": ["tenant", "client-id", "secret"] },
        "requests": ["tenant", "claims"],
        "reasons": { "default": "it is a fake" },
    });
    match case {
        "half a hello" => drop(hello.as_object_mut().unwrap().remove("sdk")),
        "a kind that is none" => {
            // What it says before counts as lines of its output.
            println!(
                "\n{}",
                json!({ "event": "log", "level": "warn", "message": "m" })
            );
            hello["credentials"] = json!({ "azure-clii": [] });
        }
        "one kind of error" => hello["errors"] = json!("one-kind"),
        "one scope" => hello["scope"] = json!("https://redis.azure.com/.default"),
        _ => {}
    }
    json!({ "id": question["id"], "ok": hello })
}

fn new_credential(case: &str, question: &Value) {
    let id = &question["id"];
    match case {
        "does not build" => {
            return send(json!({ "id": id, "error": {
            "kind": "configuration", "class": "TypeError", "message": "no tenant",
        } }));
        }
        "unsupported after all" => {
            return send(json!({ "id": id, "unsupported": "not on Sundays" }));
        }
        "silent at building" => return,
        "dies at building" => {
            eprintln!("the secret was {}", question["options"]["secret"]);
            eprintln!("segmentation fault, or so");
            process::abort();
        }
        "logs" => {
            send(json!({ "event": "log", "level": "warn", "message": "it is late\nvery" }));
            send(
                json!({ "event": "log", "level": "error", "message": format!("see {}", token("o")) }),
            );
        }
        "child" => {
            // A child that inherits the pipes. Only the end of the process group ends it.
            let child = process::Command::new("/bin/sleep").arg("60").spawn();
            drop(child.unwrap());
        }
        _ => {}
    }
    send(json!({ "id": id, "ok": { "class": "AzureCliCredential" } }));
}

fn answer(id: &Value, oid: &str, answered_by: &str) {
    send(json!({ "id": id, "ok": {
        "token": token(oid), "expires-on": 1_800_000_000_123_i64,
        "refresh-on": 1_700_000_000_000_i64, "answered-by": answered_by,
    } }));
}

fn get_token(case: &str, question: Value, open: &mut Vec<Value>, cancelled: &[u64]) {
    let id = &question["id"];
    match case {
        // The test plays in virtual time, where the answer of another process arrives at no defined
        // moment: within the world, which is a failure of the harness, or after its end.
        "logs" => {}
        "dies in a call" => {
            eprintln!("out of memory");
            process::exit(9);
        }
        "answers twice" => {
            answer(id, "o", "");
            answer(id, "o", "");
        }
        "impossible time" => send(json!({ "id": id, "ok": {
            "token": token("o"), "expires-on": i64::MAX,
        } })),
        "no token" => send(json!({ "id": id, "ok": { "token": { "value": token("o") } } })),
        "fails" => send(json!({ "id": id, "error": {
            "kind": "unavailable", "class": "CredentialUnavailableError",
            "message": "nobody is logged in", "status": 404, "code": "gone",
        } })),
        "changes identity" => {
            send(
                json!({ "event": "identity-changed", "credential": question["credential"],
                    "from": { "credential": "ManagedIdentityCredential", "principal": "m" },
                    "to": { "credential": "AzureCliCredential", "principal": "a", "user": "alice" },
                }),
            );
            answer(id, "a", "AzureCliCredential");
        }
        "tells a token as an identity" => {
            send(
                json!({ "event": "identity-changed", "credential": question["credential"],
                    "from": { "credential": "A" }, "to": { "credential": token("o") },
                }),
            );
        }
        "late" | "cancelled" => out_of_order(case, question, open, cancelled),
        "environment" => {
            let variables: Vec<_> = env::vars()
                .map(|(name, value)| name + "=" + &value)
                .collect();
            answer(id, "o", &variables.join(" "));
        }
        "process" | "child" | "does not end" => answer(id, "o", &process::id().to_string()),
        _ => answer(
            id,
            "o",
            &format!(
                "{} {} {}",
                question["tenant"], question["claims"], question["cae"]
            ),
        ),
    }
}

/// Answers the first request only after the second has come, in the order of the case.
fn out_of_order(case: &str, question: Value, open: &mut Vec<Value>, cancelled: &[u64]) {
    let id = &question["id"];
    match case {
        _ if open.is_empty() => open.push(question),
        // Out of order: the answer to the later request first.
        "late" => {
            let scope = |question: &Value| question["scopes"][0].as_str().unwrap().to_owned();
            answer(id, &scope(&question), "");
            for late in open.drain(..) {
                answer(&late["id"], &scope(&late), "");
            }
        }
        // The first request had been cancelled by then.
        _ => {
            for late in open.iter() {
                answer(&late["id"], "late", "");
            }
            answer(id, "o", &format!("cancelled: {cancelled:?}, this is {id}"));
        }
    }
}
