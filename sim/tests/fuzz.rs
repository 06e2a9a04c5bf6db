//! The fuzz targets: every file of their corpora (`sim/fuzz/corpus`), and mutations of them drawn
//! at random. What parses bytes of a client, of a server or of a file survives all of it.
//!
//! `CREDSIM_FUZZ=1000000 cargo test --release --test fuzz` tries so many mutations for each target.
//! With `CREDSIM_FUZZ_KEEP=40` an input with a new outcome is made small and becomes a file of the
//! corpus, until there are 40. `sim/fuzz` has the same targets for libFuzzer.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
#![allow(
    clippy::disallowed_methods,
    reason = "the corpus is on this machine, and so is the number of mutations"
)]

use std::{
    collections::BTreeSet,
    env, fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use credsim::{live, service::redis, simulation};
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};

/// Something that is given any bytes.
struct Target {
    /// The name of its corpus.
    name: &'static str,
    /// Panics where the bytes show a defect. Returns what they came to.
    survives: fn(&[u8]) -> String,
    /// How many mutations are tried, unless the environment says otherwise. Reading a scenario
    /// takes a hundred times as long as the others.
    mutations: u64,
    /// What a mutation may insert.
    words: &'static [&'static str],
}

const HEAD: Target = Target {
    name: "head",
    survives: live::head_survives,
    mutations: 20_000,
    words: &[
        "GET ",
        "CONNECT ",
        "http://",
        "https://",
        "login.microsoftonline.com",
        ":443",
        ":99999",
        "[::1]",
        "user@",
        "/a?b#c",
        " HTTP/1.1",
        " HTTP/1.0",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "Host: a\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Proxy-Authorization: x\r\n",
        "\u{e9}: \u{e9}\r\n",
        "\t",
        "\0",
    ],
};

const CHUNKED: Target = Target {
    name: "chunked",
    survives: live::chunked_survives,
    mutations: 20_000,
    words: &[
        "0\r\n",
        "\r\n",
        "\n",
        "\r",
        "1\r\nx\r\n",
        "A\r\n0123456789\r\n",
        "ffffffffffffffff\r\n",
        "00000000000000000",
        ";name=value",
        ";\"\r\n\"",
        "Trailer: x\r\n",
        " ",
        "\t",
        "-1",
        "0x1",
    ],
};

const RESP: Target = Target {
    name: "resp",
    survives: redis::resp_survives,
    mutations: 20_000,
    words: &[
        "*1\r\n$4\r\nPING\r\n",
        "*2\r\n",
        "*-1\r\n",
        "*1048577\r\n",
        "$-1\r\n",
        "$3\r\nGET\r\n",
        "$536870913\r\n",
        "$16385\r\n",
        "\r\n",
        "\n",
        "+OK\r\n",
        "-ERR\r\n",
        ":1\r\n",
        ":9223372036854775808\r\n",
        "_\r\n",
        ",1.5\r\n",
        ",inf\r\n",
        ",nan\r\n",
        "#t\r\n",
        "(123\r\n",
        "=7\r\ntxt:abc\r\n",
        "!3\r\nERR\r\n",
        "%1\r\n+a\r\n:1\r\n",
        "~1\r\n:1\r\n",
        ">1\r\n+x\r\n",
        "|1\r\n+a\r\n+b\r\n",
        "PING\r\n",
        "SET \"a\\x00\" 'b'\r\n",
    ],
};

const SCENARIO: Target = Target {
    name: "scenario",
    survives: simulation::scenario_survives,
    mutations: 400,
    words: &[
        "title = \"t\"\n",
        "story = \"s\"\n",
        "facts = [\"MI-54\"]\n",
        "seeds = 2\n",
        "[world]\n",
        "start = \"2026-01-01T00:00:00Z\"\n",
        "lasts = \"1m\"\n",
        "[world.imds]\n",
        "[world.entra]\n",
        "[world.az]\n",
        "[world.redis]\n",
        "[subject]\n",
        "credential.default = {}\n",
        "credential.managed-identity = {}\n",
        "credential.chain = { of = [{ azure-cli = {} }] }\n",
        "[[at]]\ntime = \"1s\"\n",
        "do.fault = { name = \"f\", on.imds = {}, then.reply = { status = 500 } }\n",
        "[[call]]\n",
        "every = \"5s\"\n",
        "do.get-token = { scopes = [\"https://vault.azure.net/.default\"] }\n",
        "[[expect]]\n",
        "that.tokens = { exactly = 1 }\n",
        "that.requests = { to.imds = {}, at-most = 6 }\n",
        "[[known-failure]]\n",
        "\"",
        "'''",
        "{}",
        "[]",
        "-1",
        "99999999999999999999",
        "\"36500d\"",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{feff}",
    ],
};

