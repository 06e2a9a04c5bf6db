//! A request as the trace tells it: without credentials, and with short values.

use bytes::Bytes;

use super::super::resp::shown;
use super::{Lookup, lookup};
use crate::redact::{MASK, hides_reply, redis_secrets, without_echo};

/// The most arguments that are shown.
const MOST: usize = 12;

/// Whether a request logs a client in: AUTH, and HELLO with AUTH.
pub fn signs_in(args: &[Bytes]) -> bool {
    let Lookup::Found(spec) = lookup(args) else {
        return false;
    };
    match spec.name {
        "auth" => args.len() > 1,
        "hello" => {
            let options = args.iter().take(args.len().saturating_sub(2)).skip(1);
            options
                .into_iter()
                .any(|option| option.eq_ignore_ascii_case(b"auth"))
        }
        _ => false,
    }
}

/// The arguments of a request, its name left out: secrets are not shown.
pub fn arguments(args: &[Bytes]) -> Vec<String> {
    let (first, is_known) = match lookup(args) {
        Lookup::Found(spec) => (1 + spec.name.matches('|').count(), true),
        Lookup::Unknown(_) | Lookup::Quit | Lookup::Attack => (1, false),
    };
    let secrets = redis_secrets(&words(args).iter().map(String::as_str).collect::<Vec<_>>());
    let is_secret = |number: usize| secrets.get(number).copied().unwrap_or_default();
    let mut all: Vec<String> = args
        .iter()
        .enumerate()
        .skip(first)
        .take(MOST)
        .map(|(number, arg)| {
            if is_secret(number) {
                MASK.to_owned()
            } else {
                shown(arg)
            }
        })
        .collect();
    let more = args.len().saturating_sub(first + MOST);
    if more > 0 && is_known {
        all.push(format!("and {more} more"));
    }
    all
}

/// A reply in short, without a secret that the request asks for or that an error repeats.
pub fn reply(args: &[Bytes], short: String, is_error: bool) -> String {
    let words = words(args);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_value = !is_error
        && !matches!(
            short.as_str(),
            "OK" | "QUEUED" | "nil" | "(waits)" | "(nothing)"
        );
    if is_value && hides_reply(&words) {
        MASK.to_owned()
    } else {
        without_echo(short, &words)
    }
}

/// The words of a request as texts.
fn words(args: &[Bytes]) -> Vec<String> {
    let text = |arg: &Bytes| String::from_utf8_lossy(arg).into_owned();
    args.iter().map(text).collect()
}
