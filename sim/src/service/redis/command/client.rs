//! CLIENT: the connected clients.

use bytes::Bytes;

use super::super::{
    resp::{Reply, number},
    server::{Call, Client, Ending},
};
use super::{Answer, NO_KEYS, SINCE_7_2, Spec, container, info, spec, syntax_error};

pub const COMMANDS: &[Spec] = &[
    container("client"),
    spec("client|getname", 2, NO_KEYS, 0, |call| {
        let name = call.client.name.clone();
        Ok(Reply::maybe((!name.is_empty()).then_some(name)))
    }),
    spec("client|id", 2, NO_KEYS, 0, |call| Ok(id(call.client.id))),
    spec("client|info", 2, NO_KEYS, 0, |call| {
        let line = info::client(call.client, call.now, call.config().version);
        Ok(Reply::Verbatim((line + "\n").into()))
    }),
    spec("client|kill", -3, NO_KEYS, 0, kill),
    spec("client|list", -2, NO_KEYS, 0, list),
    spec("client|no-evict", 3, NO_KEYS, 0, |call| {
        call.client.no_evict = on_or_off(call)?;
        Ok(Reply::OK)
    }),
    spec("client|no-touch", 3, NO_KEYS, SINCE_7_2, |call| {
        call.client.no_touch = on_or_off(call)?;
        Ok(Reply::OK)
    }),
    spec("client|setinfo", 4, NO_KEYS, SINCE_7_2, set_info),
    spec("client|setname", 3, NO_KEYS, 0, |call| {
        check_name(call.arg(2))?;
        call.client.name = call.arg(2).clone();
        Ok(Reply::OK)
    }),
    spec("client|unblock", -3, NO_KEYS, 0, unblock),
];

fn id(id: u64) -> Reply {
    Reply::Int(i64::try_from(id).unwrap_or(i64::MAX))
}

fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// A name without spaces and control characters.
pub fn check_name(name: &[u8]) -> Result<(), Reply> {
    let error = "ERR Client names cannot contain spaces, newlines or special characters.";
    is_plain(name)
        .then_some(())
        .ok_or_else(|| Reply::error(error))
}

fn on_or_off(call: &Call<'_>) -> Result<bool, Reply> {
    match () {
        () if call.is_word(2, "on") => Ok(true),
        () if call.is_word(2, "off") => Ok(false),
        () => Err(syntax_error()),
    }
}

fn set_info(call: &mut Call<'_>) -> Answer {
    let (option, value) = (call.arg(2).clone(), call.arg(3).clone());
    let (is_name, shown) = match option.to_ascii_lowercase().as_slice() {
        b"lib-name" => (true, "LIB-NAME"),
        b"lib-ver" => (false, "LIB-VER"),
        _ => {
            let mut line = b"ERR Unrecognized option '".to_vec();
            line.extend_from_slice(&option);
            line.push(b'\'');
            return Err(Reply::error(line));
        }
    };
    if !is_plain(&value) {
        return Err(Reply::error(format!(
            "ERR {shown} cannot contain spaces, newlines or special characters."
        )));
    }
    let library = &mut call.client.library;
    *(if is_name {
        &mut library.0
    } else {
        &mut library.1
    }) = value;
    Ok(Reply::OK)
}

fn list(call: &mut Call<'_>) -> Answer {
    let (now, version, node) = (call.now, call.config().version, call.client.node);
    let wanted: Option<Vec<u64>> = match call.rest(2) {
        [] => None,
        [option, kind] if option.eq_ignore_ascii_case(b"type") => {
            let kind = kind.to_ascii_lowercase();
            match kind.as_slice() {
                b"normal" | b"pubsub" => {}
                b"master" | b"replica" | b"slave" => return Ok(Reply::Verbatim(Bytes::new())),
                _ => {
                    let mut line = b"ERR Unknown client type '".to_vec();
                    line.extend_from_slice(call.arg(3));
                    line.push(b'\'');
                    return Err(Reply::error(line));
                }
            }
            let is_subscriber = kind == b"pubsub";
            let all = call.everybody().into_iter();
            let kept = all.filter(|client| (client.subscriptions() > 0) == is_subscriber);
            Some(kept.map(|client| client.id).collect())
        }
        [option, ids @ ..] if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() => {
            let read = |text: &Bytes| number(text).and_then(|id| u64::try_from(id).ok());
            let ids: Option<Vec<u64>> = ids.iter().map(read).collect();
            Some(ids.ok_or_else(|| Reply::error("ERR Invalid client ID"))?)
        }
        _ => return Err(syntax_error()),
    };
    let mut lines = String::new();
    for client in call.everybody() {
        let is_wanted = wanted.as_ref().is_none_or(|ids| ids.contains(&client.id));
        if is_wanted && client.node == node {
            lines += &info::client(client, now, version);
            lines.push('\n');
        }
    }
    Ok(Reply::Verbatim(lines.into()))
}

