//! Small worlds, drawn at random: in each of them the invariants hold. One in which they do not
//! shrinks to a scenario file that reproduces it.
//!
//! 120 worlds are played. `CREDSIM_WORLDS=10000 cargo test --release --test worlds` plays more.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
#![allow(
    clippy::disallowed_methods,
    reason = "the number of worlds comes from this machine, and a failure leaves its file there"
)]

use std::{env, fmt::Write as _, fs, path::PathBuf};

use credsim::simulation::{Played, Simulation};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

/// How many worlds are played, unless the environment says otherwise.
const WORLDS: u32 = 120;
/// How long each lasts, in seconds.
const LASTS: u32 = 1_500;

const IDENTITY: &str = "5e29463d-0000-0000-0000-000000000001";
const APP: &str =
    "client-id = \"c11e07a0-0000-0000-0000-000000000001\", secret = \"not-a-real-secret\"";

#[derive(Clone, Copy, Debug)]
enum Member {
    ManagedIdentity,
    ClientSecret,
    AzureCli,
}

#[derive(Clone, Debug)]
enum Credential {
    Alone(Member),
    Chain(Vec<Member>),
    Default,
    Cached(Member),
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Status(u16, Option<u32>),
    Hang,
    Delay(u32),
    Reset(bool),
    Html(u16),
    Truncate,
}

#[derive(Clone, Debug)]
struct Fault {
    on: Member,
    then: Then,
    from: u32,
    lasts: Option<u32>,
    first: Option<u32>,
    probability: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Clock(i32),
    /// A person signs in to `az`, or out.
    Person,
    /// The identity is taken from the host, or given back.
    Identity,
}

#[derive(Clone, Debug)]
struct Caller {
    every: u32,
    from: u32,
    callers: u32,
    scope: u8,
    new_credential: bool,
}

#[derive(Clone, Debug)]
struct World {
    credential: Credential,
    imds_life: u32,
    entra_life: u32,
    signed_in: bool,
    faults: Vec<Fault>,
    changes: Vec<(u32, Change)>,
    callers: Vec<Caller>,
    seed: u64,
}

fn member() -> impl Strategy<Value = Member> {
    prop_oneof![
        3 => Just(Member::ManagedIdentity),
        3 => Just(Member::ClientSecret),
        1 => Just(Member::AzureCli),
    ]
}

fn credential() -> impl Strategy<Value = Credential> {
    prop_oneof![
        4 => member().prop_map(Credential::Alone),
        3 => prop::collection::vec(member(), 1..4).prop_map(Credential::Chain),
        2 => Just(Credential::Default),
        1 => member().prop_map(Credential::Cached),
    ]
}

fn then() -> impl Strategy<Value = Then> {
    let status = prop::sample::select(vec![
        400_u16, 401, 403, 404, 408, 410, 429, 500, 501, 502, 503, 504,
    ]);
    let wait = prop::option::of(prop::sample::select(vec![0_u32, 1, 7, 45, 300, 86_400]));
    prop_oneof![
        5 => (status.clone(), wait).prop_map(|(status, wait)| Then::Status(status, wait)),
        1 => Just(Then::Hang),
        1 => (1..40_u32).prop_map(Then::Delay),
        1 => any::<bool>().prop_map(Then::Reset),
        1 => status.prop_map(Then::Html),
        1 => Just(Then::Truncate),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    (
        prop_oneof![Just(Member::ManagedIdentity), Just(Member::ClientSecret)],
        then(),
        0..LASTS - 200,
        prop::option::weighted(0.7, 1..600_u32),
        prop::option::weighted(0.3, 1..20_u32),
        prop::option::weighted(0.3, 5..95_u8),
    )
        .prop_map(|(on, then, from, lasts, first, probability)| Fault {
            on,
            then,
            from,
            lasts,
            first,
            probability,
        })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => prop::sample::select(vec![-7_200, -60, -1, 1, 60, 300, 7_200]).prop_map(Change::Clock),
        2 => Just(Change::Person),
        2 => Just(Change::Identity),
    ]
}

fn caller() -> impl Strategy<Value = Caller> {
    (
        3..120_u32,
        0..300_u32,
        1..6_u32,
        0..2_u8,
        prop::bool::weighted(0.15),
    )
        .prop_map(|(every, from, callers, scope, new_credential)| Caller {
            every,
            from,
            callers,
            scope,
            new_credential,
        })
}

