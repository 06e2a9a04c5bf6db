//! What a service or a command does wrong, and when. First matching rule wins, in the order of
//! installation.

use schemars::JsonSchema;
use serde::Deserialize;

use std::sync::Arc;

use crate::wording::{Number, times};
use crate::{
    fault::{
        FaultRule, Matcher as _,
        effect::{FaultThen, TargetOf},
    },
    scenario::Span,
    world::{self, FaultOn},
};

/// A rule: which requests, and what happens to them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Its name, by which the trace and `do.lift` know it.
    pub name: String,
    /// Which requests or commands.
    pub on: FaultOn,
    /// What happens to them.
    pub then: FaultThen,
    /// Only the first so many matches; then the rule passes. Default: all.
    pub first: Option<u32>,
    /// Leaves the first so many matches alone. Default: none.
    #[serde(default)]
    pub skip: u32,
    /// How likely it strikes at each match, drawn from the seed. Default: 1.0.
    pub probability: Option<f64>,
    /// Lifts itself after this long. Default: stays until lifted.
    pub lasts: Option<Span>,
    /// The tokens in its answer that count as issued in this world: opaque ones of another service,
    /// which a client may hand out. Default: none, so that the invariant `issued-here` refuses
    /// them.
    #[serde(default)]
    pub issues: Vec<String>,
}

impl Fault {
    /// The rule that it installs.
    pub fn rule(&self) -> FaultRule {
        FaultRule {
            name: self.name.clone(),
            on: Arc::new(self.on.clone()),
            then: self.then.clone(),
            first: self.first,
            skip: self.skip,
            probability: self.probability,
            lasts: self.lasts.map(|lasts| lasts.0),
        }
    }

    /// What the effect needs to know of the target.
    pub(super) fn target(&self) -> TargetOf<'_> {
        TargetOf {
            key: self.on.key(),
            kind: self.on.kind(),
            presets: world::presets,
        }
    }

    /// Says which requests are struck, what happens to them, and how often.
    pub fn describe(&self) -> String {
        let mut text = format!(
            "{} {}",
            self.on.describe(Number::Many),
            self.then.describe(self.target())
        );
        if self.skip > 0 {
            text += &format!(", leaving the first {} alone", self.skip);
        }
        if let Some(first) = self.first {
            text += &format!(", {} in all", times(first));
        }
        if let Some(probability) = self.probability {
            text += &format!(", with probability {probability}");
        }
        if let Some(lasts) = self.lasts {
            text += &format!(", for {lasts}");
        }
        text
    }
}
