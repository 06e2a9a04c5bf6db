//! Numbers kept as strings.

use super::super::{
    resp::{Reply, number},
    server::Call,
    store::number::Decimal,
};
use super::{Answer, ONE_KEY, Spec, WRITES, not_an_integer, spec};

pub const COMMANDS: &[Spec] = &[
    spec("decr", 2, ONE_KEY, WRITES, |call| count(call, -1)),
    spec("decrby", 3, ONE_KEY, WRITES, |call| {
        let by = call.integer(2)?.checked_neg();
        let by = by.ok_or_else(|| Reply::error("ERR decrement would overflow"))?;
        count(call, by)
    }),
    spec("incr", 2, ONE_KEY, WRITES, |call| count(call, 1)),
    spec("incrby", 3, ONE_KEY, WRITES, |call| {
        let by = call.integer(2)?;
        count(call, by)
    }),
    spec("incrbyfloat", 3, ONE_KEY, WRITES, count_fractions),
];

fn count(call: &mut Call<'_>, by: i64) -> Answer {
    let key = call.arg(1).clone();
    let old = match call.text(1)? {
        Some(text) => number(&text).ok_or_else(not_an_integer)?,
        None => 0,
    };
    let new = old.checked_add(by);
    let new = new.ok_or_else(|| Reply::error("ERR increment or decrement would overflow"))?;
    call.replace_text(&key, new.to_string().into());
    Ok(Reply::Int(new))
}

fn count_fractions(call: &mut Call<'_>) -> Answer {
    let error = || Reply::error("ERR value is not a valid float");
    let key = call.arg(1).clone();
    let old = match call.text(1)? {
        Some(text) => Decimal::read(&text).ok_or_else(error)?,
        None => Decimal::default(),
    };
    let by = Decimal::read(call.arg(2)).ok_or_else(error)?;
    let overflow = || Reply::error("ERR increment would produce NaN or Infinity");
    let new = old.add(by).ok_or_else(overflow)?.write();
    call.replace_text(&key, new.clone().into());
    Ok(Reply::bulk(new))
}
