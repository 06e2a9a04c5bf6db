//! PING, ECHO, SELECT, RESET, TIME.

use super::super::{resp::Reply, server::Call};
use super::{AT_ONCE, Answer, NO_KEYS, NO_LOGIN, SUBSCRIBED, Spec, spec, wrong_arity};

pub const COMMANDS: &[Spec] = &[
    spec("echo", 2, NO_KEYS, 0, |call| {
        Ok(Reply::Bulk(call.arg(1).clone()))
    }),
    spec("ping", -1, NO_KEYS, SUBSCRIBED, ping),
    spec("reset", 1, NO_KEYS, NO_LOGIN | SUBSCRIBED | AT_ONCE, reset),
    spec("select", 2, NO_KEYS, 0, select),
    spec("time", 1, NO_KEYS, 0, time),
];

fn ping(call: &mut Call<'_>) -> Answer {
    let text = call.args.get(1).cloned();
    if call.args.len() > 2 {
        return Err(wrong_arity("ping"));
    }
    Ok(match text {
        text if call.client.is_restricted() => Reply::Array(vec![
            Reply::text("pong"),
            Reply::Bulk(text.unwrap_or_default()),
        ]),
        Some(text) => Reply::Bulk(text),
        None => Reply::simple("PONG"),
    })
}

fn reset(call: &mut Call<'_>) -> Answer {
    call.client.reset();
    Ok(Reply::simple("RESET"))
}

fn select(call: &mut Call<'_>) -> Answer {
    let index = call.integer(1)?;
    if i32::try_from(index).is_err() {
        let error = "ERR value is out of range, value must between -2147483648 and 2147483647";
        return Err(Reply::error(error));
    }
    if call.server.cluster.is_some() {
        return Err(Reply::error("ERR SELECT is not allowed in cluster mode"));
    }
    let index = usize::try_from(index).ok();
    call.client.database = index
        .filter(|index| *index < call.config().databases)
        .ok_or_else(|| Reply::error("ERR DB index is out of range"))?;
    Ok(Reply::OK)
}

fn time(call: &mut Call<'_>) -> Answer {
    let (seconds, micros) = (
        call.now.div_euclid(1_000_000),
        call.now.rem_euclid(1_000_000),
    );
    Ok(Reply::Array(vec![
        Reply::bulk(seconds.to_string()),
        Reply::bulk(micros.to_string()),
    ]))
}
