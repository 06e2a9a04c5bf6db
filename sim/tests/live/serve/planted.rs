//! Marked secrets in every place where a client can put one: no output of `serve` shows any of
//! them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::process::{Signal, kill_process};

use super::{
    Case,
    support::{ALWAYS, SERVICES, World},
};

pub const ALL: &[Case] = &[
    ("planted/no-secret-is-in-any-output", no_secret),
    ("planted/no-output-steers-a-terminal", no_control),
];

const WORLD: &str = r#"
[world.az]
[world.azd]
[world.pwsh]
[world.redis]
principals = ["5e29463d-0000-0000-0000-000000000001"]
"#;

const IMDS: &str = "169.254.169.254";

/// Names of secrets in queries, forms and JSON.
const NAMES: &[&str] = &[
    "client_secret",
    "clientSecret",
    "password",
    "access_token",
    "refresh_token",
    "id_token",
    "client_assertion",
    "assertion",
    "code",
    "code_verifier",
    "device_code",
    "sig",
    "subscription-key",
    "secret",
    "api_key",
    "SharedAccessKey",
    "accountKey",
    "sas_token",
    "connectionString",
    "SAMLResponse",
];

/// Headers that hold secrets.
const HEADERS: &[&str] = &[
    "Authorization: Bearer §",
    "Authorization: Basic §",
    "Authorization: §",
    "Proxy-Authorization: Basic §",
    "Cookie: session=§",
    "X-IDENTITY-HEADER: §",
    "Secret: §",
    "x-functions-key: §",
    "Ocp-Apim-Subscription-Key: §",
    "x-api-key: §",
    "x-ms-authorization-auxiliary: Bearer §",
    "x-ms-copy-source: https://h.example/a?sv=1&sig=§",
    "x-ms-encryption-key: §",
    "Referer: https://h.example/?code=§",
    "X-Whatever: §",
    "User-Agent: app/1 (client_secret=§)",
];

/// Bodies that hold secrets, each sent with every type of [`TYPES`].
const BODIES: &[&str] = &[
    "a=1&client_secret=§&b=2",
    r#"{"grant_type":"client_credentials","client_secret":"§"}"#,
    r#"{"properties":{"adminPassword":"§","list":[{"password":"§"}]}}"#,
    r#"{"value":"§"}"#,
    r#"[{"name":"DB_PASSWORD","value":"§"}]"#,
    r#"{"text":"{\"password\":\"§\"}"}"#,
    "<r><Password>§</Password></r>",
    "<r><add key=\"x\" connectionString=\"§\"/></r>",
    "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n§\r\n--b--\r\n",
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n§\r\n--b--\r\n",
    "§",
    "not a form: § and more",
    "{\"password\":\"§",
    "-----BEGIN PRIVATE KEY-----\n§\n-----END PRIVATE KEY-----\n",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=§;EndpointSuffix=core.windows.net",
];

const TYPES: &[&str] = &[
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
];

/// Command lines with a secret each.
const COMMANDS: &[&str] = &[
    "az login --service-principal -u u -p § --tenant t",
    "az login --service-principal -u u -p§ --tenant t",
    "az login --service-principal -u u --password=§ --tenant t",
    "az login --service-principal -u u --pa § --tenant t",
    "az login --service-principal -u u --federated-token § --tenant t",
    "az keyvault secret set --vault-name v -n n --value §",
    "az keyvault secret set --vault-name v -n n --value=§",
    "az rest --method put --url https://h.example/x --body {\"password\":\"§\"}",
    "az rest -m put -u https://h.example/x?sig=§ -b §",
    "az rest -m get --url https://h.example/ --headers Authorization=§",
    "az storage blob list --account-key §",
    "az storage blob list --sas-token §",
    "az storage blob list --connection-string AccountKey=§",
    "az webapp config appsettings set --settings CLIENT_SECRET=§",
    "az vm create --admin-password §",
    "az x --client-secret §",
    "azd env set AZURE_CLIENT_SECRET §",
    "azd env set NAME §",
    "azd env set NAME=§",
    "azd auth login --client-id c --client-secret §",
    "azd auth login --client-id c --federated-credential-token §",
    "pwsh -Command Connect-AzAccount -AccessToken '§'",
    "pwsh -Command $secret = '§'",
    "pwsh -Command Invoke-RestMethod -Headers @{Authorization='Bearer §'}",
];

/// Redis commands with a secret each.
const REDIS: &[&str] = &[
    "AUTH §",
    "AUTH user §",
    "AUHT user §",
    "HELLO 3 AUTH user §",
    "CONFIG SET requirepass §",
    "CONFIG SET masterauth §",
    "ACL SETUSER u on >§ ~* +@all",
    "ACL SETUSER u #§",
    "ACL SETUSER u <§",
    "MIGRATE h 6379 k 0 10 AUTH §",
    "MIGRATE h 6379 k 0 10 AUTH2 u §",
    "SET client_secret §",
    "HSET user password §",
    "MSET a 1 access_token §",
    "SET x {\"password\":\"§\"}",
    "SET x redis://:§@host:6379",
    "ECHO client_secret=§",
];