fn world() -> impl Strategy<Value = World> {
    let life = || prop::sample::select(vec![61_u32, 120, 299, 301, 600, 900, 3_600, 86_400]);
    (
        credential(),
        life(),
        life(),
        any::<bool>(),
        prop::collection::vec(fault(), 0..4),
        prop::collection::vec((1..LASTS - 1, change()), 0..4),
        prop::collection::vec(caller(), 1..4),
        1..1_000_u64,
    )
        .prop_map(
            |(credential, imds_life, entra_life, signed_in, faults, changes, callers, seed)| {
                World {
                    credential,
                    imds_life,
                    entra_life,
                    signed_in,
                    faults,
                    changes,
                    callers,
                    seed,
                }
            },
        )
}

impl Member {
    fn toml(self) -> String {
        match self {
            Self::ManagedIdentity => "managed-identity = {}".to_owned(),
            Self::ClientSecret => format!("client-secret = {{ {APP} }}"),
            Self::AzureCli => "azure-cli = {}".to_owned(),
        }
    }
}

impl Credential {
    fn toml(&self) -> String {
        match self {
            Self::Alone(member) => format!("credential.{}", member.toml()),
            Self::Chain(members) => {
                let members = members
                    .iter()
                    .map(|member| format!("{{ {} }}", member.toml()));
                let members: Vec<String> = members.collect();
                format!("credential.chain = {{ of = [{}] }}", members.join(", "))
            }
            Self::Default => "credential.default = {}".to_owned(),
            Self::Cached(member) => format!("credential.cached = {{ of.{} }}", member.toml()),
        }
    }
}

impl Then {
    fn toml(self) -> String {
        match self {
            Self::Status(status, None) => format!("reply = {{ status = {status} }}"),
            Self::Status(status, Some(wait)) => {
                format!("reply = {{ status = {status}, retry-after = \"{wait}\" }}")
            }
            Self::Hang => "hang = {}".to_owned(),
            Self::Delay(by) => {
                format!("delay = {{ by = {{ at-least = \"{by}s\", at-most = \"{by}s\" }} }}")
            }
            Self::Reset(before) => {
                let when = if before { "before" } else { "after" };
                format!("reset = {{ when = \"{when}\" }}")
            }
            Self::Html(status) => format!("reply = {{ status = {status}, body.html = {{}} }}"),
            Self::Truncate => "truncate = { after = 40 }".to_owned(),
        }
    }
}

impl Fault {
    fn toml(&self, number: usize) -> String {
        let on = match self.on {
            Member::ManagedIdentity | Member::AzureCli => "imds",
            Member::ClientSecret => "entra",
        };
        let mut text = format!(
            "[[at]]\ntime = \"{}s\"\ndo.fault = {{ name = \"fault {number}\", on.{on} = {{}}, then.{}",
            self.from,
            self.then.toml()
        );
        if let Some(lasts) = self.lasts {
            let _ = write!(text, ", lasts = \"{lasts}s\"");
        }
        if let Some(first) = self.first {
            let _ = write!(text, ", first = {first}");
        }
        if let Some(probability) = self.probability {
            let _ = write!(text, ", probability = 0.{probability:02}");
        }
        text + " }\n"
    }
}

/// What changes of a world turn on and off.
struct Switches {
    signed_in: bool,
    has_identity: bool,
}

impl Change {
    fn toml(self, now: &mut Switches) -> String {
        match self {
            Self::Clock(by) => format!("step-clock = {{ by = \"{by}s\" }}"),
            Self::Person => {
                now.signed_in = !now.signed_in;
                if now.signed_in {
                    "az-login = { account = \"alice@contoso.example\" }".to_owned()
                } else {
                    "az-logout = {}".to_owned()
                }
            }
            Self::Identity => {
                now.has_identity = !now.has_identity;
                if now.has_identity {
                    format!("assign-system-identity = {{ object-id = \"{IDENTITY}\" }}")
                } else {
                    format!("remove-identity = {{ object-id = \"{IDENTITY}\" }}")
                }
            }
        }
    }
}

