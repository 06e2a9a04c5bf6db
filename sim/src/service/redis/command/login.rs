//! AUTH, HELLO, ACL WHOAMI (RS-02 to RS-06).

use bytes::Bytes;

use super::super::{
    resp::{Protocol, Reply, number},
    server::{Call, Version},
};
use super::{Answer, NO_KEYS, NO_LOGIN, Spec, container, spec, syntax_error};

pub const COMMANDS: &[Spec] = &[
    spec("auth", -2, NO_KEYS, NO_LOGIN, auth),
    spec("hello", -1, NO_KEYS, NO_LOGIN, hello),
    container("acl"),
    spec("acl|whoami", 2, NO_KEYS, 0, whoami),
];

const NO_HELLO: &str = "HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time";
const NO_HELLO_7_0: &str = "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time";

fn auth(call: &mut Call<'_>) -> Answer {
    let (user, password) = match call.args {
        [_, password] if call.gate.is_open() => {
            let _ = password;
            return Err(Reply::error(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
            ));
        }
        [_, password] => (Bytes::from_static(b"default"), password.clone()),
        [_, user, password] => (user.clone(), password.clone()),
        _ => return Err(syntax_error()),
    };
    login(call, &user, &password)?;
    Ok(Reply::OK)
}

/// A failed login changes nothing (RS-03).
fn login(call: &mut Call<'_>, user: &[u8], password: &[u8]) -> Result<(), Reply> {
    match call.gate.check(user, password) {
        Some(login) => {
            call.client.user = Some(login.user);
            call.client.until = login.until;
            Ok(())
        }
        // The switch of RS-22: 7.2 to 8 lose the error behind other replies.
        None if call.config().desync && !call.client.out.is_empty() => Err(Reply::Nothing),
        None => Err(Reply::error(
            "WRONGPASS invalid username-password pair or user is disabled.",
        )),
    }
}

/// What the options of HELLO ask for.
#[derive(Default)]
struct Options {
    login: Option<(Bytes, Bytes)>,
    name: Option<Bytes>,
}

fn hello(call: &mut Call<'_>) -> Answer {
    let protocol = match call.args.get(1).map(|version| number(version)) {
        None => None,
        Some(None) => {
            return Err(Reply::error(
                "ERR Protocol version is not an integer or out of range",
            ));
        }
        Some(Some(2)) => Some(Protocol::Resp2),
        Some(Some(3)) => Some(Protocol::Resp3),
        Some(Some(_)) => return Err(Reply::error("NOPROTO unsupported protocol version")),
    };
    // 7.0 does what an option says before it reads the next one; 7.4 reads all of them first.
    let at_once = call.config().version == Version::V7_0;
    let mut options = Options::default();
    let mut rest = call.args.get(2..).unwrap_or_default();
    while let [option, tail @ ..] = rest {
        rest = match tail {
            [user, password, tail @ ..] if option.eq_ignore_ascii_case(b"auth") => {
                if at_once {
                    login(call, user, password)?;
                } else {
                    options.login = Some((user.clone(), password.clone()));
                }
                tail
            }
            [name, tail @ ..] if option.eq_ignore_ascii_case(b"setname") => {
                super::client::check_name(name)?;
                if at_once {
                    call.client.name = name.clone();
                } else {
                    options.name = Some(name.clone());
                }
                tail
            }
            _ => {
                let mut line = b"ERR Syntax error in HELLO option '".to_vec();
                line.extend_from_slice(option);
                line.push(b'\'');
                return Err(Reply::error(line));
            }
        };
    }
    if let Some((user, password)) = options.login {
        login(call, &user, &password)?;
    }
    if call.client.user.is_none() && call.gate.is_open() {
        call.client.user = Some("default".to_owned());
    }
    if call.client.user.is_none() {
        let text = if at_once { NO_HELLO_7_0 } else { NO_HELLO };
        return Err(Reply::error(format!("NOAUTH {text}")));
    }
    if let Some(name) = options.name {
        call.client.name = name;
    }
    if let Some(protocol) = protocol {
        call.client.protocol = protocol;
    }
    Ok(greeting(call))
}

fn greeting(call: &Call<'_>) -> Reply {
    let proto = if call.client.protocol == Protocol::Resp3 {
        3
    } else {
        2
    };
    let (mode, role) = match &call.server.cluster {
        None => ("standalone", "master"),
        Some(cluster) => {
            let node = cluster.nodes.get(call.client.node);
            let is_replica = node.is_some_and(|node| node.replica_of.is_some());
            ("cluster", if is_replica { "replica" } else { "master" })
        }
    };
    Reply::Map(vec![
        (Reply::text("server"), Reply::text("redis")),
        (
            Reply::text("version"),
            Reply::text(call.config().version.number()),
        ),
        (Reply::text("proto"), Reply::Int(proto)),
        (
            Reply::text("id"),
            Reply::Int(i64::try_from(call.client.id).unwrap_or(i64::MAX)),
        ),
        (Reply::text("mode"), Reply::text(mode)),
        (Reply::text("role"), Reply::text(role)),
        (Reply::text("modules"), Reply::Array(Vec::new())),
    ])
}

fn whoami(call: &mut Call<'_>) -> Answer {
    Ok(Reply::bulk(call.client.user.clone().unwrap_or_default()))
}
