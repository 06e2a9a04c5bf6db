//! A driver of a fake SDK, in one way right and in many ways wrong.

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
            "hello" => say(hello(case, &question)),
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

fn say(what: Value) {
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
    if case == "half a hello" {
        hello.as_object_mut().unwrap().remove("sdk");
    }
    json!({ "id": question["id"], "ok": hello })
}

fn new_credential(case: &str, question: &Value) {
    let id = &question["id"];
    match case {
        "does not build" => {
            return say(json!({ "id": id, "error": {
            "kind": "configuration", "class": "TypeError", "message": "no tenant",
        } }));
        }
        "unsupported after all" => {
            return say(json!({ "id": id, "unsupported": "not on Sundays" }));
        }
        "silent at building" => return,
        "dies at building" => {
            eprintln!("the secret was {}", question["options"]["secret"]);
            eprintln!("segmentation fault, or so");
            process::abort();
        }
        "logs" => {
            say(json!({ "event": "log", "level": "warn", "message": "it is late\nvery" }));
            say(
                json!({ "event": "log", "level": "error", "message": format!("see {}", token("o")) }),
            );
        }
        "child" => {
            // It holds the pipes, and is nobody's business but the group's.
            let child = process::Command::new("/bin/sleep").arg("60").spawn();
            drop(child.unwrap());
        }
        _ => {}
    }
    say(json!({ "id": id, "ok": { "class": "AzureCliCredential" } }));
}

fn answer(id: &Value, oid: &str, answered_by: &str) {
    say(json!({ "id": id, "ok": {
        "token": token(oid), "expires-on": 1_800_000_000_123_i64,
        "refresh-on": 1_700_000_000_000_i64, "answered-by": answered_by,
    } }));
}

fn get_token(case: &str, question: Value, open: &mut Vec<Value>, cancelled: &[u64]) {
    let id = &question["id"];
    match case {
        // It is played in virtual time, where an answer from another process comes whenever it
        // comes: in the middle of the world, which is a failure of the harness, or after its end.
        "logs" => {}
        "dies in a call" => {
            eprintln!("out of memory");
            process::exit(9);
        }
        "answers twice" => {
            answer(id, "o", "");
            answer(id, "o", "");
        }
        "impossible time" => say(json!({ "id": id, "ok": {
            "token": token("o"), "expires-on": i64::MAX,
        } })),
        "no token" => say(json!({ "id": id, "ok": { "token": { "value": token("o") } } })),
        "fails" => say(json!({ "id": id, "error": {
            "kind": "unavailable", "class": "CredentialUnavailableError",
            "message": "nobody is logged in", "status": 404, "code": "gone",
        } })),
        "changes identity" => {
            say(
                json!({ "event": "identity-changed", "credential": question["credential"],
                    "from": { "credential": "ManagedIdentityCredential", "principal": "m" },
                    "to": { "credential": "AzureCliCredential", "principal": "a", "user": "alice" },
                }),
            );
            answer(id, "a", "AzureCliCredential");
        }
        "tells a token as an identity" => {
            say(
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

/// Leaves the first question open, and answers both with the second.
fn out_of_order(case: &str, question: Value, open: &mut Vec<Value>, cancelled: &[u64]) {
    let id = &question["id"];
    match case {
        _ if open.is_empty() => open.push(question),
        // The wrong one first.
        "late" => {
            let scope = |question: &Value| question["scopes"][0].as_str().unwrap().to_owned();
            answer(id, &scope(&question), "");
            for late in open.drain(..) {
                answer(&late["id"], &scope(&late), "");
            }
        }
        // The first one was cancelled by then.
        _ => {
            for late in open.iter() {
                answer(&late["id"], "late", "");
            }
            answer(id, "o", &format!("cancelled: {cancelled:?}, this is {id}"));
        }
    }
}