/// Makes marked secrets, each another one.
#[derive(Default)]
struct Planter(Vec<String>);

impl Planter {
    /// `place` with a new secret for each `§`.
    fn plant(&mut self, place: &str) -> String {
        let mut parts = place.split('§');
        let mut planted = parts.next().unwrap().to_owned();
        for part in parts {
            let secret = format!("Zq{}Marked{}X9", self.0.len(), self.0.len() * 7919);
            planted = planted + &secret + part;
            self.0.push(secret);
        }
        planted
    }
}

/// A world that is served, and where its doors are.
struct Doors {
    proxy: String,
    redis: String,
    links: String,
    socket: String,
}

impl Doors {
    fn of(printed: &str) -> Self {
        let variable = |name: &str| {
            let mut lines = printed.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("no {name} in {printed}"))
                .to_owned()
        };
        Self {
            proxy: variable("HTTP_PROXY").replace("http://", ""),
            redis: format!("{}:{}", variable("REDIS_HOST"), variable("REDIS_PORT")),
            links: variable("PATH").split(':').next().unwrap().to_owned(),
            socket: variable("CREDSIM_WORLD"),
        }
    }

    fn send(address: &str, bytes: &[u8]) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(bytes).unwrap();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }

    /// A request with one more header and a body to IMDS.
    fn request(&self, target: &str, header: &str, body: &str) {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let header = if header.is_empty() {
            "X-Nothing: 1"
        } else {
            header
        };
        let head = format!(
            "{method} http://{IMDS}{target} HTTP/1.1\r\nHost: {IMDS}\r\n{header}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        Self::send(&self.proxy, head.as_bytes());
    }

    fn command(&self, words: &[&str]) {
        let mut command = Command::new(format!("{}/{}", self.links, words[0]));
        command
            .env_clear()
            .env("CREDSIM_WORLD", &self.socket)
            .args(&words[1..]);
        command.stdin(Stdio::null()).output().unwrap();
    }

    fn redis(&self, words: &[&str]) {
        let mut bytes = format!("*{}\r\n", words.len());
        for word in words {
            bytes += &format!("${}\r\n{word}\r\n", word.len());
        }
        Self::send(&self.redis, bytes.as_bytes());
    }
}

/// Serves a world, lets `attack` at it, and returns all that it wrote: standard error, the
/// requests, and both reports.
fn outputs(world: World, attack: impl FnOnce(&Doors)) -> Vec<(&'static str, String)> {
    let world = world
        .arg("--requests")
        .arg("requests.jsonl")
        .arg("--report")
        .arg("json=out.json")
        .arg("--report")
        .arg("junit=out.xml");
    let mut running = world.open();
    let printed = running.when_it_prints("ready: ");
    attack(&Doors::of(&printed));
    kill_process(running.id(), Signal::INT).unwrap();
    let ended = running.end();
    let files = ["requests.jsonl", "out.json", "out.xml"];
    let files = files.map(|file| (file, world.text(file)));
    let all: Vec<_> = [("standard error", ended.err)]
        .into_iter()
        .chain(files)
        .collect();
    for (name, text) in &all {
        assert!(!text.is_empty(), "{name} is empty");
    }
    all
}

fn world() -> World {
    World::with(&format!("{SERVICES}{WORLD}"), ALWAYS)
}

/// Requests, each a target, a header and a body, with a secret each.
fn requests(planter: &mut Planter) -> Vec<(String, String, String)> {
    let mut plant = |place: &str| planter.plant(place);
    let form = |text: &str| text.replace('=', "%3D").replace('&', "%26");
    let mut requests: Vec<(String, String, String)> = Vec::new();
    for name in NAMES {
        let target = plant(&format!(
            "/metadata/identity/oauth2/token?resource=r&{name}=§"
        ));
        requests.push((target, String::new(), String::new()));
        let target = plant(&format!("/a?url=https%3A%2F%2Fh.example%2F%3F{name}%3D§"));
        requests.push((target, String::new(), String::new()));
        let body = plant(&format!("x=1&{name}=§"));
        requests.push((
            "/form".to_owned(),
            "Content-Type: text/plain".to_owned(),
            body,
        ));
        let body = plant(&format!("{{\"a\":{{\"{name}\":\"§\"}}}}"));
        requests.push(("/json".to_owned(), String::new(), body));
    }
    for header in HEADERS {
        requests.push(("/header".to_owned(), plant(header), String::new()));
    }
    for kind in TYPES {
        for body in BODIES {
            let header = format!("Content-Type: {kind}");
            requests.push(("/body".to_owned(), header.clone(), plant(body)));
            let encoded = STANDARD.encode(plant(body));
            requests.push(("/base64".to_owned(), header.clone(), encoded));
            // Behind a harmless name, only a name or a form of its own tells a secret.
            if body.contains(['=', ':']) && !body.contains(['\r', ' ']) {
                let encoded = format!("x={}", form(&plant(body)).replace('\n', "%0A"));
                requests.push(("/percent".to_owned(), header, encoded));
            }
        }
    }
    requests
}