/// Which clients CLIENT KILL means.
#[derive(Default)]
struct Filter {
    id: Option<u64>,
    user: Option<Bytes>,
    address: Option<Bytes>,
    subscribers: Option<bool>,
    skips_me: bool,
}

impl Filter {
    fn read(call: &Call<'_>) -> Result<Self, Reply> {
        let mut filter = Self {
            skips_me: true,
            ..Self::default()
        };
        for pair in call.rest(2).chunks(2) {
            let [option, value] = pair else {
                return Err(syntax_error());
            };
            match option.to_ascii_lowercase().as_slice() {
                b"id" => {
                    let id = number(value)
                        .and_then(|id| u64::try_from(id).ok())
                        .filter(|id| *id > 0);
                    let error = "ERR client-id should be greater than 0";
                    filter.id = Some(id.ok_or_else(|| Reply::error(error))?);
                }
                b"user" if call.gate.knows(value) => filter.user = Some(value.clone()),
                b"user" => {
                    let mut line = b"ERR No such user '".to_vec();
                    line.extend_from_slice(value);
                    line.push(b'\'');
                    return Err(Reply::error(line));
                }
                b"addr" => filter.address = Some(value.clone()),
                b"type" => match value.to_ascii_lowercase().as_slice() {
                    b"normal" => filter.subscribers = Some(false),
                    b"pubsub" => filter.subscribers = Some(true),
                    _ => {
                        let mut line = b"ERR Unknown client type '".to_vec();
                        line.extend_from_slice(value);
                        line.push(b'\'');
                        return Err(Reply::error(line));
                    }
                },
                b"skipme" => match value.to_ascii_lowercase().as_slice() {
                    b"yes" => filter.skips_me = true,
                    b"no" => filter.skips_me = false,
                    _ => return Err(syntax_error()),
                },
                _ => return Err(syntax_error()),
            }
        }
        Ok(filter)
    }

    fn means(&self, client: &Client, me: u64) -> bool {
        let user = client.user.as_deref().unwrap_or("default");
        self.id.is_none_or(|id| id == client.id)
            && self
                .user
                .as_ref()
                .is_none_or(|wanted| wanted == user.as_bytes())
            && self
                .address
                .as_ref()
                .is_none_or(|wanted| wanted == client.address.as_bytes())
            && self
                .subscribers
                .is_none_or(|wanted| wanted == (client.subscriptions() > 0))
            && !(self.skips_me && client.id == me)
    }
}

fn kill(call: &mut Call<'_>) -> Answer {
    let by_address = call.args.len() == 3;
    let filter = if by_address {
        Filter {
            address: Some(call.arg(2).clone()),
            ..Filter::default()
        }
    } else {
        Filter::read(call)?
    };
    let (me, node) = (call.client.id, call.client.node);
    let mut killed = Vec::new();
    for client in call.everybody() {
        if client.node == node && filter.means(client, me) {
            client.closing = Some(Ending::by_server("somebody said CLIENT KILL"));
            if client.id != me {
                client.cut_off();
            }
            killed.push(client.id);
        }
    }
    killed.iter().for_each(|id| call.server.touch(*id));
    match killed.len() {
        0 if by_address => Err(Reply::error("ERR No such client")),
        _ if by_address => Ok(Reply::OK),
        count => Ok(Reply::count(count)),
    }
}

fn unblock(call: &mut Call<'_>) -> Answer {
    let with_error = match call.rest(3) {
        [] => false,
        [how] if how.eq_ignore_ascii_case(b"timeout") => false,
        [how] if how.eq_ignore_ascii_case(b"error") => true,
        _ => {
            return Err(Reply::error(
                "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
            ));
        }
    };
    let id = call.integer(2)?;
    let reply = if with_error {
        Reply::error("UNBLOCKED client unblocked via CLIENT UNBLOCK")
    } else {
        Reply::NullArray
    };
    let woken = u64::try_from(id).is_ok_and(|id| call.server.wake(id, &reply));
    Ok(Reply::flag(woken))
}
