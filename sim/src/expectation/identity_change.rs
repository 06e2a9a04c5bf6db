//! `that.identity-change`: whether and how a credential reports that another identity answers.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, count::Count, each_run};
use crate::check::Check;
use crate::judge::{Aspect, Entry, Evidence, Plan, Ruling, View, view::Window};
use crate::scenario::{Span, document::Place};
use crate::trace::Kind;
use crate::wording;
use crate::world::World;

/// What is reported about a change of identity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdentityChange {
    /// Whether and how.
    pub is: ChangeIs,
    /// How many times. Default: at least once.
    pub times: Option<u32>,
    /// The credential that answered before. Default: any.
    pub from_credential: Option<String>,
    /// The credential that answers now. Default: any.
    pub to_credential: Option<String>,
    /// Changes at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Changes before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// Whether and how a change of identity is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeIs {
    /// There is none.
    Absent,
    /// There is one, and it is reported.
    Reported,
    /// There would be one, and it is refused.
    Refused,
}

impl Expectation for IdentityChange {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        for (key, name) in [
            ("from-credential", &self.from_credential),
            ("to-credential", &self.to_credential),
        ] {
            if let Some(name) = name {
                check.credential(name, &place.key(key));
            }
        }
        if self.is == ChangeIs::Absent && self.times.is_some() {
            check
                .at_key(&place.key("times"), "what is absent has no number")
                .label("`is` says that there is none")
                .help("remove `times`");
        }
        if self.is == ChangeIs::Refused && !check.names.refuses {
            check
                .at_value(
                    &place.key("is"),
                    "no credential in this scenario refuses a change",
                )
                .label("the subject reports changes, and hands the token out")
                .help("set `fallback-policy = \"refuse\"` in the chain, or expect `reported`");
        }
        check.window(self.from, self.until, place, ["from", "until"]);
    }

    fn describe(&self) -> String {
        let change = match self.is {
            ChangeIs::Absent => "no change of identity",
            ChangeIs::Reported => "a reported change of identity",
            ChangeIs::Refused => "a refused change of identity",
        };
        let mut text = change.to_owned();
        if let Some(from) = &self.from_credential {
            text += &format!(" from {from}");
        }
        if let Some(to) = &self.to_credential {
            text += &format!(" to {to}");
        }
        text += &self.window().words();
        if let Some(times) = self.times {
            text += &format!(", {}", wording::times(times));
        }
        text
    }

    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn is_about_building(&self) -> bool {
        false
    }

    fn counts_at(&self, _world: &World) -> Vec<(String, u16)> {
        Vec::new()
    }

    fn first_observable(&self, _plan: &Plan<'_>) -> Option<Duration> {
        Some(self.from.0)
    }

    fn may_change(&self, view: &View<'_>, _ruling: &Ruling) -> bool {
        view.ends_before(self.until) && self.count().may_change(self.changes(view).len())
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

impl IdentityChange {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, None)
    }

    /// How many changes of this kind are wanted.
    fn count(&self) -> Count {
        match (self.is, self.times) {
            (ChangeIs::Absent, _) => Count::new(Some(0), None, None),
            (ChangeIs::Reported | ChangeIs::Refused, Some(times)) => {
                Count::new(Some(times), None, None)
            }
            (ChangeIs::Reported | ChangeIs::Refused, None) => Count::new(None, Some(1), None),
        }
    }

    /// The changes that it is about.
    fn changes<'a>(&self, view: &View<'a>) -> Vec<Entry<'a>> {
        let window = self.window();
        let changes = view.identity_changes();
        changes
            .filter(|event| window.holds(event.at) && self.is_about(&event.event.kind))
            .collect()
    }

    fn is_about(&self, kind: &Kind) -> bool {
        let Kind::IdentityChanged {
            from, to, refused, ..
        } = kind
        else {
            return false;
        };
        let named = |name: &Option<String>, identity: &str| {
            name.as_ref()
                .is_none_or(|name| identity.split(' ').next() == Some(name))
        };
        named(&self.from_credential, from)
            && named(&self.to_credential, to)
            && match self.is {
                ChangeIs::Absent => true,
                ChangeIs::Reported => !refused,
                ChangeIs::Refused => *refused,
            }
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        if let Some(reason) = view.run.visibility.lacks(&[Aspect::Reports]) {
            return Ruling::not_observed(reason);
        }
        let changes = self.changes(view);
        let found = match changes.len() {
            0 => "there is none".to_owned(),
            1 => "there is one".to_owned(),
            count => format!("there are {count}"),
        };
        if self.count().holds(changes.len()) {
            Ruling::holds(found)
        } else if changes.is_empty() {
            Ruling::fails(found, Evidence::of(view.identity_changes()))
        } else {
            Ruling::fails(found, Evidence::of(changes))
        }
    }
}
