//! A request as the trace tells it: without credentials, and with short values.

use bytes::Bytes;

use super::{Lookup, Spec, lookup};
use crate::endpoint::{
    mask::{MASK, masked},
    redis::resp::shown,
};

/// Nobody reads more arguments than these.
const MOST: usize = 12;

/// The arguments of a request, its name left out: what logs somebody in is not told.
pub fn arguments(args: &[Bytes]) -> Vec<String> {
    let Lookup::Found(spec) = lookup(args) else {
        // Whatever it is, it may be a credential whose command was misspelt.
        return args
            .iter()
            .skip(1)
            .take(MOST)
            .map(|arg| value(arg))
            .collect();
    };
    let first = 1 + spec.name.matches('|').count();
    let mut told: Vec<String> = args
        .iter()
        .enumerate()
        .skip(first)
        .take(MOST)
        .map(|(number, arg)| {
            if is_secret(spec, args, number) {
                MASK.to_owned()
            } else {
                value(arg)
            }
        })
        .collect();
    let more = args.len().saturating_sub(first + MOST);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}

/// Of the arguments, those that are keys.
pub fn keys(args: &[Bytes]) -> Vec<String> {
    match lookup(args) {
        Lookup::Found(spec) => spec.keys_of(args).map(|key| value(key)).collect(),
        _ => Vec::new(),
    }
}

/// Whether an argument is a password: AUTH's last, or what follows the name after HELLO's AUTH.
fn is_secret(spec: &Spec, args: &[Bytes], number: usize) -> bool {
    match spec.name {
        "auth" => number + 1 == args.len() || number > 1,
        "hello" => number
            .checked_sub(2)
            .and_then(|option| args.get(option))
            .is_some_and(|option| option.eq_ignore_ascii_case(b"auth")),
        _ => false,
    }
}

fn value(arg: &[u8]) -> String {
    // Looked at whole: its beginning alone may not look like a token.
    let text = String::from_utf8_lossy(arg);
    if masked(&text) == text {
        shown(arg)
    } else {
        MASK.to_owned()
    }
}
