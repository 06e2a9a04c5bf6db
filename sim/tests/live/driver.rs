//! A driver around `identity`: the credentials of a real machine, called over the protocol that
//! drivers of real SDKs speak.
//!
//! Its platform is the real one with two exceptions. The HTTP client is configured with the proxy
//! and the certificate authority, as in an application behind a proxy. And random numbers are those
//! of a simulated host with the same seed, so that waits have comparable times.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, BufRead as _, Write as _},
    process::ExitCode,
    sync::Arc,
};

use credsim::{
    credential::Credential,
    draws::Draws,
    subject::{Built, Identity, Lent, Subject as _},
};
use credsim_identity::{
    AccessToken, Error, IdentityChange, Observer, Platform, TokenRequest,
    adapters::reqwest::ReqwestClient, platform::Random,
};
use serde_json::{Map, Value, json};
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::field;
use tracing_subscriber::{Layer, layer, prelude::*};

use super::trust;

pub fn run() -> ExitCode {
    let (give, mut get) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let _ = give.send(line);
        }
    });
    tracing_subscriber::registry().with(Log).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut driver = Driver::default();
        while let Some(line) = get.recv().await {
            driver.take(&serde_json::from_str(&line).unwrap());
        }
    });
    // The input has ended, so credsim has gone: requests in progress are dropped.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

#[derive(Default)]
struct Driver {
    built: BTreeMap<u64, Built>,
    open: BTreeMap<u64, JoinHandle<()>>,
}

impl Driver {
    fn take(&mut self, question: &Value) {
        let number = |name: &str| question[name].as_u64().unwrap();
        match question["do"].as_str().unwrap() {
            "hello" => send(json!({ "id": question["id"], "ok": hello() })),
            "new-credential" => self.build(number("id"), number("credential"), question),
            "get-token" => self.get_token(number("id"), number("credential"), question),
            "cancel" => {
                let asking = self.open.remove(&number("id"));
                asking.inspect(JoinHandle::abort);
            }
            "forget" => drop(self.built.remove(&number("credential"))),
            other => panic!("protocol 1 has no {other:?}"),
        }
    }

    fn build(&mut self, id: u64, credential: u64, question: &Value) {
        let mut platform = Platform::system();
        platform.http = Arc::new(ReqwestClient::customized(|builder| {
            let tls = trust::of_the_environment();
            trust::with_proxies(builder.tls_backend_preconfigured(tls))
        }));
        platform.random = Arc::new(Drawn(Draws::new(seed())));
        let lent = Lent {
            platform,
            observer: Arc::new(Teller(credential)),
            // credsim sends the tenant with every credential that needs one.
            tenant: String::new(),
            redis: Vec::new(),
            reporter: Arc::new(|_, _| {}),
        };
        let described = described(question);
        match Identity.build(&described, &lent) {
            Ok(built) => {
                let class = built.credential.name().to_owned();
                self.built.insert(credential, built);
                send(json!({ "id": id, "ok": { "class": class } }));
            }
            Err(error) => send(json!({ "id": id, "error": error_in_json(&error) })),
        }
    }

    fn get_token(&mut self, id: u64, credential: u64, question: &Value) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let scopes = question["scopes"].as_array().unwrap();
        let mut request = TokenRequest::new(scopes.iter().filter_map(text));
        if let Some(tenant) = question["tenant"].as_str() {
            request = request.with_tenant(tenant);
        }
        if let Some(claims) = question["claims"].as_str() {
            request = request.with_claims(claims);
        }
        let credential = self.built[&credential].credential.clone();
        let asking = tokio::spawn(async move {
            send(match credential.get_token(&request).await {
                Ok(token) => json!({ "id": id, "ok": given(&token) }),
                Err(error) => json!({ "id": id, "error": error_in_json(&error) }),
            });
        });
        self.open.insert(id, asking);
    }
}

fn send(message: Value) {
    let mut out = io::stdout().lock();
    // An error means that credsim has closed the pipe: the input ends, too.
    let _ = writeln!(out, "{message}").and_then(|()| out.flush());
}