/// The longest input: what matters happens within it.
const LONGEST: usize = 4 << 10;

fn corpus(target: &Target) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    folder.join(target.name)
}

/// The files of the corpus, in the order of their names.
fn files(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(corpus(target)).expect("the corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("a file");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

fn setting(name: &str) -> Option<u64> {
    env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

fn below(rng: &mut TestRng, limit: usize) -> usize {
    usize::try_from(rng.next_u64() % (limit.max(1) as u64)).unwrap()
}

/// A part of so many bytes: mostly a short one.
fn part(rng: &mut TestRng, length: usize) -> std::ops::Range<usize> {
    let start = below(rng, length + 1);
    let most = if below(rng, 4) == 0 { length } else { 8 };
    start..(start + 1 + below(rng, most)).min(length).max(start)
}

/// An input of the corpus, changed in one to eight places.
fn mutation(rng: &mut TestRng, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = corpus[below(rng, corpus.len())].clone();
    for _ in 0..=below(rng, 8) {
        let at = part(rng, bytes.len());
        match below(rng, 7) {
            0 => drop(bytes.drain(at)),
            1 => {
                let copy = bytes[at.clone()].to_vec();
                drop(bytes.splice(at.start..at.start, copy));
            }
            2 | 3 => {
                let word = words[below(rng, words.len())].bytes();
                drop(bytes.splice(at.start..at.start, word));
            }
            4 => {
                let other = &corpus[below(rng, corpus.len())];
                let from = part(rng, other.len());
                drop(bytes.splice(at, other[from].iter().copied()));
            }
            5 => {
                let byte = rng.next_u64().to_le_bytes()[0];
                drop(bytes.splice(at, [byte]));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at.start) {
                    *byte ^= 1 << below(rng, 8);
                }
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

/// What the bytes come to; none if the target panics.
fn outcome(target: &Target, bytes: &[u8]) -> Option<String> {
    catch_unwind(|| (target.survives)(bytes)).ok()
}

/// The input without each part that does not change its outcome.
fn small(target: &Target, mut bytes: Vec<u8>) -> Vec<u8> {
    let wanted = outcome(target, &bytes);
    let mut length = bytes.len().next_power_of_two();
    while length > 0 {
        let mut at = 0;
        while at < bytes.len() {
            let mut less = bytes.clone();
            drop(less.drain(at..(at + length).min(bytes.len())));
            if outcome(target, &less) == wanted {
                bytes = less;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    bytes
}

/// Writes an input beside the others, under a name that tells its outcome.
fn keep(target: &Target, outcome: &str, bytes: &[u8]) {
    let mut name = String::new();
    for letter in outcome.to_lowercase().chars() {
        let is_plain = letter.is_ascii_alphanumeric();
        if is_plain || !name.ends_with('-') {
            name.push(if is_plain { letter } else { '-' });
        }
    }
    name.truncate(50);
    let name = name.trim_matches('-');
    let paths = (1..).map(|number| match number {
        1 => corpus(target).join(name),
        _ => corpus(target).join(format!("{name}-{number}")),
    });
    let path = paths.into_iter().find(|path| !path.exists()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn survives(target: &Target) {
    let files = files(target);
    let most = setting("CREDSIM_FUZZ_KEEP").unwrap_or(0);
    assert!(most > 0 || files.len() >= 20, "there is a corpus");
    let mut seen = BTreeSet::new();
    let mut corpus = Vec::new();
    for (path, bytes) in files {
        let outcome = outcome(target, &bytes);
        seen.insert(outcome.unwrap_or_else(|| panic!("{} panics", path.display())));
        corpus.push(bytes);
    }
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[13; 32]);
    for _ in 0..setting("CREDSIM_FUZZ").unwrap_or(target.mutations) {
        let bytes = mutation(&mut rng, &corpus, target.words);
        let Some(outcome) = outcome(target, &bytes) else {
            let bytes = small(target, bytes);
            let path = format!("{}/fuzz-{}", env!("CARGO_TARGET_TMPDIR"), target.name);
            fs::write(&path, &bytes).unwrap();
            let text = bytes.escape_ascii();
            panic!("{} does not survive {path}: {text}", target.name);
        };
        if (corpus.len() as u64) < most && seen.insert(outcome.clone()) {
            let bytes = small(target, bytes);
            keep(target, &outcome, &bytes);
            corpus.push(bytes);
        }
    }
}

#[test]
fn the_head_parser_survives_any_bytes() {
    survives(&HEAD);
}

#[test]
fn the_chunked_reader_survives_any_bytes() {
    survives(&CHUNKED);
}

#[test]
fn the_resp_codec_survives_any_bytes() {
    survives(&RESP);
}

#[test]
fn the_scenario_parser_survives_any_bytes() {
    survives(&SCENARIO);
}