impl World {
    /// The scenario file of this world, with an expectation of its own that holds in any.
    fn toml(&self) -> String {
        let mut text = format!(
            "title = \"A small world\"\nstory = \"Drawn at random.\"\n\n\
             [world]\nstart = \"2026-01-01T00:00:00Z\"\nlasts = \"{LASTS}s\"\n\n\
             [world.imds]\ntoken-life = \"{}s\"\nsystem-identity = {{ object-id = \"{IDENTITY}\" }}\n\n\
             [world.entra]\ntoken-life = \"{}s\"\n\
             apps = [{{ object-id = \"0b1ec700-0000-0000-0000-000000000001\", {APP} }}]\n\n\
             [world.accounts]\n\
             \"alice@contoso.example\" = {{ object-id = \"a11ce000-0000-0000-0000-000000000001\" }}\n\n\
             [world.az]\n",
            self.imds_life, self.entra_life
        );
        if self.signed_in {
            text += "account = \"alice@contoso.example\"\n";
        }
        let _ = write!(text, "\n[subject]\n{}\n", self.credential.toml());
        for (number, fault) in self.faults.iter().enumerate() {
            let _ = write!(text, "\n{}", fault.toml(number + 1));
        }
        let mut changes = self.changes.clone();
        changes.sort_by_key(|(time, _)| *time);
        let mut now = Switches {
            signed_in: self.signed_in,
            has_identity: true,
        };
        for (time, change) in changes {
            let change = change.toml(&mut now);
            let _ = write!(text, "\n[[at]]\ntime = \"{time}s\"\ndo.{change}\n");
        }
        for caller in &self.callers {
            let resource = ["https://vault.azure.net", "https://storage.azure.com"];
            let _ = write!(
                text,
                "\n[[call]]\nat = \"{}s\"\nevery = \"{}s\"\ncallers = {}\n{}\
                 do.get-token = {{ scopes = [\"{}/.default\"] }}\n",
                caller.from,
                caller.every,
                caller.callers,
                if caller.new_credential {
                    "credential = \"new\"\n"
                } else {
                    ""
                },
                resource[usize::from(caller.scope)]
            );
        }
        text + "\n[[expect]]\nwhy = \"it is about the invariants\"\n\
                that.requests = { to.imds = {}, at-most = 1_000_000 }\n"
    }
}

fn play(world: &World) -> Result<Played, String> {
    let simulation = Simulation::text("small-world", &world.toml());
    let simulation = simulation.map_err(|invalid| invalid.to_string())?;
    let played = simulation.seed(world.seed).play();
    played.map_err(|failure| failure.to_string())
}

/// Plays so many worlds. Returns the smallest that has a `problem`, as a file, with its seed.
fn smallest(worlds: u32, problem: impl Fn(&Played) -> Option<String>) -> Option<(World, String)> {
    let config = Config {
        cases: worlds,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let ended = TestRunner::new_with_rng(config, rng).run(&world(), |world| {
        let problem = play(&world).map_or_else(Some, |played| problem(&played));
        problem.map_or(Ok(()), |problem| Err(TestCaseError::fail(problem)))
    });
    match ended {
        Ok(()) => None,
        Err(TestError::Fail(reason, world)) => Some((world, reason.message().to_owned())),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// The first invariant that does not hold.
fn broken_invariant(played: &Played) -> Option<String> {
    let failed = played.verdict.failures().next()?;
    let evidence = failed.evidence.join("\n  ");
    Some(format!(
        "{}: expected {}, found {}\n  {evidence}",
        failed.name, failed.expected, failed.found
    ))
}

#[test]
fn the_invariants_hold_in_worlds_drawn_at_random() {
    let worlds = env::var("CREDSIM_WORLDS").map_or(WORLDS, |text| text.parse().expect("a number"));
    if let Some((world, problem)) = smallest(worlds, broken_invariant) {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("small-world.toml");
        fs::write(&path, world.toml()).unwrap();
        panic!(
            "{problem}\n{}\nreproduce: credsim run {} --seed {}",
            world.toml(),
            path.display(),
            world.seed
        );
    }
}

/// Worlds in which an invariant once did not hold, or was judged wrongly.
#[test]
fn the_invariants_hold_in_worlds_that_were_found() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/worlds");
    let mut played = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let simulation = Simulation::text("small-world", &text).unwrap();
        let problem = broken_invariant(&simulation.seed(1).play().unwrap());
        assert_eq!(problem, None, "{}", path.display());
        played += 1;
    }
    assert!(played > 1, "there are some");
}

#[test]
fn a_failure_shrinks_to_a_file_that_reproduces_it() {
    let failed_calls = |played: &Played| {
        let events = played.runs[0].trace.events.iter();
        let mut lines = events.map(credsim::trace::line);
        lines.find(|line| line.contains(" fails (failed)"))
    };
    let (world, _) = smallest(200, failed_calls).expect("a call fails in one of 200 worlds");
    let again = play(&world).expect("it is played again");
    assert!(failed_calls(&again).is_some(), "{}", world.toml());
    let is_small = world.callers.len() == 1 && world.faults.len() + world.changes.len() <= 1;
    assert!(is_small, "{}", world.toml());
}
