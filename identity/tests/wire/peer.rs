//! Servers that misbehave: sockets of loopback on which a test handles each connection.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// How long a test waits for what must happen on loopback.
pub const SOON: Duration = Duration::from_secs(10);

/// A listener whose every connection is served by a task of its own.
pub struct Peer {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Requests,
}

/// The heads and bodies that were read, in order.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<String>>>);

impl Peer {
    /// Serves the n-th connection, from 0, with `serve`.
    pub async fn new<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(usize, TcpStream, Requests) -> F + Send + Clone + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Requests::default(),
        };
        let (connections, requests) = (Arc::clone(&peer.connections), peer.requests.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let n = connections.fetch_add(1, Ordering::SeqCst);
                let (serve, requests) = (serve.clone(), requests.clone());
                tokio::spawn(async move { serve(n, stream, requests).await });
            }
        });
        peer
    }

    /// Reads a request of each connection, writes the next of these answers (the last for all that
    /// follow) and closes.
    pub async fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let answers: Arc<Vec<_>> = Arc::new(answers.into_iter().collect());
        Self::new(move |n, mut stream, requests| {
            let answers = Arc::clone(&answers);
            async move {
                requests.read(&mut stream).await;
                let answer = &answers[n.min(answers.len() - 1)];
                let _ = stream.write_all(answer).await;
                finish(stream).await;
            }
        })
        .await
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn https(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.0.lock().unwrap().clone()
    }
}

impl Requests {
    /// Reads one request to its end, and keeps it. `false` when the client closed first.
    pub async fn read(&self, stream: &mut (impl AsyncRead + Unpin)) -> bool {
        let mut all = Vec::new();
        let mut piece = [0; 4096];
        while !is_whole(&all) {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => return false,
                Ok(n) => all.extend_from_slice(&piece[..n]),
            }
        }
        let text = String::from_utf8(all).unwrap();
        self.0.lock().unwrap().push(text);
        true
    }
}

/// Whether these bytes are a head and as much body as it announces.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}

/// Ends with FIN, and takes what still comes, so that no reset overtakes the answer.
pub async fn finish(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut sink = [0; 4096];
    while matches!(stream.read(&mut sink).await, Ok(1..)) {}
}

/// Ends with RST.
pub fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

/// Completes when the client has closed the connection.
pub async fn closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut sink = [0; 4096];
    while matches!(stream.read(&mut sink).await, Ok(1..)) {}
}

/// An answer with its length, after which the connection closes.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}
