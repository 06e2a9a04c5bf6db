//! Patterns, as KEYS, SCAN and PSUBSCRIBE read them: `*`, `?`, `[a-z]`, `[^a]` and `\`.

/// How many steps one comparison may take: patterns with many stars would take for ever.
const MOST_STEPS: u32 = 1_000_000;

/// Whether `text` is one of those that `pattern` means. A pattern that takes too long to compare
/// means nothing.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut steps = MOST_STEPS;
    run(pattern, text, &mut steps).unwrap_or(false)
}

/// Without recursion: only the last star can have to take more.
fn run(mut pattern: &[u8], mut text: &[u8], steps: &mut u32) -> Option<bool> {
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        *steps = steps.checked_sub(1)?;
        if let [b'*', rest @ ..] = pattern {
            star = Some((rest, text));
            pattern = rest;
            continue;
        }
        let matched = match text.split_first() {
            None if pattern.is_empty() => return Some(true),
            None => return Some(false),
            Some((c, after)) => one(pattern, *c).map(|rest| (rest, after)),
        };
        match (matched, &mut star) {
            (Some((rest, after)), _) => (pattern, text) = (rest, after),
            (None, Some((rest, from))) => {
                let [_, shorter @ ..] = *from else {
                    return Some(false);
                };
                *from = shorter;
                (pattern, text) = (*rest, shorter);
            }
            (None, None) => return Some(false),
        }
    }
}

/// What remains of `pattern` if its first element means `c`.
fn one(pattern: &[u8], c: u8) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, c),
        [b'\\', escaped, rest @ ..] => (*escaped == c).then_some(rest),
        [plain, rest @ ..] => (*plain == c).then_some(rest),
    }
}

fn class(mut rest: &[u8], c: u8) -> Option<&[u8]> {
    let negated = if let [b'^', tail @ ..] = rest {
        rest = tail;
        true
    } else {
        false
    };
    let mut found = false;
    loop {
        match rest {
            [b'\\', escaped, tail @ ..] => {
                found |= *escaped == c;
                rest = tail;
            }
            [b']', tail @ ..] => {
                rest = tail;
                break;
            }
            [from, b'-', to, tail @ ..] => {
                let (from, to) = (from.min(to), from.max(to));
                found |= (from..=to).contains(&&c);
                rest = tail;
            }
            [plain, tail @ ..] => {
                found |= *plain == c;
                rest = tail;
            }
            [] => break,
        }
    }
    (found != negated).then_some(rest)
}
