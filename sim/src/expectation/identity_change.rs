//! `that.identity-change`: whether and how a credential reports that another identity answers.

use crate::judge::{Evidence, Finding, view::Window};
use crate::{
    judge::{Run, Side},
    scenario::{ChangeIs, IdentityChange},
    trace::{Event, Kind},
};

const NAME: &str = "identity-change";

pub(crate) fn judge(run: &Run, wanted: &IdentityChange) -> Finding {
    let window = Window::new(wanted.from, wanted.until, None);
    let fits = |event: &&Event| {
        let Kind::IdentityChanged {
            from, to, refused, ..
        } = &event.kind
        else {
            return false;
        };
        let named = |name: &Option<String>, identity: &str| {
            name.as_ref()
                .is_none_or(|name| identity.split(' ').next() == Some(name))
        };
        window.holds(event.at)
            && named(&wanted.from_credential, from)
            && named(&wanted.to_credential, to)
            && match wanted.is {
                ChangeIs::Absent => true,
                ChangeIs::Reported => !refused,
                ChangeIs::Refused => *refused,
            }
    };
    let changes: Vec<&Event> = run.trace.events.iter().filter(fits).collect();
    let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
    let holds = match (wanted.is, wanted.times) {
        (ChangeIs::Absent, _) => count == 0,
        (_, Some(times)) => count == times,
        (_, None) => count > 0,
    };
    let expected = expected(wanted, &window);
    if let Some(reason) = run.sight.lacks(&[Side::Reports]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    let found = match count {
        0 => "there is none".to_owned(),
        1 => "there is one".to_owned(),
        count => format!("there are {count}"),
    };
    if holds {
        Finding::holds(NAME, found, expected)
    } else if changes.is_empty() {
        let close = |event: &&Event| matches!(event.kind, Kind::IdentityChanged { .. });
        let close: Vec<&Event> = run.trace.events.iter().filter(close).collect();
        Finding::fails(NAME, found, expected, Evidence::of(close))
    } else {
        Finding::fails(NAME, found, expected, Evidence::of(changes))
    }
}

fn expected(wanted: &IdentityChange, window: &Window) -> String {
    let change = match wanted.is {
        ChangeIs::Absent => "no change of identity",
        ChangeIs::Reported => "a reported change of identity",
        ChangeIs::Refused => "a refused change of identity",
    };
    let mut text = change.to_owned();
    if let Some(from) = &wanted.from_credential {
        text += &format!(" from {from}");
    }
    if let Some(to) = &wanted.to_credential {
        text += &format!(" to {to}");
    }
    text += &window.words();
    if let Some(times) = wanted.times {
        text += &format!(", {times} times");
    }
    text
}
