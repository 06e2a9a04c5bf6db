//! A server whose every answer a test writes down.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim_identity::{
    Platform,
    platform::{BoxFuture, ByteStream, ByteStreams},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
};

use crate::{core_support::Host, fake::parse};

/// What a connection, counted from 1, answers to a command; nothing for an empty text.
type Answers = dyn Fn(usize, &[String]) -> String + Send + Sync;

#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    host: Host,
    answers: Box<Answers>,
    log: Mutex<Vec<(Duration, usize, Vec<String>)>>,
    connections: Mutex<Vec<mpsc::UnboundedSender<String>>>,
}

impl Peer {
    pub fn new(
        host: &Host,
        answers: impl Fn(usize, &[String]) -> String + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            host: host.clone(),
            answers: Box::new(answers),
            log: Mutex::default(),
            connections: Mutex::default(),
        }))
    }

    pub fn platform(&self) -> Platform {
        let mut platform = self.0.host.platform();
        platform.streams = Arc::new(self.clone());
        platform
    }

    /// Sends this on a connection. An empty text closes it.
    pub fn push(&self, connection: usize, text: &str) {
        let connections = self.0.connections.lock().unwrap();
        connections[connection - 1].send(text.to_owned()).unwrap();
    }

    /// Whether the connection is closed.
    pub fn is_closed(&self, connection: usize) -> bool {
        self.0.connections.lock().unwrap()[connection - 1].is_closed()
    }

    /// The names of the commands that arrived on a connection after its handshake, in order.
    pub fn commands(&self, connection: usize) -> Vec<String> {
        let log = self.0.log.lock().unwrap();
        let on_it = log.iter().filter(|(_, on, _)| *on == connection);
        let names = on_it.map(|(.., words)| words[0].clone());
        let handshake = ["HELLO", "CLIENT"];
        names
            .filter(|name| !handshake.contains(&name.as_str()))
            .collect()
    }

    /// When commands of this name arrived, on all connections.
    pub fn times(&self, name: &str) -> Vec<Duration> {
        let log = self.0.log.lock().unwrap();
        let named = log.iter().filter(|(.., words)| words[0] == name);
        named.map(|(at, ..)| *at).collect()
    }

    /// What arrived on a connection, by the name of the command.
    pub fn arrived(&self, connection: usize, name: &str) -> Vec<Vec<String>> {
        let log = self.0.log.lock().unwrap();
        log.iter()
            .filter(|(_, on, words)| *on == connection && words[0] == name)
            .map(|(.., words)| words.clone())
            .collect()
    }
}

/// The end of an answer after which the server reads nothing more on that connection, and keeps it
/// open.
pub const DEAF: &str = "deaf";

/// The end of an answer after which the server closes that connection.
pub const HANG_UP: &str = "hang up";

impl ByteStreams for Peer {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        let this = self.clone();
        Box::pin(async move {
            let (client, mut server) = tokio::io::duplex(1 << 16);
            let (sender, mut pushes) = mpsc::unbounded_channel::<String>();
            let number = {
                let mut connections = this.0.connections.lock().unwrap();
                connections.push(sender);
                connections.len()
            };
            tokio::spawn(async move {
                let (mut buffer, mut chunk) = (Vec::new(), [0; 4096]);
                loop {
                    while let Some(words) = parse(&mut buffer) {
                        let at = this.0.host.elapsed();
                        let answer = (this.0.answers)(number, &words);
                        this.0.log.lock().unwrap().push((at, number, words));
                        if let Some(last) = answer.strip_suffix(HANG_UP) {
                            let _ = server.write_all(last.as_bytes()).await;
                            return;
                        }
                        if let Some(last) = answer.strip_suffix(DEAF) {
                            let _ = server.write_all(last.as_bytes()).await;
                            let _ = pushes.recv().await;
                            return;
                        }
                        if server.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                    tokio::select! { biased;
                        push = pushes.recv() => match push {
                            Some(push) if !push.is_empty() => {
                                let _ = server.write_all(push.as_bytes()).await;
                            }
                            _ => return,
                        },
                        read = server.read(&mut chunk) => match read {
                            Ok(0) | Err(_) => return,
                            Ok(read) => buffer.extend_from_slice(&chunk[..read]),
                        },
                    }
                }
            });
            Ok(Box::new(client) as ByteStream)
        })
    }
}

/// What a server with RESP2 sends to a subscriber.
pub fn resp2(words: &[String]) -> String {
    match words[0].as_str() {
        name @ ("SUBSCRIBE" | "UNSUBSCRIBE") => words[1..]
            .iter()
            .map(|channel| {
                let kind = name.to_lowercase();
                format!(
                    "*3\r\n${}\r\n{kind}\r\n${}\r\n{channel}\r\n:1\r\n",
                    kind.len(),
                    channel.len()
                )
            })
            .collect(),
        "PING" => "*2\r\n$4\r\npong\r\n$0\r\n\r\n".to_owned(),
        _ => "+OK\r\n".to_owned(),
    }
}
