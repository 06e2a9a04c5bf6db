//! Sets.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::super::{
    resp::{Reply, number},
    server::Call,
    store::Value,
};
use super::{Answer, ONE_KEY, Spec, WRITES, spec, wrong_type};

pub const COMMANDS: &[Spec] = &[
    spec("sadd", -3, ONE_KEY, WRITES, add),
    spec("scard", 2, ONE_KEY, 0, |call| {
        Ok(Reply::count(call.set()?.map_or(0, |set| set.len())))
    }),
    spec("sismember", 3, ONE_KEY, 0, |call| {
        let member = call.arg(2).clone();
        Ok(Reply::flag(
            call.set()?.is_some_and(|set| set.contains(&member)),
        ))
    }),
    spec("smembers", 2, ONE_KEY, 0, |call| {
        let mut members: Vec<Bytes> = call
            .set()?
            .map(|set| set.iter().cloned().collect())
            .unwrap_or_default();
        // Redis keeps a set of numbers in their order.
        if members.iter().all(|member| number(member).is_some()) {
            members.sort_by_key(|member| number(member));
        }
        Ok(Reply::Set(members.into_iter().map(Reply::Bulk).collect()))
    }),
    spec("srem", -3, ONE_KEY, WRITES, remove),
];

impl Call<'_> {
    fn set(&mut self) -> Result<Option<&mut BTreeSet<Bytes>>, Reply> {
        let key = self.arg(1).clone();
        match self.database().get_mut(&key) {
            None => Ok(None),
            Some(Value::Set(set)) => Ok(Some(set)),
            Some(_) => Err(wrong_type()),
        }
    }
}

fn add(call: &mut Call<'_>) -> Answer {
    let (key, members) = (call.arg(1).clone(), call.rest(2).to_vec());
    let Value::Set(set) = call.database().get_or(&key, Value::Set(BTreeSet::new())) else {
        return Err(wrong_type());
    };
    let mut new = 0;
    for member in members {
        new += usize::from(set.insert(member));
    }
    if new > 0 {
        call.changed(&key);
    }
    Ok(Reply::count(new))
}

fn remove(call: &mut Call<'_>) -> Answer {
    let (key, members) = (call.arg(1).clone(), call.rest(2).to_vec());
    let Some(set) = call.set()? else {
        return Ok(Reply::Int(0));
    };
    let gone = members.iter().filter(|member| set.remove(*member)).count();
    if gone > 0 {
        call.database().tidy(&key);
        call.changed(&key);
    }
    Ok(Reply::count(gone))
}
