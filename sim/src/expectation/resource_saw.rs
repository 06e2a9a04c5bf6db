//! `that.resource-saw`: which principals used a resource, and whether it refused them.

use std::{collections::BTreeSet, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::check::Check;
use crate::judge::{Entry, Evidence, Plan, Ruling, View, view::Window};
use crate::scenario::{Span, document::Place};
use crate::trace::Kind;
use crate::wording::counted;
use crate::world::World;

/// The principals that used a resource.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResourceSaw {
    /// Its name in `world.resources`.
    pub name: String,
    /// Exactly these principals, by object id, in any order. Default: not checked.
    pub principals: Option<Vec<String>>,
    /// How many uses it refused. Default: not checked.
    pub refused: Option<u32>,
    /// Uses at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Uses before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// A use of the resource, as it answered.
struct Use<'a> {
    answered: Entry<'a>,
    is_refused: bool,
    principal: Option<&'a str>,
}

impl Expectation for ResourceSaw {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        for (index, principal) in self.principals.iter().flatten().enumerate() {
            check.principal(principal, &place.key("principals").index(index));
        }
        if self.principals.is_none() && self.refused.is_none() {
            check
                .at_key(place, "this expects nothing of the resource")
                .label("neither `principals` nor `refused` is given")
                .expected("`principals` or `refused`")
                .help("add `principals = [\"<object id>\"]`, for example");
        }
        check.window(self.from, self.until, place, ["from", "until"]);
        if !check.resource(&self.name, &place.key("name")) {
            return;
        }
        let mut calls = check.rest.calls.iter();
        if !calls.any(|call| call.resource == Some(self.name.as_str())) {
            check
                .at_value(
                    &place.key("name"),
                    format!("no call uses the resource `{}`", self.name),
                )
                .label("so this is never tested")
                .help(format!(
                    "add a `[[call]]` with `do.use-resource = {{ resource = \"{}\" }}`",
                    self.name
                ));
        }
    }

    fn describe(&self) -> String {
        let mut text = format!("{}{} is used", self.name, self.window().words());
        if let Some(principals) = &self.principals {
            text += &format!(" by exactly {}", principals.join(", "));
        }
        if let Some(refused) = self.refused {
            text += &format!(", and refuses {}", counted(refused, "use"));
        }
        text
    }

    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn is_about_building(&self) -> bool {
        false
    }

    fn counts_at(&self, world: &World) -> Vec<(String, u16)> {
        world.hosts_of_resource(&self.name)
    }

    fn first_observable(&self, _plan: &Plan<'_>) -> Option<Duration> {
        Some(self.from.0)
    }

    fn may_change(&self, view: &View<'_>, ruling: &Ruling) -> bool {
        // One more use may be by another principal, or be refused.
        ruling.is_held() && view.ends_before(self.until)
    }

    fn scale(&mut self, by: Scale) {
        by.window(&mut self.from, &mut self.until);
    }

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl ResourceSaw {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, None)
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let window = self.window();
        let lane = format!("resource.{}", self.name);
        let uses: Vec<Use<'_>> = view
            .lane(&lane)
            .filter(|event| window.holds(event.at))
            .filter_map(|answered| match &answered.event.kind {
                Kind::RequestAnswered {
                    status, principal, ..
                } => Some(Use {
                    answered,
                    is_refused: *status != Some(200),
                    principal: principal.as_deref(),
                }),
                _ => None,
            })
            .collect();
        let seen: BTreeSet<&str> = uses.iter().filter_map(|one| one.principal).collect();
        let refused = uses.iter().filter(|one| one.is_refused).count();
        let list = seen.iter().copied().collect::<Vec<_>>().join(", ");
        let found = format!(
            "{} by {}, {refused} of them refused",
            counted(uses.len(), "use"),
            if list.is_empty() {
                "no principal"
            } else {
                &list
            }
        );
        let principals_fit = self.principals.as_ref().is_none_or(|principals| {
            let wanted: BTreeSet<&str> = principals.iter().map(String::as_str).collect();
            wanted == seen
        });
        let refusals_fit = self.refused.is_none_or(|wanted| wanted as usize == refused);
        if !uses.is_empty() && principals_fit && refusals_fit {
            Ruling::holds(found)
        } else {
            Ruling::fails(found, Evidence::of(uses.iter().map(|one| one.answered)))
        }
    }
}
