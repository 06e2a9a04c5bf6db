//! A request as the trace tells it: without credentials, and with short values.

use bytes::Bytes;

use super::super::resp::shown;
use super::{Lookup, Spec, lookup};
use crate::redact::MASK;

/// The most arguments that are shown.
const MOST: usize = 12;

/// Whether a request logs a client in: AUTH, and HELLO with AUTH.
pub fn signs_in(args: &[Bytes]) -> bool {
    match lookup(args) {
        Lookup::Found(spec) => (0..args.len()).any(|number| is_secret(spec, args, number)),
        _ => false,
    }
}

/// The arguments of a request, its name left out: credentials are not shown.
pub fn arguments(args: &[Bytes]) -> Vec<String> {
    let Lookup::Found(spec) = lookup(args) else {
        // Whatever it is, it may be a credential whose command was misspelt.
        return args
            .iter()
            .skip(1)
            .take(MOST)
            .map(|arg| shown(arg))
            .collect();
    };
    let first = 1 + spec.name.matches('|').count();
    let mut shown: Vec<String> = args
        .iter()
        .enumerate()
        .skip(first)
        .take(MOST)
        .map(|(number, arg)| {
            if is_secret(spec, args, number) {
                MASK.to_owned()
            } else {
                shown(arg)
            }
        })
        .collect();
    let more = args.len().saturating_sub(first + MOST);
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown
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
