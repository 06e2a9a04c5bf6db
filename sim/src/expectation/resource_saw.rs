//! `that.resource-saw`: as whom a resource was used, and whether it let them.

use std::collections::BTreeSet;

use crate::judge::{Evidence, Finding, view::Window};
use crate::{
    judge::Run,
    scenario::ResourceSaw,
    trace::{Event, Kind},
};

const NAME: &str = "resource-saw";

pub(crate) fn judge(run: &Run, wanted: &ResourceSaw) -> Finding {
    let window = Window::new(wanted.from, wanted.until, None);
    let endpoint = format!("resource.{}", wanted.name);
    let uses: Vec<(&Event, Option<u16>, Option<&str>)> = run
        .trace
        .journal(&endpoint)
        .filter(|event| window.holds(event.at))
        .filter_map(|event| match &event.kind {
            Kind::RequestAnswered {
                status, principal, ..
            } => Some((event, *status, principal.as_deref())),
            _ => None,
        })
        .collect();
    let seen: BTreeSet<&str> = uses
        .iter()
        .filter_map(|(_, _, principal)| *principal)
        .collect();
    let refused = uses
        .iter()
        .filter(|(_, status, _)| *status != Some(200))
        .count();
    let mut expected = format!("{}{} is used", wanted.name, window.words());
    if let Some(principals) = &wanted.principals {
        expected += &format!(" by exactly {}", principals.join(", "));
    }
    if let Some(refused) = wanted.refused {
        expected += &format!(", and refuses {refused} uses");
    }
    let list = seen.iter().copied().collect::<Vec<_>>().join(", ");
    let found = format!(
        "{} uses by {}, {refused} of them refused",
        uses.len(),
        if list.is_empty() { "nobody" } else { &list }
    );
    let principals_fit = wanted.principals.as_ref().is_none_or(|principals| {
        principals
            .iter()
            .map(String::as_str)
            .collect::<BTreeSet<_>>()
            == seen
    });
    let refusals_fit = wanted
        .refused
        .is_none_or(|wanted| wanted as usize == refused);
    if !uses.is_empty() && principals_fit && refusals_fit {
        Finding::holds(NAME, found, expected)
    } else {
        Finding::fails(
            NAME,
            found,
            expected,
            Evidence::of(uses.iter().map(|(event, ..)| *event)),
        )
    }
}
