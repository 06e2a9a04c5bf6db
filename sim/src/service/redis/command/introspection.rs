//! COMMAND: what the commands are. Clients of a cluster take the positions of keys from it (RS-49).

use super::super::{
    resp::{Reply, number},
    server::Call,
};
use super::{
    AT_ONCE, Answer, CONTAINER, Lookup, NO_KEYS, NO_LOGIN, SUBSCRIBED, Spec, TABLE, WRITES, lookup,
    spec,
};
use crate::service::redis::server::Version;

pub const COMMANDS: &[Spec] = &[
    spec("command", -1, NO_KEYS, CONTAINER, |call| {
        let version = call.config().version;
        Ok(Reply::Array(
            commands(version).map(|spec| entry(spec, version)).collect(),
        ))
    }),
    spec("command|count", 2, NO_KEYS, 0, |call| {
        Ok(Reply::count(commands(call.config().version).count()))
    }),
    spec("command|docs", -2, NO_KEYS, 0, |_| {
        Ok(Reply::Map(Vec::new()))
    }),
    spec("command|getkeys", -4, NO_KEYS, 0, get_keys),
    spec("command|info", -2, NO_KEYS, 0, info),
];

/// The commands of a version, without their subcommands.
fn commands(version: Version) -> impl Iterator<Item = &'static Spec> {
    let all = TABLE.values().copied();
    all.filter(move |spec| !spec.name.contains('|') && spec.exists_in(version))
}

/// The subcommands of a container.
fn subcommands(container: &str, version: Version) -> impl Iterator<Item = &'static Spec> {
    let prefix = format!("{container}|");
    let all = TABLE.values().copied();
    all.filter(move |spec| spec.name.starts_with(&prefix) && spec.exists_in(version))
}

/// Whether the keys of a command are counted by an argument of its own.
fn has_movable_keys(spec: &Spec) -> bool {
    matches!(
        spec.name,
        "eval" | "evalsha" | "eval_ro" | "evalsha_ro" | "fcall" | "fcall_ro"
    )
}

/// The flags of a command, as far as the simulated server knows them.
fn flags(spec: &Spec) -> Vec<Reply> {
    let has_keys = spec.keys() != NO_KEYS;
    // WATCH and the commands of channels name keys without reading them.
    let reads = has_keys && !spec.is(WRITES | AT_ONCE | SUBSCRIBED) && spec.name != "spublish";
    [
        ("write", spec.is(WRITES)),
        ("readonly", reads),
        ("no_auth", spec.is(NO_LOGIN)),
        ("movablekeys", has_movable_keys(spec)),
    ]
    .into_iter()
    .filter_map(|(flag, is_set)| is_set.then_some(Reply::simple(flag)))
    .collect()
}

/// One command: name, arity, flags, first key, last key, step, and what the simulated server leaves
/// empty (categories of the ACL, tips, key specifications); then its subcommands.
fn entry(spec: &Spec, version: Version) -> Reply {
    let (first, last, step) = spec.keys();
    let int = |value: usize| Reply::Int(i64::try_from(value).unwrap_or(i64::MAX));
    let signed = |value: isize| Reply::Int(i64::try_from(value).unwrap_or(i64::MAX));
    let subcommands = subcommands(spec.name, version).map(|spec| entry(spec, version));
    Reply::Array(vec![
        Reply::text(spec.name),
        signed(spec.arity()),
        Reply::Set(flags(spec)),
        int(first),
        signed(last),
        int(step),
        Reply::Set(Vec::new()),
        Reply::Set(Vec::new()),
        Reply::Set(Vec::new()),
        Reply::Array(subcommands.collect()),
    ])
}

/// COMMAND INFO: the commands that are named, or all.
fn info(call: &mut Call<'_>) -> Answer {
    let version = call.config().version;
    let found = |name: &bytes::Bytes| {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let spec = TABLE.get(name.as_str());
        spec.filter(|spec| spec.exists_in(version))
            .map_or(Reply::Null, |spec| entry(spec, version))
    };
    Ok(Reply::Array(match call.rest(2) {
        [] => commands(version).map(|spec| entry(spec, version)).collect(),
        names => names.iter().map(found).collect(),
    }))
}

/// COMMAND GETKEYS: the keys of a whole request.
fn get_keys(call: &mut Call<'_>) -> Answer {
    let version = call.config().version;
    let request = call.rest(2);
    let spec = match lookup(request) {
        Lookup::Found(spec) if spec.exists_in(version) => spec,
        Lookup::Found(_) | Lookup::Unknown(_) | Lookup::Quit | Lookup::Attack => {
            return Err(Reply::error("ERR Invalid command specified"));
        }
    };
    let is_movable = has_movable_keys(spec);
    if spec.keys() == NO_KEYS && !is_movable {
        return Err(Reply::error("ERR The command has no key arguments"));
    }
    if !spec.accepts(request.len()) {
        return Err(Reply::error(
            "ERR Invalid number of arguments specified for command",
        ));
    }
    let keys: Vec<Reply> = if is_movable {
        let count = request.get(2).and_then(|count| number(count));
        let count = count.and_then(|count| usize::try_from(count).ok());
        let keys = count.and_then(|count| request.get(3..count.checked_add(3)?));
        let error = || Reply::error("ERR Invalid arguments specified for command");
        let keys = keys.filter(|keys| !keys.is_empty()).ok_or_else(error)?;
        keys.iter().cloned().map(Reply::bulk).collect()
    } else {
        spec.keys_of(request).cloned().map(Reply::bulk).collect()
    };
    Ok(Reply::Array(keys))
}
