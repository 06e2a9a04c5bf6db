//! What must hold, in words.

use super::redis;
use crate::fault::Matcher as _;
use crate::{
    report::counted,
    scenario::{
        Attempts, ChangeIs, ErrorLike, IdentityChange, PassedOver, Requests, ResourceSaw, Span,
        That, TokenFrom, Waited,
    },
};

/// An expectation as a sentence without its full stop.
pub fn sentence(that: &That) -> String {
    match that {
        That::TokenFrom(expected) => token_from(expected),
        That::Error(expected) => error(expected),
        That::Requests(expected) => requests(expected),
        That::InFlight(expected) => format!(
            "never more than {} {} are under way at once",
            expected.at_most,
            expected.to.describe()
        ),
        That::Rate(expected) => format!(
            "never more than {} {} within {}",
            expected.at_most,
            expected.to.describe(),
            expected.per
        ),
        That::Attempts(expected) => attempts(expected),
        That::Waited(expected) => waited(expected),
        That::IdentityChange(expected) => identity_change(expected),
        That::PassedOver(expected) => passed_over(expected),
        That::Recovery(expected) => {
            let whom = expected.principal.as_ref().map(|who| format!(" as {who}"));
            format!(
                "calls succeed again{} within {} after the last change for the worse has ended",
                whom.unwrap_or_default(),
                expected.within
            )
        }
        That::ResourceSaw(expected) => resource_saw(expected),
        That::NotBuilt(expected) => {
            format!(
                "the credential can't be built{}",
                saying(&expected.contains)
            )
        }
        That::Tokens(expected) => format!(
            "the callers{} hold {} in all",
            window(expected.from, expected.until, None),
            counted(expected.exactly as usize, "token")
        ),
        That::Share(expected) => format!(
            "over all seeds, {} to {} of the calls succeed",
            percent(expected.at_least),
            percent(expected.at_most.unwrap_or(1.0))
        ),
        That::Percentile(expected) => format!(
            "over all seeds, {} % of the calls wait {} or less",
            expected.percentile, expected.at_most
        ),
        That::RedisReplies(expected) => {
            let window = window(expected.from, expected.until, expected.step);
            redis::replies(expected, &window)
        }
        That::RedisFailure(expected) => {
            let window = window(expected.from, expected.until, expected.step);
            redis::failure(expected, &window, &saying(&expected.contains))
        }
        That::RedisClosed(expected) => redis::closed(expected),
        That::RedisReceived(expected) => redis::received(expected),
        That::RedisReported(expected) => redis::reported(expected),
    }
}

fn token_from(expected: &TokenFrom) -> String {
    let mut text = format!(
        "every call{}",
        window(expected.from, expected.until, expected.step)
    );
    text += " gets a token";
    if let Some(credential) = &expected.credential {
        text += &format!(" from {credential}");
    }
    if let Some(principal) = &expected.principal {
        text += &format!(" as {principal}");
    }
    if let Some(least) = expected.valid_for_at_least {
        text += &format!(", valid for at least {least}");
    }
    if let Some(most) = expected.valid_for_at_most {
        text += &format!(", valid for at most {most}");
    }
    text
}

fn error(expected: &ErrorLike) -> String {
    let mut text = format!(
        "every call{}",
        window(expected.from, expected.until, expected.step)
    );
    text += " fails";
    if let Some(kind) = expected.kind {
        text += &format!(" as {}", kind.name());
    }
    if let Some(credential) = &expected.credential {
        text += &format!(" in {credential}");
    }
    text += &saying(&expected.contains);
    if let Some(at) = expected.retry_at {
        text += &format!(", to be asked again after {at}");
    }
    text
}

fn requests(expected: &Requests) -> String {
    let count = match (expected.exactly, expected.at_least, expected.at_most) {
        (Some(exactly), ..) => format!("exactly {exactly}"),
        (None, Some(least), Some(most)) => format!("{least} to {most}"),
        (None, Some(least), None) => format!("at least {least}"),
        (None, None, Some(most)) => format!("at most {most}"),
        (None, None, None) => "any number of".to_owned(),
    };
    let between = expected
        .between
        .map(|[from, until]| format!(" between {from} and {until}"));
    format!(
        "{count} {}{}",
        expected.to.describe(),
        between.unwrap_or_default()
    )
}

