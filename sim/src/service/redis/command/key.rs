//! Keys: whether they are there, when they end.

use super::super::{resp::Reply, server::Call, store::Value};
use super::{ALL_KEYS, Answer, ONE_KEY, Spec, WRITES, spec, string_set::Unit};

pub const COMMANDS: &[Spec] = &[
    spec("del", -2, ALL_KEYS, WRITES, delete),
    spec("exists", -2, ALL_KEYS, 0, exists),
    spec("expire", -3, ONE_KEY, WRITES, |call| {
        expire(call, Unit::SECONDS)
    }),
    spec("expireat", -3, ONE_KEY, WRITES, |call| {
        expire(
            call,
            Unit {
                seconds: true,
                is_date: true,
            },
        )
    }),
    spec("expiretime", 2, ONE_KEY, 0, |call| {
        Ok(left(call, true, true))
    }),
    spec("persist", 2, ONE_KEY, WRITES, persist),
    spec("pexpire", -3, ONE_KEY, WRITES, |call| {
        expire(call, Unit::MILLISECONDS)
    }),
    spec("pexpireat", -3, ONE_KEY, WRITES, |call| {
        expire(
            call,
            Unit {
                seconds: false,
                is_date: true,
            },
        )
    }),
    spec("pexpiretime", 2, ONE_KEY, 0, |call| {
        Ok(left(call, false, true))
    }),
    spec("pttl", 2, ONE_KEY, 0, |call| Ok(left(call, false, false))),
    spec("touch", -2, ALL_KEYS, 0, exists),
    spec("ttl", 2, ONE_KEY, 0, |call| Ok(left(call, true, false))),
    spec("type", 2, ONE_KEY, 0, |call| {
        let key = call.arg(1).clone();
        Ok(Reply::simple(
            call.database().get(&key).map_or("none", Value::kind),
        ))
    }),
    spec("unlink", -2, ALL_KEYS, WRITES, delete),
];

fn delete(call: &mut Call<'_>) -> Answer {
    let mut count = 0;
    for key in call.args.iter().skip(1) {
        if call.database().remove(key).is_some() {
            call.changed(key);
            count += 1;
        }
    }
    Ok(Reply::Int(count))
}

fn exists(call: &mut Call<'_>) -> Answer {
    let keys = call.args.iter().skip(1);
    let database = call.server.database(call.client.database);
    Ok(Reply::count(keys.filter(|key| database.has(key)).count()))
}

fn expire(call: &mut Call<'_>, unit: Unit) -> Answer {
    let key = call.arg(1).clone();
    let (mut nx, mut xx, mut gt, mut lt) = (false, false, false, false);
    for word in call.rest(3) {
        let flag = match word.to_ascii_lowercase().as_slice() {
            b"nx" => &mut nx,
            b"xx" => &mut xx,
            b"gt" => &mut gt,
            b"lt" => &mut lt,
            _ => {
                let mut line = b"ERR Unsupported option ".to_vec();
                line.extend_from_slice(word);
                return Err(Reply::error(line));
            }
        };
        *flag = true;
    }
    if nx && (xx || gt || lt) {
        let error = "ERR NX and XX, GT or LT options at the same time are not compatible";
        return Err(Reply::error(error));
    }
    if gt && lt {
        let error = "ERR GT and LT options at the same time are not compatible";
        return Err(Reply::error(error));
    }
    let error = || {
        Reply::error(format!(
            "ERR invalid expire time in '{}' command",
            call.spec.name
        ))
    };
    let time = call.integer(2)?;
    let time = time
        .checked_mul(if unit.seconds { 1000 } else { 1 })
        .ok_or_else(error)?;
    let base = if unit.is_date { 0 } else { call.millis() };
    let date = time.checked_add(base).ok_or_else(error)?;
    let now = call.millis();
    let database = call.database();
    if !database.has(&key) {
        return Ok(Reply::Int(0));
    }
    let old = database.expires(&key);
    let passes = (nx && old.is_some())
        || (xx && old.is_none())
        || (gt && old.is_none_or(|old| date <= old))
        || (lt && old.is_some_and(|old| date >= old));
    if passes {
        return Ok(Reply::Int(0));
    }
    if date <= now {
        database.remove(&key);
    } else {
        database.expire(&key, Some(date));
    }
    call.changed(&key);
    Ok(Reply::Int(1))
}

fn persist(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1).clone();
    let had_end = call.database().expires(&key).is_some();
    if had_end {
        call.database().expire(&key, None);
        call.changed(&key);
    }
    Ok(Reply::flag(had_end))
}

fn left(call: &mut Call<'_>, in_seconds: bool, as_date: bool) -> Reply {
    let (key, now) = (call.arg(1).clone(), call.millis());
    if !call.database().has(&key) {
        return Reply::Int(-2);
    }
    let Some(end) = call.database().expires(&key) else {
        return Reply::Int(-1);
    };
    let time = if as_date { end } else { (end - now).max(0) };
    Reply::Int(if in_seconds {
        (time + 500).div_euclid(1000)
    } else {
        time
    })
}
