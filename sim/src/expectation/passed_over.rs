//! `that.passed-over`: what the walk of a chain says about a member that did not answer.

use crate::judge::{
    Evidence, Finding,
    view::{Call, CallEnd, Window},
};
use crate::{
    judge::{Run, Side},
    scenario::PassedOver,
    trace::{CallOutcome, TriedMember, span},
};

const NAME: &str = "passed-over";

pub(crate) fn judge(run: &Run, wanted: &PassedOver) -> Finding {
    let window = Window::new(wanted.from, wanted.until, None);
    let calls = window.calls(run);
    let mut expected = format!(
        "every walk{} passes over {}",
        window.words(),
        wanted.credential
    );
    if let Some(because) = &wanted.because {
        expected += &format!(" because \"{because}\"");
    }
    if let Some(most) = wanted.took_at_most {
        expected += &format!(" within {most}");
    }
    if let Some(reason) = run.sight.lacks(&[Side::Calls, Side::Walks]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    // A call that was answered from the cache of the last answerer walked nowhere.
    let walks: Vec<(&Call<'_>, &[TriedMember])> = calls
        .iter()
        .filter_map(|call| Some((call, walk(call)?)))
        .collect();
    let mut wrong = walks.iter().filter_map(|(call, members)| {
        let member = members
            .iter()
            .find(|member| member.credential == wanted.credential);
        Some((call, fault(run, member, wanted)?))
    });
    match (walks.is_empty(), wrong.next()) {
        (true, _) => Finding::fails(NAME, "no call walks the chain", expected, Evidence::none()),
        (false, None) => Finding::holds(NAME, format!("{} walks do", walks.len()), expected),
        (false, Some((call, fault))) => {
            Finding::fails(NAME, fault, expected, Evidence::of_call(&run.trace, call))
        }
    }
}

fn walk<'a>(call: &Call<'a>) -> Option<&'a [TriedMember]> {
    let Some(CallEnd { outcome, .. }) = &call.end else {
        return None;
    };
    match outcome {
        CallOutcome::Token { tried, .. } | CallOutcome::Error { tried, .. }
            if !tried.is_empty() =>
        {
            Some(tried)
        }
        _ => None,
    }
}

fn fault(run: &Run, member: Option<&TriedMember>, wanted: &PassedOver) -> Option<String> {
    let Some(member) = member else {
        return Some(format!("a walk does not reach {}", wanted.credential));
    };
    if member.outcome != "passed-over" {
        return Some(format!(
            "{} is not passed over: it {}",
            member.credential, member.outcome
        ));
    }
    if let Some(because) = wanted
        .because
        .as_ref()
        .filter(|because| !member.why.contains(*because))
    {
        return Some(format!(
            "the reason is \"{}\", without \"{because}\"",
            member.why
        ));
    }
    let limit = wanted.took_at_most?.0 + run.engine.tolerance();
    (member.took > limit).then(|| format!("it takes {}", span(member.took)))
}
