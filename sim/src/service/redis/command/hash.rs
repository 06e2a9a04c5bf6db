//! Hashes.

use bytes::Bytes;

use super::super::{
    resp::{Reply, number},
    server::Call,
    store::{Hash, Value},
};
use super::{Answer, ONE_KEY, Spec, WRITES, spec, wrong_arity, wrong_type};

pub const COMMANDS: &[Spec] = &[
    spec("hdel", -3, ONE_KEY, WRITES, delete),
    spec("hexists", 3, ONE_KEY, 0, |call| {
        let field = call.arg(2).clone();
        Ok(Reply::flag(
            call.hash()?.is_some_and(|hash| hash.get(&field).is_some()),
        ))
    }),
    spec("hget", 3, ONE_KEY, 0, |call| {
        let field = call.arg(2).clone();
        Ok(Reply::maybe(
            call.hash()?.and_then(|hash| hash.get(&field).cloned()),
        ))
    }),
    spec("hgetall", 2, ONE_KEY, 0, |call| {
        let fields = fields(call)?.into_iter();
        Ok(Reply::Map(
            fields
                .map(|(field, value)| (Reply::Bulk(field), Reply::Bulk(value)))
                .collect(),
        ))
    }),
    spec("hincrby", 4, ONE_KEY, WRITES, count),
    spec("hkeys", 2, ONE_KEY, 0, |call| {
        let fields = fields(call)?.into_iter();
        Ok(Reply::Array(
            fields.map(|(field, _)| Reply::Bulk(field)).collect(),
        ))
    }),
    spec("hlen", 2, ONE_KEY, 0, |call| {
        Ok(Reply::count(call.hash()?.map_or(0, |hash| hash.len())))
    }),
    spec("hmget", -3, ONE_KEY, 0, |call| {
        let names = call.rest(2).to_vec();
        let hash = call.hash()?;
        let value =
            |name: &Bytes| Reply::maybe(hash.as_ref().and_then(|hash| hash.get(name).cloned()));
        Ok(Reply::Array(names.iter().map(value).collect()))
    }),
    spec("hmset", -4, ONE_KEY, WRITES, |call| {
        set(call).map(|_| Reply::OK)
    }),
    spec("hset", -4, ONE_KEY, WRITES, |call| {
        set(call).map(Reply::count)
    }),
    spec("hsetnx", 4, ONE_KEY, WRITES, |call| {
        let field = call.arg(2).clone();
        if call.hash()?.is_some_and(|hash| hash.get(&field).is_some()) {
            return Ok(Reply::Int(0));
        }
        set(call).map(Reply::count)
    }),
    spec("hvals", 2, ONE_KEY, 0, |call| {
        let fields = fields(call)?.into_iter();
        Ok(Reply::Array(
            fields.map(|(_, value)| Reply::Bulk(value)).collect(),
        ))
    }),
];

impl Call<'_> {
    fn hash(&mut self) -> Result<Option<&mut Hash>, Reply> {
        let key = self.arg(1).clone();
        match self.database().get_mut(&key) {
            None => Ok(None),
            Some(Value::Hash(hash)) => Ok(Some(hash)),
            Some(_) => Err(wrong_type()),
        }
    }

    fn hash_or_new(&mut self) -> Result<&mut Hash, Reply> {
        let key = self.arg(1).clone();
        match self.database().get_or(&key, Value::Hash(Hash::default())) {
            Value::Hash(hash) => Ok(hash),
            _ => Err(wrong_type()),
        }
    }
}

fn fields(call: &mut Call<'_>) -> Result<Vec<(Bytes, Bytes)>, Reply> {
    let hash = call.hash()?;
    Ok(hash
        .map(|hash| hash.iter().cloned().collect())
        .unwrap_or_default())
}

/// How many fields are new.
fn set(call: &mut Call<'_>) -> Result<usize, Reply> {
    let (key, pairs) = (call.arg(1).clone(), call.rest(2).to_vec());
    if pairs.len() % 2 != 0 {
        return Err(wrong_arity(call.spec.name));
    }
    let hash = call.hash_or_new()?;
    let mut new = 0;
    for pair in pairs.chunks(2) {
        if let [field, value] = pair {
            new += usize::from(hash.set(field, value.clone()));
        }
    }
    call.changed(&key);
    Ok(new)
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (key, names) = (call.arg(1).clone(), call.rest(2).to_vec());
    let Some(hash) = call.hash()? else {
        return Ok(Reply::Int(0));
    };
    let gone = names.iter().filter(|name| hash.remove(name)).count();
    if gone > 0 {
        call.database().tidy(&key);
        call.changed(&key);
    }
    Ok(Reply::count(gone))
}

fn count(call: &mut Call<'_>) -> Answer {
    let (key, field) = (call.arg(1).clone(), call.arg(2).clone());
    let by = call.integer(3)?;
    let old = match call.hash()?.and_then(|hash| hash.get(&field).cloned()) {
        Some(text) => {
            number(&text).ok_or_else(|| Reply::error("ERR hash value is not an integer"))?
        }
        None => 0,
    };
    let new = old.checked_add(by);
    let new = new.ok_or_else(|| Reply::error("ERR increment or decrement would overflow"))?;
    call.hash_or_new()?.set(&field, new.to_string().into());
    call.changed(&key);
    Ok(Reply::Int(new))
}
