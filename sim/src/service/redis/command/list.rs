//! Lists.

use std::collections::VecDeque;

use bytes::Bytes;

use super::super::{
    resp::Reply,
    server::Call,
    store::{End, Value, take},
};
use super::{Answer, ONE_KEY, Spec, WRITES, place, range, spec, syntax_error, wrong_type};

pub const COMMANDS: &[Spec] = &[
    spec("lindex", 3, ONE_KEY, 0, index),
    spec("llen", 2, ONE_KEY, 0, |call| {
        Ok(Reply::count(call.list(1)?.map_or(0, |list| list.len())))
    }),
    spec("lmove", 5, (1, 2, 1), WRITES, |call| {
        let (from, to) = (read_end(call, 3)?, read_end(call, 4)?);
        transfer(call, from, to)
    }),
    spec("lpop", -2, ONE_KEY, WRITES, |call| pop(call, End::Left)),
    spec("lpush", -3, ONE_KEY, WRITES, |call| push(call, End::Left)),
    spec("lrange", 4, ONE_KEY, 0, slice),
    spec("lrem", 4, ONE_KEY, WRITES, remove),
    spec("ltrim", 4, ONE_KEY, WRITES, trim),
    spec("rpop", -2, ONE_KEY, WRITES, |call| pop(call, End::Right)),
    spec("rpoplpush", 3, (1, 2, 1), WRITES, |call| {
        transfer(call, End::Right, End::Left)
    }),
    spec("rpush", -3, ONE_KEY, WRITES, |call| push(call, End::Right)),
];

impl Call<'_> {
    /// The list that the key of this argument holds.
    pub(crate) fn list(&mut self, number: usize) -> Result<Option<&mut VecDeque<Bytes>>, Reply> {
        let key = self.arg(number).clone();
        match self.database().get_mut(&key) {
            None => Ok(None),
            Some(Value::List(list)) => Ok(Some(list)),
            Some(_) => Err(wrong_type()),
        }
    }
}

fn index(call: &mut Call<'_>) -> Answer {
    if call.list(1)?.is_none() {
        return Ok(Reply::Null);
    }
    let index = call.integer(2)?;
    let element = call.list(1)?.and_then(|list| {
        let at = usize::try_from(place(index, list.len())).ok()?;
        list.get(at).cloned()
    });
    Ok(Reply::maybe(element))
}

fn push(call: &mut Call<'_>, end: End) -> Answer {
    let (key, elements) = (call.arg(1).clone(), call.rest(2).to_vec());
    call.list(1)?;
    let list = call.database().get_or(&key, Value::List(VecDeque::new()));
    for element in elements {
        end.push(list, element);
    }
    let length = call.list(1)?.map_or(0, |list| list.len());
    call.changed(&key);
    call.grew(&key);
    Ok(Reply::count(length))
}

fn pop(call: &mut Call<'_>, end: End) -> Answer {
    let key = call.arg(1).clone();
    if call.args.len() > 3 {
        return Err(super::wrong_arity(call.spec.name));
    }
    let error = || Reply::error("ERR value is out of range, must be positive");
    let count = match call.args.get(2) {
        None => None,
        Some(_) => {
            let count = call.integer(2).map_err(|_| error())?;
            Some(usize::try_from(count).map_err(|_| error())?)
        }
    };
    let Some(length) = call.list(1)?.map(|list| list.len()) else {
        return Ok(if count.is_some() {
            Reply::NullArray
        } else {
            Reply::Null
        });
    };
    let Some(count) = count else {
        let element = take(call.database(), &key, end);
        call.changed(&key);
        return Ok(Reply::maybe(element));
    };
    if count == 0 {
        return Ok(Reply::Array(Vec::new()));
    }
    let mut elements = Vec::new();
    for _ in 0..count.min(length) {
        elements.extend(take(call.database(), &key, end).map(Reply::Bulk));
    }
    call.changed(&key);
    Ok(Reply::Array(elements))
}

fn slice(call: &mut Call<'_>) -> Answer {
    let (start, end) = (call.integer(2)?, call.integer(3)?);
    let elements = call.list(1)?.map(|list| {
        let range = range(start, end, list.len()).unwrap_or_default();
        list.range(range).cloned().map(Reply::Bulk).collect()
    });
    Ok(Reply::Array(elements.unwrap_or_default()))
}

fn remove(call: &mut Call<'_>) -> Answer {
    let (key, element) = (call.arg(1).clone(), call.arg(3).clone());
    let wanted = call.integer(2)?;
    let Some(list) = call.list(1)? else {
        return Ok(Reply::Int(0));
    };
    let mut left = if wanted == 0 {
        u64::MAX
    } else {
        wanted.unsigned_abs()
    };
    let before = list.len();
    let mut keep = |found: &Bytes| {
        let goes = *found == element && left > 0;
        left -= u64::from(goes);
        !goes
    };
    if wanted < 0 {
        let kept: Vec<Bytes> = list.drain(..).rev().filter(|found| keep(found)).collect();
        list.extend(kept.into_iter().rev());
    } else {
        list.retain(|found| keep(found));
    }
    let gone = before - list.len();
    if gone > 0 {
        call.database().tidy(&key);
        call.changed(&key);
    }
    Ok(Reply::count(gone))
}

fn trim(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1).clone();
    let (start, end) = (call.integer(2)?, call.integer(3)?);
    let Some(list) = call.list(1)? else {
        return Ok(Reply::OK);
    };
    let range = range(start, end, list.len()).unwrap_or_default();
    list.truncate(range.end);
    list.drain(..range.start);
    call.database().tidy(&key);
    call.changed(&key);
    Ok(Reply::OK)
}

/// Moves an element from the list of the first argument to that of the second.
pub(crate) fn transfer(call: &mut Call<'_>, from: End, to: End) -> Answer {
    let (source, target) = (call.arg(1).clone(), call.arg(2).clone());
    if call.list(1)?.is_none() {
        return Ok(Reply::Null);
    }
    call.list(2)?;
    let Some(element) = take(call.database(), &source, from) else {
        return Ok(Reply::Null);
    };
    let list = call
        .database()
        .get_or(&target, Value::List(VecDeque::new()));
    to.push(list, element.clone());
    call.changed(&source);
    call.changed(&target);
    call.grew(&target);
    Ok(Reply::Bulk(element))
}

/// Reads LEFT or RIGHT.
pub fn read_end(call: &Call<'_>, number: usize) -> Result<End, Reply> {
    match () {
        () if call.is_word(number, "left") => Ok(End::Left),
        () if call.is_word(number, "right") => Ok(End::Right),
        () => Err(syntax_error()),
    }
}
