//! The events in the log, their levels, and that none holds a secret.

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential, Cached,
    ChainedTokenCredential, ClientSecretCredential, DefaultAzureCredential, EnvironmentCredential,
    ErrorKind, LogFilter, LogLevel, ManagedIdentityCredential, TokenCredential, TokenRequest,
    platform::TransportErrorKind,
};
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _};
use tracing_test::traced_test;

use crate::{
    puppet::{Puppet, Shared},
    stub::*,
};

fn the_line<'a>(lines: &[&'a str], words: &str) -> Result<&'a str, String> {
    lines
        .iter()
        .copied()
        .find(|line| line.contains(words))
        .ok_or_else(|| format!("no line says {words:?}"))
}

/// PR-04: the identity that answered at info, a change at warn, members passed over at debug.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn a_chain_logs_the_identity_that_answers() {
    let stub = Stub::new();
    stub.on_http(|_| Answer::Fails(TransportErrorKind::Unreachable));
    stub.on_command(|_| az_token("alice", 3600));
    let credential = DefaultAzureCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap();
    credential.get_token(&request()).await.unwrap();
    stub.on_http(|_| imds_token("vm", 86_400));
    // Found in the background (PR-07).
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    credential.get_token(&request()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    credential.get_token(&request()).await.unwrap();
    logs_assert(|lines: &[&str]| {
        let first = the_line(lines, "AzureCliCredential as alice")?;
        let change = the_line(lines, "identity changed")?;
        let passed_over = the_line(lines, "passed over")?;
        let fine = first.contains("INFO")
            && first.contains("answered")
            && change.contains("WARN")
            && change.contains("AzureCliCredential as alice")
            && change.contains("ManagedIdentityCredential as vm")
            && passed_over.contains("DEBUG");
        let changes = lines
            .iter()
            .filter(|line| line.contains("identity changed"))
            .count();
        if fine && changes == 1 {
            Ok(())
        } else {
            Err(format!("{lines:#?}"))
        }
    });
}

