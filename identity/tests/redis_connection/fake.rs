//! A Redis server in memory, of the few commands that the tests need.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim_identity::{
    Platform,
    platform::{BoxFuture, ByteStream, ByteStreams},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::core_support::Host;

/// What becomes of an `AUTH` that re-authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    Accept,
    Refuse,
    /// As 7.2 to 8.x do behind other answers: nothing at all (RA-09).
    Swallow,
    Late(Duration),
    /// Refused after this time.
    RefuseLate(Duration),
    /// Another answer than `OK` or an error.
    Nonsense,
    HangUp,
}

#[derive(Clone)]
pub struct Fake(Arc<Inner>);

struct Inner {
    host: Host,
    plan: Mutex<VecDeque<Auth>>,
    log: Mutex<Vec<(Duration, usize, String)>>,
    connections: Mutex<usize>,
    /// How many handshakes are refused.
    strict: Mutex<usize>,
    /// Before the answer to `ECHO`.
    delay: Mutex<Duration>,
    /// Before a connection is there.
    distance: Mutex<Duration>,
}

impl Fake {
    pub fn new(host: &Host) -> Self {
        Self(Arc::new(Inner {
            host: host.clone(),
            plan: Mutex::default(),
            log: Mutex::default(),
            connections: Mutex::default(),
            strict: Mutex::default(),
            delay: Mutex::default(),
            distance: Mutex::default(),
        }))
    }

    /// What becomes of the next `AUTH`s; then they are accepted.
    pub fn will(&self, plan: impl IntoIterator<Item = Auth>) -> &Self {
        self.0.plan.lock().unwrap().extend(plan);
        self
    }

    /// Refuses so many handshakes.
    pub fn refuse(&self, count: usize) {
        *self.0.strict.lock().unwrap() = count;
    }

    pub fn connecting_takes(&self, distance: Duration) {
        *self.0.distance.lock().unwrap() = distance;
    }

    pub fn echo_takes(&self, delay: Duration) {
        *self.0.delay.lock().unwrap() = delay;
    }

    pub fn platform(&self) -> Platform {
        let mut platform = self.0.host.platform();
        platform.streams = Arc::new(self.clone());
        platform
    }

    /// What arrived: when, on which connection, and the command without secrets.
    pub fn log(&self) -> Vec<(Duration, usize, String)> {
        self.0.log.lock().unwrap().clone()
    }

    /// The commands that begin with this.
    pub fn arrived(&self, name: &str) -> Vec<(Duration, usize, String)> {
        let mut log = self.log();
        log.retain(|(_, _, command)| command.starts_with(name));
        log
    }

    fn is_strict(&self) -> bool {
        let mut strict = self.0.strict.lock().unwrap();
        let is_strict = *strict > 0;
        *strict = strict.saturating_sub(1);
        is_strict
    }

