//! The server without sockets, beside a real one.

mod faults;
mod random;
mod real;
mod scripts;
mod serving;

use super::{
    resp::{ProtocolError, Reply, Requests},
    server::{ClientId, Config, Ending, Gate, Login, Micros, Server, Version},
};

/// Lets in everybody, or `alice` and `bob` with the password `secret`.
pub struct Door {
    pub is_open: bool,
}

impl Gate for Door {
    fn check(&mut self, user: &[u8], password: &[u8]) -> Option<Login> {
        let user = String::from_utf8_lossy(user).into_owned();
        let known = ["alice", "bob"].contains(&user.as_str()) && password == b"secret";
        let default = user == "default" && self.is_open;
        (known || default).then_some(Login { user, until: None })
    }

    fn is_open(&self) -> bool {
        self.is_open
    }

    fn knows(&self, user: &[u8]) -> bool {
        [b"default".as_slice(), b"alice", b"bob"].contains(&user)
    }
}

/// Our server, and what its clients have sent.
pub struct Ours {
    pub server: Server,
    pub door: Door,
    inboxes: Vec<(ClientId, Requests)>,
}

impl Ours {
    pub fn new(version: Version, desync: bool, is_open: bool) -> Self {
        let config = Config {
            version,
            desync,
            ..Config::default()
        };
        Self {
            server: Server::new(config, None),
            door: Door { is_open },
            inboxes: Vec::new(),
        }
    }

    pub fn connect(&mut self, now: Micros) -> usize {
        let id = self.server.connect(0, "127.0.0.1:1", now);
        self.inboxes.push((id, Requests::default()));
        self.inboxes.len() - 1
    }

    /// Sends bytes; who got what.
    pub fn send(&mut self, connection: usize, bytes: &[u8], now: Micros) -> Vec<Vec<u8>> {
        self.inboxes[connection].1.feed(bytes);
        self.settle(now)
    }

    /// Time passes.
    pub fn settle(&mut self, now: Micros) -> Vec<Vec<u8>> {
        self.server.tick(now);
        let mut busy = true;
        while busy {
            busy = false;
            for (id, requests) in &mut self.inboxes {
                while let Some(client) = self.server.client(*id)
                    && client.closing.is_none()
                    && client.blocked.is_none()
                {
                    let is_in = client.user.is_some() || self.door.is_open;
                    match requests.next(is_in) {
                        Ok(None) => break,
                        Ok(Some(args)) => {
                            self.server.execute(*id, &args, now, &mut self.door);
                            busy = true;
                        }
                        Err(ProtocolError(line)) => {
                            let client = self.server.client_mut(*id).expect("it is there");
                            client.write(&Reply::error([b"ERR ", line.as_ref()].concat()));
                            client.closing = Some(Ending::by_server("not RESP"));
                        }
                    }
                }
            }
        }
        let ids: Vec<ClientId> = self.inboxes.iter().map(|(id, _)| *id).collect();
        let outputs = ids.iter().map(|id| self.server.take_output(*id)).collect();
        for id in ids {
            if self
                .server
                .client(id)
                .is_some_and(|client| client.closing.is_some())
            {
                self.server.disconnect(id);
            }
        }
        outputs
    }

    pub fn is_free(&self, connection: usize) -> bool {
        let client = self.server.client(self.inboxes[connection].0);
        client.is_some_and(|client| client.blocked.is_none() && client.closing.is_none())
    }
}

/// A request as clients send it; words are separated by spaces, `''` is an empty one.
pub fn request(line: &str) -> Vec<u8> {
    let words: Vec<&str> = line
        .split(' ')
        .map(|word| if word == "''" { "" } else { word })
        .collect();
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
    }
    bytes
}