fn no_secret() {
    let mut planter = Planter::default();
    let requests = requests(&mut planter);
    let mut plant = |place: &str| planter.plant(place);
    let commands: Vec<String> = COMMANDS.iter().map(|place| plant(place)).collect();
    let redis: Vec<String> = REDIS.iter().map(|place| plant(place)).collect();
    let variable = plant("APP_PASSWORD=§");
    let secrets = planter.0;
    assert!(secrets.len() >= 150, "only {}", secrets.len());

    let served = world().arg("--env").arg(&variable);
    let all = outputs(served, |doors| {
        for (target, header, body) in &requests {
            doors.request(target, header, body);
        }
        for command in &commands {
            // A script is one argument.
            let count = if command.starts_with("pwsh") {
                3
            } else {
                usize::MAX
            };
            let words: Vec<&str> = command.splitn(count, ' ').collect();
            doors.command(&words);
        }
        for command in &redis {
            doors.redis(&command.split(' ').collect::<Vec<_>>());
        }
    });
    let mut found = Vec::new();
    for (name, text) in &all {
        for secret in &secrets {
            for spelling in spellings(secret) {
                if let Some(line) = text.lines().find(|line| line.contains(&spelling)) {
                    found.push(format!("{name}: {secret} in {line}"));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} of {}:\n{}",
        found.len(),
        secrets.len(),
        found.join("\n")
    );
    let (_, journal) = &all[0];
    for seen in [
        "/form",
        "/json",
        "/body",
        "az       command",
        "ACL",
        "azd      command",
    ] {
        assert!(journal.contains(seen), "no {seen} in {journal}");
    }
}

/// A secret as it stands, and in base64 at each of the three places where it can begin. All of its
/// characters stand for themselves in percent-encoding.
fn spellings(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned()];
    for before in 0..3 {
        let bytes = [vec![0; before], secret.as_bytes().to_owned()].concat();
        let text = STANDARD.encode(&bytes[..bytes.len() / 3 * 3]);
        all.push(text[if before == 0 { 0 } else { 4 }..].to_owned());
    }
    all
}

/// Bytes that a terminal would obey, in all places that are shown.
fn no_control() {
    const EVIL: &str = "\u{1b}[31mred\u{7}\n::error::pwned\u{202e}rtl\u{9b}31m\u{2028}##[error]x";
    let percent: String = EVIL.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let all = outputs(world(), |doors| {
        doors.request(&format!("/{percent}?a={percent}"), "", "");
        doors.request("/", "", &format!("grant_type=x&scope={percent}"));
        doors.request(
            "/",
            "",
            &format!("{{\"scope\":{:?}}}", "\u{202e}\u{2028}\u{9b}31m"),
        );
        Doors::send(
            &doors.proxy,
            b"GET http://169.254.169.254/\x1b[31mred HTTP/1.1\r\n\r\n",
        );
        let bidi = "GET http://169.254.169.254/\u{202e}evil HTTP/1.1\r\nConnection: close\r\n\r\n";
        Doors::send(&doors.proxy, bidi.as_bytes());
        Doors::send(&doors.proxy, b"CONNECT a\x1b[31mb:443 HTTP/1.1\r\n\r\n");
        let bidi = "CONNECT \u{202e}b\u{9b}31m:443 HTTP/1.1\r\n\r\n";
        Doors::send(&doors.proxy, bidi.as_bytes());
        doors.command(&["az", EVIL]);
        doors.command(&["az", "account", "get-access-token", "--resource", EVIL]);
        doors.command(&["pwsh", "-Command", EVIL]);
        doors.redis(&["AUTH", EVIL, "p"]);
        doors.redis(&[EVIL]);
        doors.redis(&["ECHO", EVIL]);
    });
    for (name, text) in &all {
        let steers = |c: char| {
            c != '\n' && c.is_control() || matches!(c, '\u{2028}' | '\u{202e}' | '\u{2066}')
        };
        let line = text.lines().find(|line| line.contains(steers));
        assert_eq!(line, None, "in {name}");
        let is_command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
        assert_eq!(text.lines().find(is_command), None, "in {name}");
    }
}