fn hello() -> Value {
    let retry = [
        "max-retries",
        "retry-delay",
        "max-retry-delay",
        "retry-after-cap",
    ];
    let retry = retry.map(|option| format!("retry.{option}"));
    let with_retry = |options: &[&str]| -> Vec<String> {
        let options = options.iter().map(|option| (*option).to_owned());
        options.chain(retry.clone()).collect()
    };
    let command = ["tenant", "process-timeout"];
    json!({
        "protocol": 1,
        "sdk": "credsim-identity",
        "version": env!("CARGO_PKG_VERSION"),
        "credentials": {
            "default": with_retry(&[
                "managed-identity-client-id", "required-variables", "continue-after",
                "fallback-policy",
            ]),
            "chain": ["continue-after", "fallback-policy"],
            "managed-identity": with_retry(&["client-id", "object-id", "resource-id"]),
            "client-secret": with_retry(&["tenant", "client-id", "secret"]),
            "workload-identity": with_retry(&["tenant", "client-id", "file"]),
            "azure-pipelines": with_retry(&[
                "tenant",
                "client-id",
                "service-connection-id",
                "system-access-token",
            ]),
            "github-actions": with_retry(&["tenant", "client-id", "audience"]),
            "environment": [],
            "azure-cli": command,
            "azure-developer-cli": command,
            "azure-powershell": command,
            "cached": [],
        },
        "requests": ["tenant", "claims"],
    })
}

/// Turns a credential of the driver protocol into one of a scenario file.
fn described(credential: &Value) -> Credential {
    serde_json::from_value(in_words(credential)).unwrap()
}

fn in_words(credential: &Value) -> Value {
    let kind = credential["kind"].as_str().unwrap();
    let mut options = credential["options"].as_object().unwrap().clone();
    spans(&mut options, &["process-timeout"]);
    if let Some(retry) = options.get_mut("retry").and_then(Value::as_object_mut) {
        spans(
            retry,
            &["retry-delay", "max-retry-delay", "retry-after-cap"],
        );
    }
    if let Some(Value::Array(of)) = options.remove("of") {
        let mut of: Vec<Value> = of.iter().map(in_words).collect();
        let of = if kind == "cached" {
            of.remove(0)
        } else {
            Value::Array(of)
        };
        options.insert("of".to_owned(), of);
    }
    json!({ kind: options })
}

/// Milliseconds, as spans are written in scenarios.
fn spans(options: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        if let Some(value) = options.get_mut(*name) {
            *value = format!("{value}ms").into();
        }
    }
}

fn given(token: &AccessToken) -> Value {
    json!({
        "token": token.secret(),
        "expires-on": token.expires_on().as_millisecond(),
        "refresh-on": token.refresh_on().map(|time| time.as_millisecond()),
        "answered-by": token.answered_by(),
    })
}

/// The error in JSON. Its text is split into message and help, which credsim joins again.
fn error_in_json(error: &Error) -> Value {
    let text = error.to_string();
    let message = text.strip_prefix(error.credential()).unwrap_or(&text);
    let message = message.strip_prefix(": ").unwrap_or(message);
    let mut json = json!({
        "kind": error.kind().as_str(), "class": error.credential(), "message": message,
    });
    if let Some(status) = error.status() {
        json["status"] = status.into();
    }
    if let Some(code) = error.code() {
        json["code"] = code.into();
    }
    json
}

/// Sends reported changes of identity.
struct Teller(u64);

impl Observer for Teller {
    fn identity_changed(&self, change: &IdentityChange) {
        let who = |identity: &credsim_identity::Identity| {
            let principal = identity.principal.as_ref();
            json!({
                "credential": identity.credential,
                "principal": principal.map(|principal| &principal.object_id),
                "user": principal.and_then(|principal| principal.user_name.as_ref()),
            })
        };
        send(json!({
            "event": "identity-changed", "credential": self.0, "refused": change.refused,
            "from": who(&change.from), "to": who(&change.to),
        }));
    }
}

/// The seed of the run.
fn seed() -> u64 {
    let seed = std::env::var("CREDSIM_SEED").ok();
    seed.and_then(|seed| seed.parse().ok()).unwrap_or_default()
}

/// The random numbers of a simulated host with this seed.
struct Drawn(Draws);

impl Random for Drawn {
    fn next(&self, purpose: &str) -> u64 {
        self.0.next(&format!("subject/{purpose}"))
    }
}

/// Sends warnings and errors of the log.
struct Log;

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: layer::Context<'_, S>) {
        let metadata = event.metadata();
        let level = match *metadata.level() {
            tracing::Level::ERROR => "error",
            tracing::Level::WARN => "warn",
            _ => return,
        };
        if metadata.target().starts_with("credsim_identity") {
            let mut text = Text::default();
            event.record(&mut text);
            send(json!({ "event": "log", "level": level, "message": text.0 }));
        }
    }
}

#[derive(Default)]
struct Text(String);

impl field::Visit for Text {
    fn record_debug(&mut self, field: &field::Field, value: &dyn std::fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.unwrap();
    }
}