fn attempts(expected: &Attempts) -> String {
    let waits: Vec<String> = expected.waits.iter().map(Span::to_string).collect();
    let jitter = match expected.jitter {
        0.0 => ", exactly".to_owned(),
        jitter => format!(", give or take {}", percent(jitter)),
    };
    let service = expected.to.describe();
    format!(
        "{} {service}{}, with waits of {}{jitter}",
        expected.waits.len() + 1,
        window(expected.from, expected.until, None),
        if waits.is_empty() {
            "nothing".to_owned()
        } else {
            waits.join(", ")
        },
    )
}

fn waited(expected: &Waited) -> String {
    let callers = format!(
        "callers{}",
        window(expected.from, expected.until, expected.step)
    );
    match (expected.at_least, expected.at_most) {
        (Some(least), Some(most)) => format!("{callers} wait {least} to {most}"),
        (Some(least), None) => format!("{callers} wait at least {least}"),
        (None, Some(most)) => format!("{callers} wait {most} or less"),
        (None, None) => format!("{callers} wait"),
    }
}

fn identity_change(expected: &IdentityChange) -> String {
    let mut text = match (expected.is, expected.times) {
        (ChangeIs::Absent, _) => "there is no change of identity".to_owned(),
        (ChangeIs::Reported, None) => "the change of identity is reported".to_owned(),
        (ChangeIs::Reported, Some(1)) => "one change of identity is reported".to_owned(),
        (ChangeIs::Reported, Some(times)) => format!("{times} changes of identity are reported"),
        (ChangeIs::Refused, None) => "the change of identity is refused".to_owned(),
        (ChangeIs::Refused, Some(1)) => "one change of identity is refused".to_owned(),
        (ChangeIs::Refused, Some(times)) => format!("{times} changes of identity are refused"),
    };
    if let Some(from) = &expected.from_credential {
        text += &format!(" from {from}");
    }
    if let Some(to) = &expected.to_credential {
        text += &format!(" to {to}");
    }
    text += &window(expected.from, expected.until, None);
    text
}

fn passed_over(expected: &PassedOver) -> String {
    let mut text = format!("{} is passed over", expected.credential);
    text += &window(expected.from, expected.until, None);
    if let Some(because) = &expected.because {
        text += &format!(", because of `{because}`");
    }
    if let Some(most) = expected.took_at_most {
        text += &format!(", after {most} at most");
    }
    text
}

fn resource_saw(expected: &ResourceSaw) -> String {
    let mut parts = Vec::new();
    if let Some(principals) = &expected.principals {
        parts.push(match principals.as_slice() {
            [] => "is used by nobody".to_owned(),
            some => format!("is used by {}, by nobody else,", some.join(" and by ")),
        });
    }
    parts.extend(expected.refused.map(|refused| match refused {
        0 => "refuses nobody".to_owned(),
        some => format!("refuses {}", counted(some as usize, "use")),
    }));
    let window = window(expected.from, expected.until, None);
    let says = parts.join(" and ");
    format!(
        "the resource {}{window} {}",
        expected.name,
        says.trim_end_matches(',')
    )
}

fn saying(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
    if texts.is_empty() {
        String::new()
    } else {
        format!(", saying {}", texts.join(", then "))
    }
}

/// ` from 5d until 6d of step 2`, or nothing where the window is the whole world.
fn window(from: Span, until: Option<Span>, step: Option<usize>) -> String {
    let mut text = String::new();
    if let Some(step) = step {
        text += &format!(" of [[call]] {step}");
    }
    if !from.0.is_zero() {
        text += &format!(" from {from}");
    }
    if let Some(until) = until {
        text += &format!(" until {until}");
    }
    text
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 1e2)
}
