//! MULTI, EXEC, DISCARD, WATCH, UNWATCH (RS-10).

use super::super::{
    resp::{Protocol, Reply},
    server::{Call, Transaction},
};
use super::{ALL_KEYS, AT_ONCE, Answer, NO_KEYS, Spec, shown, spec};

pub const COMMANDS: &[Spec] = &[
    spec("discard", 1, NO_KEYS, AT_ONCE, |call| {
        let open = call.client.transaction.take();
        open.ok_or_else(|| Reply::error("ERR DISCARD without MULTI"))?;
        call.client.unwatch();
        Ok(Reply::OK)
    }),
    spec("exec", 1, NO_KEYS, AT_ONCE, exec),
    spec("multi", 1, NO_KEYS, AT_ONCE, |call| {
        if call.client.transaction.is_some() {
            return Err(Reply::error("ERR MULTI calls can not be nested"));
        }
        call.client.transactions += 1;
        let number = call.client.transactions;
        call.done.transaction = Some(number);
        call.client.transaction = Some(Transaction {
            number,
            queue: Vec::new(),
            broken: false,
        });
        Ok(Reply::OK)
    }),
    spec("unwatch", 1, NO_KEYS, 0, |call| {
        call.client.unwatch();
        Ok(Reply::OK)
    }),
    spec("watch", -2, ALL_KEYS, AT_ONCE, |call| {
        if call.client.transaction.is_some() {
            return Err(Reply::error("ERR WATCH inside MULTI is not allowed"));
        }
        let database = call.client.database;
        for key in call.rest(1).to_vec() {
            let watched = (database, key);
            if !call.client.watched.contains(&watched) {
                call.client.watched.push(watched);
            }
        }
        Ok(Reply::OK)
    }),
];

fn exec(call: &mut Call<'_>) -> Answer {
    let open = call.client.transaction.take();
    let open = open.ok_or_else(|| Reply::error("ERR EXEC without MULTI"))?;
    let dirty = call.client.dirty;
    call.client.unwatch();
    if open.broken {
        let error = "EXECABORT Transaction discarded because of previous errors.";
        return Err(Reply::error(error));
    }
    if dirty {
        return Ok(Reply::NullArray);
    }
    // Written piece by piece: what happens inside depends on what has been written before (RS-22).
    let head = format!("*{}\r\n", open.queue.len());
    call.client.out.extend_from_slice(head.as_bytes());
    let mut shorts = Vec::new();
    for args in &open.queue {
        let reply = call.run_queued(args);
        let protocol: Protocol = call.client.protocol;
        reply.write(protocol, &mut call.client.out);
        shorts.push(shown::reply(args, reply.short(), reply.is_error()));
    }
    call.done.reply = format!("[{}]", shorts.join(", "));
    Ok(Reply::Nothing)
}
