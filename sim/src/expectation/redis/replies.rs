//! `that.redis-replies` and `that.redis-failure`: what callers get from Redis.

use super::super::lacks;
use crate::judge::{
    Evidence, Finding,
    redis_view::{Work, work},
    view::Window,
};
use crate::{
    judge::{Run, Side},
    scenario::{RedisFailure, RedisReplies},
    trace::RedisReply,
};

pub(crate) fn judge(run: &Run, wanted: &RedisReplies) -> Finding {
    const NAME: &str = "redis-replies";
    let window = Window::new(wanted.from, wanted.until, wanted.step);
    let what = match &wanted.are {
        None => "no error".to_owned(),
        Some(replies) => replies.join(", "),
    };
    let expected = format!("every piece of redis work{} gets {what}", window.words());
    every(NAME, run, &window, expected, |work| {
        match (&work.end, &wanted.are) {
            (None, _) => false,
            (Some(_), None) => work.error().is_none(),
            (Some((_, replies)), Some(wanted)) => {
                replies.len() == wanted.len()
                    && replies
                        .iter()
                        .zip(wanted)
                        .all(|(reply, wanted)| is_like(reply, wanted))
            }
        }
    })
}

fn is_like(reply: &RedisReply, wanted: &str) -> bool {
    wanted == "*" || (!reply.error && reply.reply == wanted)
}

pub(crate) fn judge_failure(run: &Run, wanted: &RedisFailure) -> Finding {
    const NAME: &str = "redis-failure";
    let window = Window::new(wanted.from, wanted.until, wanted.step);
    let at = wanted.command.as_ref();
    let mut expected = format!("every piece of redis work{} fails", window.words());
    if let Some(command) = at {
        expected += &format!(" at {command}");
    }
    if !wanted.contains.is_empty() {
        expected += &format!(", saying {}", wanted.contains.join(", "));
    }
    if !wanted.contains.is_empty()
        && let Some(unseen) = run.sight.lacks(&[Side::Words])
    {
        return Finding::not_observed(NAME, unseen, expected);
    }
    every(NAME, run, &window, expected, |work| {
        work.error().is_some_and(|error| {
            at.is_none_or(|name| name.eq_ignore_ascii_case(&error.command))
                && lacks(&error.reply, &wanted.contains).is_none()
        })
    })
}

/// Whether all work in the window is as wanted, and there is some.
fn every(
    name: &str,
    run: &Run,
    window: &Window,
    expected: String,
    is_wanted: impl Fn(&Work<'_>) -> bool,
) -> Finding {
    if let Some(unseen) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(name, unseen, expected);
    }
    let all = work(run, window);
    if all.is_empty() {
        return Finding::fails(name, "there is no work", expected, Evidence::none());
    }
    let wrong: Vec<_> = all.iter().filter(|work| !is_wanted(work)).collect();
    match wrong.first() {
        None => Finding::holds(name, format!("all {} do", all.len()), expected),
        Some(first) => {
            let found = match wrong.len() {
                1 => format!("1 of {} does not; it is shown", all.len()),
                many => format!("{many} of {} do not; the first is shown", all.len()),
            };
            let shown = Evidence::with_changes(&run.trace, first.events());
            Finding::fails(name, found, expected, shown)
        }
    }
}
