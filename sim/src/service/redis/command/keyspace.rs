//! All keys at once: KEYS, SCAN, RENAME.

use bytes::Bytes;

use super::super::{
    resp::{Reply, number},
    server::Call,
    store::{Value, glob, slot},
};
use super::{Answer, NO_KEYS, Spec, WRITES, spec, syntax_error};

pub const COMMANDS: &[Spec] = &[
    spec("keys", 2, NO_KEYS, 0, |call| {
        let pattern = call.arg(1).clone();
        let keys = call.visible_keys().into_iter();
        let keys = keys
            .filter(|key| glob::matches(&pattern, key))
            .map(Reply::Bulk);
        Ok(Reply::Array(keys.collect()))
    }),
    spec("rename", 3, (1, 2, 1), WRITES, |call| rename(call, false)),
    spec("renamenx", 3, (1, 2, 1), WRITES, |call| rename(call, true)),
    spec("scan", -2, NO_KEYS, 0, scan),
];

impl Call<'_> {
    /// The keys of the client's database that its node serves, in their order.
    pub(crate) fn visible_keys(&mut self) -> Vec<Bytes> {
        let node = self.client.node;
        let keys: Vec<Bytes> = self.database().keys().cloned().collect();
        let Some(cluster) = &self.server.cluster else {
            return keys;
        };
        let is_here = |key: &Bytes| {
            cluster
                .owner(slot::of(key))
                .is_some_and(|(owner, _)| owner == node)
        };
        keys.into_iter().filter(is_here).collect()
    }
}

fn rename(call: &mut Call<'_>, only_new: bool) -> Answer {
    let (from, to) = (call.arg(1).clone(), call.arg(2).clone());
    let database = call.database();
    if !database.has(&from) {
        return Err(Reply::error("ERR no such key"));
    }
    if from == to {
        return Ok(if only_new { Reply::Int(0) } else { Reply::OK });
    }
    if only_new && database.has(&to) {
        return Ok(Reply::Int(0));
    }
    if let Some(entry) = database.remove(&from) {
        database.set(&to, entry.value, entry.expires);
    }
    call.changed(&from);
    call.changed(&to);
    call.grew(&to);
    Ok(if only_new { Reply::Int(1) } else { Reply::OK })
}

/// All keys in one answer: a cursor that is not 0 finds nothing more.
fn scan(call: &mut Call<'_>) -> Answer {
    let text = String::from_utf8_lossy(call.arg(1)).into_owned();
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let cursor: u64 = match digits.parse() {
        Ok(cursor) => cursor,
        Err(_) if digits.is_empty() => 0,
        Err(_) => return Err(Reply::error("ERR invalid cursor")),
    };
    let (mut pattern, mut kind) = (None, None);
    for pair in call.rest(2).chunks(2) {
        let [option, value] = pair else {
            return Err(syntax_error());
        };
        match option.to_ascii_lowercase().as_slice() {
            b"count" => match number(value) {
                None => return Err(super::not_an_integer()),
                Some(..=0) => return Err(syntax_error()),
                Some(_) => {}
            },
            b"match" => pattern = Some(value.clone()),
            b"type" => kind = Some(value.to_ascii_lowercase()),
            _ => return Err(syntax_error()),
        }
    }
    let mut keys = call.visible_keys();
    keys.retain(|key| {
        cursor == 0
            && pattern
                .as_ref()
                .is_none_or(|wanted| glob::matches(wanted, key))
    });
    if let Some(kind) = kind {
        let database = call.database();
        keys.retain(|key| {
            database
                .get(key)
                .map(Value::kind)
                .is_some_and(|found| found.as_bytes() == kind)
        });
    }
    Ok(Reply::Array(vec![
        Reply::text("0"),
        Reply::Array(keys.into_iter().map(Reply::Bulk).collect()),
    ]))
}
