//! CONFIG, INFO, DBSIZE, FLUSHALL, FLUSHDB; and scripting, which is refused.

use super::super::{resp::Reply, server::Call, store::glob};
use super::{Answer, NO_KEYS, Spec, WRITES, container, info, spec, syntax_error};

pub const COMMANDS: &[Spec] = &[
    container("config"),
    spec("config|get", -3, NO_KEYS, 0, config_get),
    spec("dbsize", 1, NO_KEYS, 0, |call| {
        Ok(Reply::count(call.visible_keys().len()))
    }),
    spec("eval", -3, NO_KEYS, 0, no_scripts),
    spec("evalsha", -3, NO_KEYS, 0, no_scripts),
    spec("eval_ro", -3, NO_KEYS, 0, no_scripts),
    spec("evalsha_ro", -3, NO_KEYS, 0, no_scripts),
    spec("fcall", -3, NO_KEYS, 0, no_scripts),
    spec("fcall_ro", -3, NO_KEYS, 0, no_scripts),
    spec("flushall", -1, NO_KEYS, WRITES, |call| flush(call, false)),
    spec("flushdb", -1, NO_KEYS, WRITES, |call| flush(call, true)),
    spec("function", -2, NO_KEYS, 0, no_scripts),
    spec("info", -1, NO_KEYS, 0, |call| {
        let lower = |word: &bytes::Bytes| String::from_utf8_lossy(word).to_ascii_lowercase();
        let wanted: Vec<String> = call.rest(1).iter().map(lower).collect();
        Ok(Reply::Verbatim(info::sections(call, &wanted).into()))
    }),
    spec("script", -2, NO_KEYS, 0, no_scripts),
];

fn no_scripts(_: &mut Call<'_>) -> Answer {
    Err(Reply::error("ERR scripting is not simulated"))
}

fn config_get(call: &mut Call<'_>) -> Answer {
    let databases = call.config().databases.to_string();
    let known = [
        ("appendonly", "no"),
        (
            "cluster-enabled",
            if call.server.cluster.is_some() {
                "yes"
            } else {
                "no"
            },
        ),
        ("databases", databases.as_str()),
        ("maxmemory", "0"),
        ("notify-keyspace-events", ""),
        ("port", "6380"),
        ("save", ""),
        ("timeout", "0"),
    ];
    let wanted = call.rest(2);
    let pairs = known.iter().filter(|(name, _)| {
        wanted
            .iter()
            .any(|pattern| glob::matches(&pattern.to_ascii_lowercase(), name.as_bytes()))
    });
    let pairs = pairs.map(|(name, value)| (Reply::text(name), Reply::bulk(value.to_string())));
    Ok(Reply::Map(pairs.collect()))
}

fn flush(call: &mut Call<'_>, only_this: bool) -> Answer {
    let fits = match call.rest(1) {
        [] => true,
        [how] => how.eq_ignore_ascii_case(b"async") || how.eq_ignore_ascii_case(b"sync"),
        _ => false,
    };
    if !fits {
        return Err(syntax_error());
    }
    let index = only_this.then_some(call.client.database);
    for (number, key) in call.server.clear(index) {
        for client in call.everybody() {
            client.note(number, &key);
        }
    }
    Ok(Reply::OK)
}
