//! The JavaScript driver around the published SDK, and the app without credsim that stands beside
//! it, with fake commands and a fake metadata service on this machine.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use credsim::subject::{Driver, Subject, driver::Limits};
use credsim_identity::{AccessToken, Error, ErrorKind, TokenRequest};
use libtest_mimic::Trial;

use super::{
    fake,
    support::{Case, block_on, build, environment, holds, scenario, soon},
};

const ALL: &[Case] = &[
    ("javascript/its-name-and-version", who_it_is),
    ("javascript/a-token-of-az", az),
    ("javascript/az-is-not-logged-in", logged_out),
    ("javascript/the-member-of-a-chain-that-answered", chain),
    (
        "javascript/a-chain-without-a-usable-member",
        no_usable_member,
    ),
    ("javascript/a-managed-identity", managed_identity),
    ("javascript/what-the-sdk-refuses-to-build", refused),
    ("javascript/az-ends-with-the-driver", hanging_az),
    ("javascript/the-app", app),
];

/// Skipped by name where the SDK is not installed; with `CREDSIM_REQUIRE` set, they fail instead.
pub fn trials() -> Vec<Trial> {
    let installed = folder().join("node_modules/@azure/identity").is_dir();
    let left_out = !installed && env::var_os("CREDSIM_REQUIRE").is_none();
    let trial = |(name, case): &Case| {
        let case = *case;
        let work = move || {
            if !installed {
                return Err("run sim/drivers/install first".into());
            }
            soon(case);
            Ok(())
        };
        Trial::test(*name, work).with_ignored_flag(left_out)
    };
    ALL.iter().map(trial).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers/javascript")
}

fn driver() -> Driver {
    let file = folder().join("driver.mjs");
    Driver::parse(&format!("node '{}'", file.display())).unwrap()
}

/// A temporary folder with an `az` that runs this script.
struct Commands(PathBuf);

impl Commands {
    fn new(name: &str, script: &str) -> Self {
        let folder = env::temp_dir().join(format!("credsim-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let az = folder.join("az");
        fs::write(&az, format!("#!/bin/sh\n{script}\n")).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(folder)
    }

    fn printing_a_token(name: &str) -> Self {
        let token = fake::token("a11ce");
        let printed = format!("{{\"accessToken\":\"{token}\",\"expires_on\":1800000000}}");
        Self::new(name, &format!("echo '{printed}'"))
    }

    /// Returns `PATH`: these folders, and those that a shell needs.
    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.0.display())
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn started(variables: &[(&str, &str)]) -> Arc<dyn Subject> {
    driver().start(&environment(variables)).unwrap().unwrap()
}

/// Gets one token from a new credential.
fn token(subject: &Arc<dyn Subject>, credential: &str) -> Result<AccessToken, Error> {
    let built = build(subject, &scenario(credential), &Arc::default())?;
    let request = TokenRequest::new(["https://vault.azure.net/.default"]);
    block_on(built.credential.get_token(&request))
}

fn who_it_is() {
    let driver = driver().probe(&[]).unwrap();
    assert_eq!(driver.name(), "azure-identity-js 4.13.1");
    for known in [
        "default = { retry.max-retries = 1 }",
        "client-secret = { client-id = \"a\", secret = \"s\" }",
        "chain = { of = [{ environment = {} }, { azure-developer-cli = {} }] }",
    ] {
        assert_eq!(driver.supports(&scenario(known)), Ok(()));
    }
    for (unknown, why) in [
        ("cached = { of.azure-cli = {} }", "caches in its own way"),
        (
            "default = { fallback-policy = \"refuse\" }",
            "whoever answers",
        ),
        (
            "default = { continue-after = \"failure\" }",
            "alone decides",
        ),
        (
            "managed-identity = { retry.retry-after-cap = \"1m\" }",
            "as long as",
        ),
    ] {
        holds(&driver.supports(&scenario(unknown)).unwrap_err(), &[why]);
    }
}

fn az() {
    let commands = Commands::printing_a_token("az");
    let subject = started(&[("PATH", &commands.path())]);
    let token = token(&subject, "azure-cli = {}").unwrap();
    assert_eq!(token.answered_by(), "AzureCliCredential");
    assert_eq!(token.expires_on().as_second(), 1_800_000_000);
    let principal = token.principal().unwrap().to_string();
    assert_eq!(principal, "alice@contoso.example (a11ce)");
    assert_eq!(subject.harness_failure(), None);
}

fn logged_out() {
    let commands = Commands::new("out", "echo \"Please run 'az login'\" >&2; exit 1");
    let subject = started(&[("PATH", &commands.path())]);
    let error = token(&subject, "azure-cli = {}").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.credential(), "AzureCliCredential");
    holds(
        error.message(),
        &["CredentialUnavailableError: ", "az login"],
    );
}

fn chain() {
    let commands = Commands::printing_a_token("chain");
    let subject = started(&[("PATH", &commands.path())]);
    let inner = "chain = { of = [{ azure-developer-cli = {} }, { azure-cli = {} }] }";
    let outer = format!("chain = {{ of = [{{ environment = {{}} }}, {{ {inner} }}] }}");
    for chain in [inner, &outer] {
        let token = token(&subject, chain).unwrap();
        assert_eq!(token.answered_by(), "AzureCliCredential", "{chain}");
    }
}

fn no_usable_member() {
    let subject = started(&[("PATH", "/usr/bin:/bin")]);
    let chain = "chain = { of = [{ environment = {} }, { azure-developer-cli = {} }] }";
    let error = token(&subject, chain).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    holds(
        &error.to_string(),
        &[
            "ChainedTokenCredential: AggregateAuthenticationError: ",
            "EnvironmentCredential is unavailable",
            "azd",
        ],
    );
}

/// Serves this status and body to every request, until the process ends.
fn metadata_service(status: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let head = BufReader::new(&stream).lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = (&stream).write_all(answer.as_bytes());
        }
    });
    address
}