/// No level shows a secret: no token, no client secret, none that a service repeats.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn no_secret_is_ever_logged() {
    let (secret, token) = ("the-client-secret", jwt("app"));
    let stub = Stub::new();
    let answers = [
        reply(503, format!("cannot sign in with {secret}")),
        reply(
            401,
            format!(r#"{{"error":"invalid_client","error_description":"{secret}"}}"#),
        ),
        reply(200, format!(r#"{{"access_token":"{token}""#)),
        reply(
            200,
            format!(r#"{{"access_token":"{token}","expires_in":3599}}"#),
        ),
    ];
    let mut answers = answers.into_iter();
    stub.on_http(move |_| answers.next().unwrap_or(Answer::Hangs));
    let credential = ClientSecretCredential::builder("tenant", "client", secret)
        .platform(stub.platform())
        .build()
        .unwrap();
    for _ in 0..4 {
        let _ = credential.get_token(&request()).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let text = token.clone();
    stub.on_command(move |_| printed(&format!(r#"{{"accessToken":"{text}"}}"#)));
    let az = AzureCliCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap();
    let chain = credsim_identity::ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(az)
        .shared(Arc::new(credential))
        .continue_after(credsim_identity::ContinueAfter::Failure)
        .build()
        .unwrap();
    chain.get_token(&request()).await.unwrap();
    logs_assert(|lines: &[&str]| {
        the_line(lines, "answered")?;
        match lines
            .iter()
            .find(|line| line.contains(secret) || line.contains(&token))
        {
            Some(line) => Err(format!("a secret is in: {line}")),
            None => Ok(()),
        }
    });
}

/// The lines of this crate at info, and none of them with a word that is not to be logged.
fn at_info<'a>(lines: &[&'a str], hidden: &[&str]) -> Result<Vec<&'a str>, String> {
    if let Some(line) = (lines.iter()).find(|line| hidden.iter().any(|word| line.contains(word))) {
        return Err(format!("what is not to be logged is in: {line}"));
    }
    let targets = ["credsim_identity::http", "credsim_identity::command"];
    let ours = |line: &&&str| {
        line.contains(" INFO ") && targets.iter().any(|target| line.contains(target))
    };
    Ok(lines.iter().filter(ours).copied().collect())
}

/// Whether the `at`th line holds all these words.
fn says(lines: &[&str], at: usize, words: &[&str]) -> Result<(), String> {
    match lines.get(at) {
        Some(line) if words.iter().all(|word| line.contains(word)) => Ok(()),
        _ => Err(format!("line {at} does not say {words:?}: {lines:#?}")),
    }
}

#[traced_test]
#[tokio::test(start_paused = true)]
async fn a_managed_identity_logs_each_attempt_and_the_answer() {
    let stub = Stub::new();
    let mut first = true;
    stub.on_http(move |_| match std::mem::take(&mut first) {
        true => reply(503, "busy"),
        false => imds_token("vm", 86_400),
    });
    let builder = ManagedIdentityCredential::builder().platform(stub.platform());
    builder
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap();
    logs_assert(|lines: &[&str]| {
        let lines = at_info(lines, &[&jwt("vm"), "resource=", "busy"])?;
        let to = "host=\"169.254.169.254\" path=\"/metadata/identity/oauth2/token\"";
        says(&lines, 0, &["request", "method=\"GET\"", to, "attempt=1"])?;
        says(&lines, 1, &["request", to, "attempt=2"])?;
        says(&lines, 2, &["response", to, "status=200", "attempts=2"])?;
        match lines.len() {
            3 => Ok(()),
            _ => Err(format!("{lines:#?}")),
        }
    });
}

#[traced_test]
#[tokio::test(start_paused = true)]
async fn an_application_logs_its_request_without_its_secret() {
    let stub = Stub::new()
        .var("AZURE_TENANT_ID", "contoso.example")
        .var("AZURE_CLIENT_ID", "client")
        .var("AZURE_CLIENT_SECRET", "the-client-secret");
    let body = format!(r#"{{"access_token":"{}","expires_in":3599}}"#, jwt("app"));
    stub.on_http(move |_| reply(200, body.clone()));
    let secret = ClientSecretCredential::builder("contoso.example", "client", "the-client-secret");
    let secret = secret.platform(stub.platform()).build().unwrap();
    let environment = EnvironmentCredential::builder().platform(stub.platform());
    let environment = environment.build().unwrap();
    for credential in [&secret as &dyn TokenCredential, &environment] {
        credential.get_token(&request()).await.unwrap();
    }
    logs_assert(|lines: &[&str]| {
        let lines = at_info(lines, &[&jwt("app"), "the-client-secret", "grant_type"])?;
        let to = "host=\"login.microsoftonline.com\" path=\"/contoso.example/oauth2/v2.0/token\"";
        for at in [0, 2] {
            says(&lines, at, &["request", "method=\"POST\"", to, "attempt=1"])?;
            says(
                &lines,
                at + 1,
                &["response", to, "status=200", "attempts=1"],
            )?;
        }
        Ok(())
    });
}

#[traced_test]
#[tokio::test(start_paused = true)]
async fn an_unanswered_request_and_a_probe_are_logged() {
    let stub = Stub::new();
    let builder = DefaultAzureCredential::builder().platform(stub.platform());
    builder
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap_err();
    stub.on_http(|_| Answer::Hangs);
    let builder = DefaultAzureCredential::builder().platform(stub.platform());
    builder
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap_err();
    logs_assert(|lines: &[&str]| {
        let lines = at_info(lines, &[])?;
        let http: Vec<&str> = (lines.into_iter().filter(|line| line.contains("::http"))).collect();
        says(&http, 0, &["request", "169.254.169.254"])?;
        says(&http, 1, &["no response", "attempts=1", "error="])?;
        says(&http, 2, &["request", "169.254.169.254"])?;
        says(&http, 3, &["no response", "no answer within 1 s"])
    });
}

#[traced_test]
#[tokio::test(start_paused = true)]
async fn a_developers_tool_logs_its_command_without_what_it_printed() {
    let stub = Stub::new();
    stub.on_command(|_| az_token("alice", 3600));
    let az = AzureCliCredential::builder().platform(stub.platform());
    let azd = AzureDeveloperCliCredential::builder().platform(stub.platform());
    let pwsh = AzurePowerShellCredential::builder().platform(stub.platform());
    az.build().unwrap().get_token(&request()).await.unwrap();
    // What az prints means nothing to these: they fail, and log the command all the same.
    let _ = azd.build().unwrap().get_token(&request()).await;
    let _ = pwsh.build().unwrap().get_token(&request()).await;
    logs_assert(|lines: &[&str]| {
        let lines = at_info(lines, &[&jwt("alice"), "vault.azure.net"])?;
        for (at, credential, program) in [
            (0, "AzureCliCredential", "az"),
            (2, "AzureDeveloperCliCredential", "azd"),
            (4, "AzurePowerShellCredential", "pwsh"),
        ] {
            let program = format!("program=\"{program}\"");
            let credential = format!("credential=\"{credential}\"");
            says(&lines, at, &["command", &credential, &program])?;
            says(
                &lines,
                at + 1,
                &["command ended", &credential, &program, "code=0"],
            )?;
        }
        Ok(())
    });
}

/// Counts the events that a filter lets through.
#[derive(Clone, Default)]
struct Counted(Arc<std::sync::atomic::AtomicUsize>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Counted {
    fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// The level is the one of `AZURE_LOG_LEVEL`, and another one while the application runs.
#[tokio::test(start_paused = true)]
async fn the_level_changes_at_run_time() {
    let stub = Stub::new().var("AZURE_LOG_LEVEL", "Warning");
    stub.on_http(|_| imds_token("vm", 86_400));
    let filter = LogFilter::from_environment(&stub.platform()).unwrap();
    assert_eq!(filter.level(), Some(LogLevel::Warning));
    let (shown, counted) = (filter.clone(), Counted::default());
    let layer = counted
        .clone()
        .with_filter(tracing_subscriber::filter::dynamic_filter_fn(
            move |metadata, _| shown.enabled(metadata),
        ));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let credential = ManagedIdentityCredential::builder().platform(stub.platform());
    let credential = credential.build().unwrap();
    for (level, events) in [
        (Some(LogLevel::Warning), 0),
        (Some(LogLevel::Info), 2),
        (None, 0),
        (Some(LogLevel::Verbose), 2),
    ] {
        filter.set_level(level);
        let before = counted.0.load(std::sync::atomic::Ordering::Relaxed);
        let request = TokenRequest::new([SCOPE]).with_force_refresh(true);
        credential.get_token(&request).await.unwrap();
        tracing::error!("an event of another crate");
        let after = counted.0.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(after - before, events, "{level:?}");
    }
}

#[test]
fn a_level_that_is_none_is_an_error_and_an_empty_one_is_not() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let _guard = runtime.enter();
    let set =
        |value| LogLevel::from_environment(&Stub::new().var("AZURE_LOG_LEVEL", value).platform());
    assert_eq!(set("verbose"), Ok(Some(LogLevel::Verbose)));
    assert_eq!(set(" "), Ok(None));
    assert_eq!(
        LogLevel::from_environment(&Stub::new().platform()),
        Ok(None)
    );
    assert!(set("debug").is_err());
}

/// PR-08: what describes a source by half is ignored, and that is worth a warning; what means
/// another source is not.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn half_of_a_configuration_is_a_warning() {
    const APPLICATION: [&str; 2] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"];
    let half = "describes half of a sign-in";
    let cases: [(&[&str], Option<&str>); 6] = [
        (&[], None),
        (&["AZURE_CLIENT_ID"], None),
        (&APPLICATION, Some(half)),
        (&["AZURE_USERNAME"], Some(half)),
        (
            &[APPLICATION[0], APPLICATION[1], "AZURE_FEDERATED_TOKEN_FILE"],
            None,
        ),
        (&["IDENTITY_ENDPOINT"], Some("IDENTITY_ENDPOINT alone")),
    ];
    let mut warnings = 0;
    for (variables, expected) in cases {
        let mut stub = Stub::new();
        for variable in variables {
            stub = stub.var(variable, "value");
        }
        let built = DefaultAzureCredential::builder()
            .platform(stub.platform())
            .build();
        built.unwrap();
        warnings += usize::from(expected.is_some());
        logs_assert(|lines: &[&str]| {
            let said: Vec<_> = lines.iter().filter(|line| line.contains("WARN")).collect();
            let last = said.last().map_or("", |line| line);
            let is_said = expected.is_none_or(|words| last.contains(words));
            if said.len() == warnings && is_said {
                Ok(())
            } else {
                Err(format!("{variables:?}: {said:#?}"))
            }
        });
    }
}

/// PR-04: of a change inside a chain the chain warns, and its member does not.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn a_change_inside_a_chain_is_one_warning() {
    let stub = Stub::new();
    let az = AzureCliCredential::builder().platform(stub.platform());
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(az.build().unwrap())
        .build()
        .unwrap();
    for person in ["alice", "bob"] {
        stub.on_command(move |_| az_token(person, 3600));
        chain.get_token(&request()).await.unwrap();
    }
    logs_assert(|lines: &[&str]| warnings_of_a_change(lines, 1));
}

/// The same for a member whose cache finds the change when it refreshes the token in the
/// background.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn a_change_in_the_cache_of_a_member_is_one_warning() {
    let stub = Stub::new();
    let member = Puppet::new("Member", Ok("alice"));
    let cached = Cached::on(stub.platform(), Shared(member.clone()));
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(cached)
        .build()
        .unwrap();
    chain.get_token(&request()).await.unwrap();
    member.will(Ok("bob"));
    tokio::time::sleep(Duration::from_secs(56 * 60)).await;
    for _ in 0..2 {
        chain.get_token(&request()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(member.asked(), 2);
    logs_assert(|lines: &[&str]| warnings_of_a_change(lines, 1));
}

/// The same for a member that comes back with another identity, which a background walk finds.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn a_change_found_in_the_background_is_one_warning() {
    let stub = Stub::new();
    let [first, second] = ["First", "Second"].map(|name| Puppet::new(name, Ok("alice")));
    let cached = |puppet: &Arc<Puppet>| Cached::on(stub.platform(), Shared(puppet.clone()));
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(cached(&first))
        .credential(cached(&second))
        .build()
        .unwrap();
    let answered_by = async || {
        let token = chain.get_token(&request()).await.unwrap();
        token.answered_by().to_owned()
    };
    assert_eq!(answered_by().await, "First");
    first.will(Err(ErrorKind::Unavailable));
    tokio::time::sleep(Duration::from_secs(61 * 60)).await;
    assert_eq!(answered_by().await, "Second");
    logs_assert(|lines: &[&str]| warnings_of_a_change(lines, 1));
    first.will(Ok("bob"));
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        answered_by().await;
    }
    assert_eq!(answered_by().await, "First");
    logs_assert(|lines: &[&str]| warnings_of_a_change(lines, 2));
}

fn warnings_of_a_change(lines: &[&str], expected: usize) -> Result<(), String> {
    let changes = lines.iter().filter(|it| it.contains("identity changed"));
    let warnings = changes.filter(|it| it.contains("WARN")).count();
    if warnings == expected {
        Ok(())
    } else {
        Err(format!("{warnings} warnings: {lines:#?}"))
    }
}