    async fn serve(self, mut stream: DuplexStream, number: usize) -> io::Result<()> {
        let (mut buffer, mut chunk) = (Vec::new(), [0; 4096]);
        let mut session = Session {
            queued: None,
            fresh: true,
        };
        loop {
            while let Some(words) = parse(&mut buffer) {
                let name = words[0].to_ascii_uppercase();
                let shown = match name.as_str() {
                    "AUTH" | "HELLO" => name.clone(),
                    _ => words.join(" "),
                };
                let arrived = (self.0.host.elapsed(), number, shown);
                self.0.log.lock().unwrap().push(arrived);
                let signs_in = ["HELLO", "AUTH"].contains(&name.as_str());
                let reply = if signs_in && session.queued.is_none() {
                    match self.sign_in(&mut session, &name).await {
                        SignIn::Reply(reply) => reply.to_owned(),
                        SignIn::Silence => continue,
                        SignIn::HangUp => return Ok(()),
                    }
                } else {
                    self.reply(&mut session, name, &words).await
                };
                stream.write_all(reply.as_bytes()).await?;
            }
            match stream.read(&mut chunk).await? {
                0 => return Ok(()),
                read => buffer.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// Answers HELLO or AUTH outside a transaction: the first by `strict`, each further AUTH as
    /// planned.
    async fn sign_in(&self, session: &mut Session, name: &str) -> SignIn {
        if session.fresh && self.is_strict() {
            return SignIn::Reply("-WRONGPASS invalid\r\n");
        }
        if session.fresh || name == "HELLO" {
            let is_first = std::mem::take(&mut session.fresh);
            return SignIn::Reply(match (is_first, name) {
                (true, "HELLO") => "%1\r\n$5\r\nproto\r\n:3\r\n",
                _ => OK,
            });
        }
        let next = self.0.plan.lock().unwrap().pop_front();
        match next.unwrap_or(Auth::Accept) {
            Auth::Accept => SignIn::Reply(OK),
            Auth::Refuse => SignIn::Reply("-WRONGPASS invalid\r\n"),
            Auth::Swallow => SignIn::Silence,
            Auth::Late(delay) => {
                self.0.host.sleep(delay).await;
                SignIn::Reply(OK)
            }
            Auth::RefuseLate(delay) => {
                self.0.host.sleep(delay).await;
                SignIn::Reply("-WRONGPASS invalid\r\n")
            }
            Auth::Nonsense => SignIn::Reply("$5\r\nstale\r\n"),
            Auth::HangUp => SignIn::HangUp,
        }
    }

    async fn reply(&self, session: &mut Session, name: String, words: &[String]) -> String {
        match (name.as_str(), &mut session.queued) {
            ("MULTI", queued) => {
                *queued = Some(Vec::new());
                OK.to_owned()
            }
            ("DISCARD", queued) => match queued.take() {
                Some(_) => OK.to_owned(),
                None => "-ERR DISCARD without MULTI\r\n".to_owned(),
            },
            ("EXEC", queued) => match queued.take() {
                Some(all) => format!("*{}\r\n{}", all.len(), OK.repeat(all.len())),
                None => "-ERR EXEC without MULTI\r\n".to_owned(),
            },
            (_, Some(queued)) => {
                queued.push(name);
                "+QUEUED\r\n".to_owned()
            }
            ("PING", None) => "+PONG\r\n".to_owned(),
            ("ECHO", None) => {
                let delay = *self.0.delay.lock().unwrap();
                if !delay.is_zero() {
                    self.0.host.sleep(delay).await;
                }
                format!("${}\r\n{}\r\n", words[1].len(), words[1])
            }
            ("BLPOP", None) => {
                let seconds: f64 = words[2].parse().unwrap();
                assert!(seconds > 0.0, "a slice ends");
                self.0.host.sleep(Duration::from_secs_f64(seconds)).await;
                "_\r\n".to_owned()
            }
            _ => OK.to_owned(),
        }
    }
}

const OK: &str = "+OK\r\n";

/// What a connection remembers.
struct Session {
    /// The commands since MULTI.
    queued: Option<Vec<String>>,
    /// Whether it has not signed in yet.
    fresh: bool,
}

enum SignIn {
    Reply(&'static str),
    Silence,
    HangUp,
}

impl ByteStreams for Fake {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        let this = self.clone();
        Box::pin(async move {
            let distance = *this.0.distance.lock().unwrap();
            if !distance.is_zero() {
                this.0.host.sleep(distance).await;
            }
            let (client, server) = tokio::io::duplex(1 << 16);
            let number = {
                let mut connections = this.0.connections.lock().unwrap();
                *connections += 1;
                *connections
            };
            tokio::spawn(this.serve(server, number));
            Ok(Box::new(client) as ByteStream)
        })
    }
}

/// One command off the front, if it is whole.
pub fn parse(buffer: &mut Vec<u8>) -> Option<Vec<String>> {
    let text = String::from_utf8(buffer.clone()).unwrap();
    let mut rest = text.strip_prefix('*')?;
    let mut line = |until: Option<usize>| {
        let (line, after) = match until {
            None => rest.split_once("\r\n")?,
            Some(length) => (
                rest.get(..length)?,
                rest.get(length..)?.strip_prefix("\r\n")?,
            ),
        };
        rest = after;
        Some(line.to_owned())
    };
    let count: usize = line(None)?.parse().ok()?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = line(None)?.strip_prefix('$')?.parse().ok()?;
        words.push(line(Some(length))?);
    }
    let used = text.len() - rest.len();
    buffer.drain(..used);
    Some(words)
}
