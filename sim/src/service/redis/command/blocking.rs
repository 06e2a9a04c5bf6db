//! Waiting for a list (RS-15).

use bytes::Bytes;

use super::super::{
    resp::Reply,
    server::{Blocked, Call, Micros, Then, Version},
    store::{End, take},
};
use super::{
    Answer, Spec, WRITES,
    list::{read_end, transfer},
    spec,
};

pub const COMMANDS: &[Spec] = &[
    spec("blmove", 6, (1, 2, 1), WRITES, |call| {
        let (from, to) = (read_end(call, 3)?, read_end(call, 4)?);
        blocking_move(call, from, to, 5)
    }),
    spec("blpop", -3, (1, -2, 1), WRITES, |call| pop(call, End::Left)),
    spec("brpop", -3, (1, -2, 1), WRITES, |call| {
        pop(call, End::Right)
    }),
    spec("brpoplpush", 4, (1, 2, 1), WRITES, |call| {
        blocking_move(call, End::Right, End::Left, 3)
    }),
];

/// When a wait ends; none: never.
fn until(call: &Call<'_>, number: usize) -> Result<Option<Micros>, Reply> {
    const TOO_LONG: f64 = i64::MAX as f64;
    let error = || Reply::error("ERR timeout is not a float or out of range");
    let text = std::str::from_utf8(call.arg(number)).map_err(|_| error())?;
    let seconds: f64 = text.parse().map_err(|_| error())?;
    if seconds.is_nan() {
        return Err(error());
    }
    let millis = (seconds * 1000.0).ceil();
    let out_of_range = || Reply::error("ERR timeout is out of range");
    // 7.0 takes what is too large for negative.
    let is_too_long = millis >= TOO_LONG;
    if is_too_long && call.config().version != Version::V7_0 {
        return Err(out_of_range());
    }
    if is_too_long || millis < 0.0 {
        return Err(Reply::error("ERR timeout is negative"));
    }
    let millis = millis as i64;
    if millis == 0 {
        return Ok(None);
    }
    millis.checked_add(call.millis()).ok_or_else(out_of_range)?;
    Ok(Some(millis.saturating_mul(1000).saturating_add(call.now)))
}

fn wait(call: &mut Call<'_>, keys: Vec<Bytes>, then: Then, until: Option<Micros>) -> Answer {
    if call.in_exec {
        return Ok(match then {
            Then::Pop(_) => Reply::NullArray,
            Then::Move { .. } => Reply::Null,
        });
    }
    call.client.blocked = Some(Blocked {
        serial: call.server.next_block(),
        database: call.client.database,
        keys,
        then,
        until,
    });
    Ok(Reply::Nothing)
}

fn pop(call: &mut Call<'_>, end: End) -> Answer {
    let until = until(call, call.args.len().saturating_sub(1))?;
    let keys: Vec<Bytes> = call.spec.keys_of(call.args).cloned().collect();
    for (number, key) in (1..).zip(&keys) {
        if call.list(number)?.is_none() {
            continue;
        }
        if let Some(element) = take(call.database(), key, end) {
            call.changed(key);
            return Ok(Reply::Array(vec![
                Reply::Bulk(key.clone()),
                Reply::Bulk(element),
            ]));
        }
    }
    wait(call, keys, Then::Pop(end), until)
}

fn blocking_move(call: &mut Call<'_>, from: End, to: End, timeout: usize) -> Answer {
    let until = until(call, timeout)?;
    let (source, target) = (call.arg(1).clone(), call.arg(2).clone());
    if call.list(1)?.is_some() {
        return transfer(call, from, to);
    }
    let then = Then::Move {
        from,
        to: target,
        end: to,
    };
    wait(call, vec![source], then, until)
}
