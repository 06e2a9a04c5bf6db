//! Strings: reading them, and parts of them.

use bytes::Bytes;

use crate::limits;

use super::super::{resp::Reply, server::Call, store::Value};
use super::{
    ALL_KEYS, Answer, ONE_KEY, Spec, WRITES, not_an_integer, range, spec, wrong_arity, wrong_type,
};

pub const COMMANDS: &[Spec] = &[
    spec("append", 3, ONE_KEY, WRITES, append),
    spec("get", 2, ONE_KEY, 0, |call| call.text(1).map(Reply::maybe)),
    spec("getdel", 2, ONE_KEY, WRITES, get_del),
    spec("getrange", 4, ONE_KEY, 0, get_range),
    spec("getset", 3, ONE_KEY, WRITES, get_set),
    spec("mget", -2, ALL_KEYS, 0, mget),
    spec("mset", -3, (1, -1, 2), WRITES, mset),
    spec("msetnx", -3, (1, -1, 2), WRITES, msetnx),
    spec("setrange", 4, ONE_KEY, WRITES, set_range),
    spec("strlen", 2, ONE_KEY, 0, |call| {
        Ok(Reply::count(call.text(1)?.unwrap_or_default().len()))
    }),
    spec("substr", 4, ONE_KEY, 0, get_range),
];

/// The longest string: what the limit `proto-max-bulk-len` of a real server says, of which this one
/// has a lower value. Copying one must not keep other clients waiting.
const LONGEST: usize = limits::REDIS_VALUE;

impl Call<'_> {
    /// The string that the key of this argument holds.
    pub(crate) fn text(&mut self, number: usize) -> Result<Option<Bytes>, Reply> {
        let key = self.arg(number).clone();
        match self.database().get(&key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong_type()),
        }
    }

    /// Sets a key to a string without an end.
    pub(crate) fn set_text(&mut self, key: &Bytes, text: Bytes) {
        self.database().set(key, Value::Text(text), None);
        self.changed(key);
    }

    /// Sets a key to a string, and leaves its end as it is.
    pub(crate) fn replace_text(&mut self, key: &Bytes, text: Bytes) {
        self.database().replace(key, Value::Text(text));
        self.changed(key);
    }
}

fn too_long() -> Reply {
    Reply::error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
}

fn append(call: &mut Call<'_>) -> Answer {
    let (key, more) = (call.arg(1).clone(), call.arg(2).clone());
    let mut text = call.text(1)?.unwrap_or_default().to_vec();
    if text.len() + more.len() > LONGEST {
        return Err(too_long());
    }
    text.extend_from_slice(&more);
    let length = text.len();
    call.replace_text(&key, text.into());
    Ok(Reply::count(length))
}

fn get_del(call: &mut Call<'_>) -> Answer {
    let (key, text) = (call.arg(1).clone(), call.text(1)?);
    if text.is_some() {
        call.database().remove(&key);
        call.changed(&key);
    }
    Ok(Reply::maybe(text))
}

fn get_range(call: &mut Call<'_>) -> Answer {
    let (start, end) = (call.integer(2)?, call.integer(3)?);
    let text = call.text(1)?.unwrap_or_default();
    // Two places counted from the end, in the wrong order, mean nothing.
    if start < 0 && end < 0 && start > end {
        return Ok(Reply::Bulk(Bytes::new()));
    }
    // A place before the beginning is the beginning, also at the end of the range.
    let end = if super::place(end, text.len()) < 0 {
        0
    } else {
        end
    };
    let part = range(start, end, text.len()).map(|range| text.slice(range));
    Ok(Reply::Bulk(part.unwrap_or_default()))
}

fn get_set(call: &mut Call<'_>) -> Answer {
    let (key, new) = (call.arg(1).clone(), call.arg(2).clone());
    let old = call.text(1)?;
    call.set_text(&key, new);
    Ok(Reply::maybe(old))
}

fn mget(call: &mut Call<'_>) -> Answer {
    let texts = (1..call.args.len()).map(|number| {
        let text = call.text(number).unwrap_or_default();
        Reply::maybe(text)
    });
    Ok(Reply::Array(texts.collect()))
}

fn pairs(call: &Call<'_>) -> Result<Vec<(Bytes, Bytes)>, Reply> {
    let pairs = call.rest(1).chunks(2).map(|pair| match pair {
        [key, text] => Ok((key.clone(), text.clone())),
        _ => Err(wrong_arity(call.spec.name)),
    });
    pairs.collect()
}

fn mset(call: &mut Call<'_>) -> Answer {
    for (key, text) in pairs(call)? {
        call.set_text(&key, text);
    }
    Ok(Reply::OK)
}

fn msetnx(call: &mut Call<'_>) -> Answer {
    let pairs = pairs(call)?;
    if pairs.iter().any(|(key, _)| call.database().has(key)) {
        return Ok(Reply::Int(0));
    }
    for (key, text) in pairs {
        call.set_text(&key, text);
    }
    Ok(Reply::Int(1))
}

fn set_range(call: &mut Call<'_>) -> Answer {
    let (key, part) = (call.arg(1).clone(), call.arg(3).clone());
    let offset = call.integer(2)?;
    if offset < 0 {
        return Err(Reply::error("ERR offset is out of range"));
    }
    let offset = usize::try_from(offset).map_err(|_| not_an_integer())?;
    let mut text = call.text(1)?.unwrap_or_default().to_vec();
    if part.is_empty() {
        return Ok(Reply::count(text.len()));
    }
    let end = offset.checked_add(part.len()).filter(|end| *end <= LONGEST);
    let end = end.ok_or_else(too_long)?;
    if text.len() < end {
        text.resize(end, 0);
    }
    if let Some(place) = text.get_mut(offset..end) {
        place.copy_from_slice(&part);
    }
    let length = text.len();
    call.replace_text(&key, text.into());
    Ok(Reply::count(length))
}
