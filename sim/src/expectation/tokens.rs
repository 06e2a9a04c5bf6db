//! `that.tokens`: how many different tokens the callers of a window hold.

use std::collections::BTreeSet;

use crate::judge::{
    Evidence, Finding,
    view::{CallEnd, Window},
};
use crate::{
    judge::{Run, Side},
    scenario::Tokens,
    trace::CallOutcome,
};

const NAME: &str = "tokens";

pub(crate) fn judge(run: &Run, wanted: &Tokens) -> Finding {
    let window = Window::new(wanted.from, wanted.until, None);
    let calls = window.calls(run);
    let tokens: BTreeSet<_> = calls
        .iter()
        .filter_map(|call| match &call.end {
            Some(CallEnd {
                outcome: CallOutcome::Token { token, .. },
                ..
            }) => Some(*token),
            _ => None,
        })
        .collect();
    let expected = format!(
        "the callers{} hold {} different tokens",
        window.words(),
        wanted.exactly
    );
    if let Some(reason) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    let found = format!("{} callers hold {}", calls.len(), tokens.len());
    if tokens.len() == wanted.exactly as usize {
        Finding::holds(NAME, found, expected)
    } else {
        let ends = calls
            .iter()
            .filter_map(|call| Some(call.end.as_ref()?.event));
        Finding::fails(NAME, found, expected, Evidence::of(ends))
    }
}
