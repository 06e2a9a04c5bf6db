//! A Redis of a few commands, made by hand: what it is asked and when is what the tests look at.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim::engine::{Host, HostMain, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What one command was, when it came, and what it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Milliseconds since the world began.
    pub at: u128,
    /// Counted from 1.
    pub connection: usize,
    /// Its words; a token by its number in the order in which they came: `token-1`.
    pub words: String,
    pub reply: String,
}

/// What happens to it.
#[derive(Default)]
pub struct Story {
    pub asked: Mutex<Vec<Asked>>,
    pub tokens: Mutex<Vec<String>>,
    pub connections: Mutex<usize>,
    /// Every connection ends at this time.
    pub closes_at: Option<Duration>,
    /// The reply to AUTH, except on a new connection, takes this long.
    pub slow_auth: Duration,
}

impl Story {
    fn alias(&self, word: &str) -> String {
        if !word.starts_with("ey") {
            return word.to_owned();
        }
        let mut tokens = self.tokens.lock().unwrap();
        let known = tokens.iter().position(|token| token == word);
        let number = known.unwrap_or_else(|| {
            tokens.push(word.to_owned());
            tokens.len() - 1
        });
        format!("token-{}", number + 1)
    }
}

pub fn serve(story: Arc<Story>) -> HostMain {
    Arc::new(move |host| {
        let story = story.clone();
        Box::pin(async move {
            let mut listener = host.network.bind(6380).await.unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut count = story.connections.lock().unwrap();
                    *count += 1;
                    *count
                };
                let served = connection(host.clone(), story.clone(), number, stream);
                host.runtime.spawn(Box::pin(served)).detach();
            }
        })
    })
}

async fn connection(host: Host, story: Arc<Story>, number: usize, mut stream: Stream) {
    let mut read = Vec::new();
    let mut queued: Option<Vec<String>> = None;
    let mut commands = 0;
    let born = host.runtime.elapsed();
    let life = story.closes_at.filter(|at| *at > born).map(|at| at - born);
    let mut end = host
        .runtime
        .sleep(life.unwrap_or(Duration::from_secs(1 << 30)));
    loop {
        while let Some(words) = command(&mut read) {
            commands += 1;
            let name = words[0].to_uppercase();
            if name == "AUTH" && commands > 4 {
                host.runtime.sleep(story.slow_auth).await;
            }
            let reply = answer(&name, &words, &mut queued);
            let words: Vec<String> = words.iter().map(|word| story.alias(word)).collect();
            story.asked.lock().unwrap().push(Asked {
                at: host.runtime.elapsed().as_millis(),
                connection: number,
                words: words.join(" "),
                reply: reply.replace("\r\n", " ").trim_end().to_owned(),
            });
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
        let mut piece = [0; 4096];
        tokio::select! { biased;
            () = &mut end => return,
            got = stream.read(&mut piece) => match got {
                Ok(count @ 1..) => read.extend_from_slice(&piece[..count]),
                _ => return,
            },
        }
    }
}

fn answer(name: &str, words: &[String], queued: &mut Option<Vec<String>>) -> String {
    let ok = || "+OK\r\n".to_owned();
    match (name, &mut *queued) {
        ("MULTI", _) => {
            *queued = Some(Vec::new());
            ok()
        }
        ("EXEC", Some(replies)) => {
            let whole = format!("*{}\r\n{}", replies.len(), replies.concat());
            *queued = None;
            whole
        }
        (_, Some(replies)) => {
            replies.push(if name == "GET" {
                "$1\r\nv\r\n".into()
            } else {
                ok()
            });
            "+QUEUED\r\n".to_owned()
        }
        ("HELLO", None) => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
        ("GET", None) => "$1\r\nv\r\n".to_owned(),
        ("SUBSCRIBE", None) => {
            let channel = &words[1];
            let length = channel.len();
            format!(
                ">3\r\n$9\r\nsubscribe\r\n${length}\r\n{channel}\r\n:1\r\n\
                 >3\r\n$7\r\nmessage\r\n${length}\r\n{channel}\r\n$5\r\nhello\r\n"
            )
        }
        _ => ok(),
    }
}

/// Takes one command off the front, once it is whole.
fn command(read: &mut Vec<u8>) -> Option<Vec<String>> {
    let text = String::from_utf8(read.clone()).unwrap();
    let (count, mut rest) = text.strip_prefix('*')?.split_once("\r\n")?;
    let mut words = Vec::new();
    for _ in 0..count.parse().ok()? {
        let (length, after) = rest.strip_prefix('$')?.split_once("\r\n")?;
        let length: usize = length.parse().ok()?;
        words.push(after.get(..length)?.to_owned());
        rest = after.get(length + 2..)?;
    }
    let used = text.len() - rest.len();
    read.drain(..used);
    Some(words)
}