fn managed_identity() {
    let (oid, expires_on) = (fake::token("m"), 4_000_000_000_u64);
    let body = format!(
        "{{\"access_token\":\"{oid}\",\"expires_on\":\"{expires_on}\",\"expires_in\":\"3600\",\
         \"token_type\":\"Bearer\"}}"
    );
    let answers = metadata_service("200 OK", body);
    let subject = started(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &answers)]);
    let token_of_it = token(&subject, "managed-identity = {}").unwrap();
    assert_eq!(token_of_it.answered_by(), "ManagedIdentityCredential");
    assert_eq!(token_of_it.principal().unwrap().object_id, "m");

    let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    let refuses = metadata_service("400 Bad Request", body.to_owned());
    let subject = started(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &refuses)]);
    let error = token(&subject, "managed-identity = {}").unwrap_err();
    // Ours reports `failed` here; this SDK reports `unavailable`.
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.code(), Some("invalid_request"));
    holds(error.message(), &["Identity not found"]);
}

fn refused() {
    let subject = started(&[]);
    let refused = |credential| token(&subject, credential).unwrap_err();
    let error = refused("default = { required-variables = [\"AZURE_CLIENT_ID\"] }");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    holds(
        &error.to_string(),
        &["Error: Required environment variable 'AZURE_CLIENT_ID'"],
    );
    let error =
        refused("client-secret = { tenant = \"no tenant!\", client-id = \"a\", secret = \"s\" }");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(subject.harness_failure(), None);
}

fn hanging_az() {
    let commands = Commands::new("hangs", "echo $$ > \"${0}.pid\"; exec sleep 60");
    let patient = Limits {
        farewell: Duration::from_secs(30),
        ..Limits::default()
    };
    let variables = environment(&[("PATH", &commands.path())]);
    let subject = driver().limits(patient).start(&variables);
    let subject = subject.unwrap().unwrap();
    let built = build(&subject, &scenario("azure-cli = {}"), &Arc::default()).unwrap();
    let request = TokenRequest::new(["https://vault.azure.net/.default"]);
    let file = commands.0.join("az.pid");
    let pid = block_on(async {
        let mut asking = built.credential.get_token(&request);
        loop {
            tokio::select! { biased;
                _ = &mut asking => panic!("az must hang"),
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
            let pid = fs::read_to_string(&file).ok();
            if let Some(pid) = pid.and_then(|text| text.trim().parse::<i32>().ok()) {
                return pid;
            }
        }
    });
    assert!(!super::ending::is_gone_now(pid));
    let asked_to_end = Instant::now();
    drop((built, subject));
    let took = asked_to_end.elapsed();
    assert!(
        took < Duration::from_secs(15),
        "the driver waits for az: {took:?}"
    );
    assert!(super::ending::is_gone(pid), "az {pid} is still there");
}

fn app() {
    let commands = Commands::printing_a_token("app");
    let output = Command::new("node")
        .arg(folder().join("app.mjs"))
        .args(["0.1", "2"])
        .env_clear()
        .env("PATH", commands.path())
        .env("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), 2, "{said}");
    for line in said.lines() {
        let known = " s  I am alice@contoso.example, until 2027-01-15T08:00:00.000Z";
        assert!(line.ends_with(known), "{line}");
    }
}
