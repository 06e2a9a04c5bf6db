//! A real redis-server 7.0.15, and the comparison with ours, byte for byte.
#![expect(
    clippy::disallowed_methods,
    reason = "a real program with its own clock"
)]

use std::{
    env,
    io::{ErrorKind, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use super::super::{
    resp::{Protocol, Reply, read},
    server::{Micros, Version},
};
use super::{Ours, request};

/// The version that ours is compared with.
const VERSION: &str = "v=7.0.15 ";

/// A running server; it ends with its owner.
pub struct Real {
    process: Child,
    folder: tempfile::TempDir,
    control: UnixStream,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn now() -> Micros {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_micros()).expect("before the year 290000")
}

impl Real {
    /// None, and a line that says so, where that version is not installed; with `CREDSIM_REQUIRE`
    /// a failure.
    pub fn start() -> Option<Self> {
        let version = Command::new("redis-server").arg("--version").output();
        let is_it = version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains(VERSION));
        if !is_it {
            assert!(
                env::var_os("CREDSIM_REQUIRE").is_none(),
                "redis-server 7.0.15 is missing"
            );
            println!("skipped: redis-server 7.0.15 is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let process = Command::new("redis-server")
            .args([
                "--port",
                "0",
                "--save",
                "",
                "--appendonly",
                "no",
                "--unixsocket",
            ])
            .arg(folder.path().join("s"))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let control = (0..500).find_map(|_| {
            std::thread::sleep(Duration::from_millis(10));
            UnixStream::connect(folder.path().join("s")).ok()
        });
        let control = control.expect("redis-server listens");
        Some(Self {
            process,
            folder,
            control,
        })
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// The number of the last client that is connected.
    fn last_id(&mut self) -> u64 {
        let Reply::Bulk(list) = self.ask("CLIENT LIST") else {
            panic!("a list of clients");
        };
        let list = String::from_utf8_lossy(&list).into_owned();
        let ids = list
            .lines()
            .filter_map(|line| line.strip_prefix("id=")?.split(' ').next()?.parse().ok());
        ids.max().expect("a client")
    }

    /// Asks on a connection of its own.
    pub fn ask(&mut self, line: &str) -> Reply {
        let mut control = &self.control;
        control.write_all(&request(line)).expect("it is up");
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            if let Some((reply, used)) = read::reply(&bytes).expect("RESP") {
                assert_eq!(used, bytes.len(), "one reply to {line}");
                return reply;
            }
            let read = control.read(&mut piece).expect("it is up");
            assert!(read > 0, "it closed");
            bytes.extend_from_slice(&piece[..read]);
        }
    }
}

/// Both servers, with the same clients.
pub struct Both<'a> {
    real: &'a mut Real,
    pub ours: Ours,
    streams: Vec<UnixStream>,
    said: String,
    last_id: u64,
    began: Instant,
    is_late: bool,
}

/// Commands that come later than this after the first may be answered with another number of
/// seconds than ours: half a second rounds up.
const LATE: Duration = Duration::from_millis(400);

impl<'a> Both<'a> {
    pub fn new(real: &'a mut Real, clients: usize, is_open: bool) -> Self {
        real.ask("CLIENT KILL TYPE normal SKIPME yes");
        real.ask("CLIENT KILL TYPE pubsub");
        real.ask("FLUSHALL");
        let last_id = real.last_id();
        let mut both = Self {
            real,
            ours: Ours::new(Version::V7_0, false, is_open),
            streams: Vec::new(),
            said: String::new(),
            last_id,
            began: Instant::now(),
            is_late: false,
        };
        (0..clients).for_each(|_| both.connect());
        both.began = Instant::now();
        both
    }

    fn connect(&mut self) {
        let stream = UnixStream::connect(self.real.socket()).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .expect("a timeout");
        // The numbers of both servers' clients are the same from here on.
        let before = self.last_id;
        while self.last_id == before {
            self.last_id = self.real.last_id();
        }
        self.ours.server.number_next(self.last_id);
        self.ours.connect(now());
        self.streams.push(stream);
    }

    /// Sends the same to both, and compares what everybody gets.
    pub fn send(&mut self, client: usize, bytes: &[u8], sorted: bool) -> Result<(), String> {
        let shown = String::from_utf8_lossy(bytes).replace("\r\n", " ");
        self.said.push_str(&format!(
            "  {client}> {}\n",
            &shown.chars().take(300).collect::<String>()
        ));
        self.streams[client]
            .write_all(bytes)
            .map_err(|error| error.to_string())?;
        let expected = self.ours.send(client, bytes, now());
        // When this is answered, what was sent before has been read.
        self.real.ask("PING");
        self.is_late = self.began.elapsed() >= LATE;
        self.compare(expected, sorted)
    }

    /// Whether the last command came so late that times in the replies may differ.
    pub fn is_late(&self) -> bool {
        self.is_late
    }

    /// Waits, and compares what everybody gets then.
    pub fn wait(&mut self, time: Duration) -> Result<(), String> {
        std::thread::sleep(time);
        let expected = self.ours.settle(now());
        self.compare(expected, false)
    }

    fn compare(&mut self, expected: Vec<Vec<u8>>, sorted: bool) -> Result<(), String> {
        for (client, ours) in expected.into_iter().enumerate() {
            let mut real = vec![0; ours.len()];
            let (mut got, mut problem) = (0, String::new());
            while got < real.len() {
                match self.streams[client].read(&mut real[got..]) {
                    Ok(0) => problem = "it closed".to_owned(),
                    Err(error) => problem = error.to_string(),
                    Ok(read) => {
                        got += read;
                        continue;
                    }
                }
                break;
            }
            real.truncate(got);
            if real != ours && !(sorted && in_order(&real) == in_order(&ours)) {
                let rest = self.rest(client);
                return Err(format!(
                    "{}client {client}: {problem}\n  real {:?}\n  ours {:?}",
                    self.said,
                    String::from_utf8_lossy(&[real, rest].concat()),
                    String::from_utf8_lossy(&ours)
                ));
            }
        }
        Ok(())
    }

    fn rest(&mut self, client: usize) -> Vec<u8> {
        let stream = &mut self.streams[client];
        stream.set_nonblocking(true).expect("a mode");
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
        stream.set_nonblocking(false).expect("a mode");
        rest
    }

    /// No client has received more than ours sent.
    pub fn finish(mut self) -> Result<(), String> {
        self.real.ask("PING");
        for client in 0..self.streams.len() {
            let rest = self.rest(client);
            if !rest.is_empty() {
                let rest = String::from_utf8_lossy(&rest).into_owned();
                return Err(format!(
                    "{}client {client}: real also says {rest:?}",
                    self.said
                ));
            }
        }
        Ok(())
    }
}

/// The replies with the elements of arrays in order, for those whose order means nothing.
fn in_order(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut replies) = (bytes, Vec::new());
    while let Ok(Some((reply, used))) = read::reply(rest) {
        replies.push(sorted(reply));
        rest = &rest[used..];
    }
    replies
}

fn sorted(reply: Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    match reply {
        Reply::Array(items) | Reply::Set(items) => {
            let mut items: Vec<_> = items.into_iter().map(sorted).collect();
            items.sort();
            items.into_iter().for_each(|item| bytes.extend(item));
        }
        reply => reply.write(Protocol::Resp3, &mut bytes),
    }
    bytes
}

/// The script's lines, `client> words`; `~` before the words where the order means nothing.
pub fn play(real: &mut Real, is_open: bool, script: &str) -> Result<(), String> {
    let lines = script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut both = Both::new(real, 3, is_open);
    for line in lines {
        if let Some(millis) = line.strip_prefix("wait ") {
            both.wait(Duration::from_millis(millis.parse().expect("a number")))?;
            continue;
        }
        let (client, words) = line.split_once("> ").expect("client> words");
        let client = client.parse().expect("a number");
        let (words, sorted) = words
            .strip_prefix('~')
            .map_or((words, false), |words| (words, true));
        let bytes: Vec<u8> = match words.strip_prefix("raw ") {
            Some(raw) => raw
                .replace("\\r", "\r")
                .replace("\\n", "\n")
                .replace("\\0", "\0")
                .into_bytes(),
            None => words.split(" ;; ").flat_map(request).collect(),
        };
        both.send(client, &bytes, sorted)?;
    }
    both.finish()
}
