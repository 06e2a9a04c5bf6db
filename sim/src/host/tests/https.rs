//! Whom the HTTP client of a simulated host trusts.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use credsim_identity::platform::{HttpRequest, Method, Platform, TransportErrorKind, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{ENGINES, play};
use crate::{
    backend::{Authority, Certificate, SignedBy},
    engine::HostMain,
};

/// Answers each request, and counts those that arrive.
fn server(requests: &Arc<AtomicUsize>) -> HostMain {
    let requests = Arc::clone(requests);
    Arc::new(move |host| {
        let requests = Arc::clone(&requests);
        Box::pin(async move {
            let mut listener = host.network.bind(443).await.expect("a free port");
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = [0; 1024];
                if let Ok(1..) = stream.read(&mut bytes).await {
                    requests.fetch_add(1, Ordering::Relaxed);
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    let _ = stream.write_all(answer).await;
                }
            }
        })
    })
}

async fn sent(
    platform: &Platform,
    url: &str,
    trust: &Trust,
    name: Option<&str>,
) -> Result<u16, TransportErrorKind> {
    let mut request = HttpRequest::new(Method::Get, url.parse().expect("a URL"));
    request.trust = trust.clone();
    request.server_name = name.map(str::to_owned);
    let sent = platform.http.send(request).await;
    sent.map(|it| it.status).map_err(|error| error.kind)
}

#[test]
fn the_certificate_of_a_host_is_checked_before_anything_is_sent() {
    for engine in ENGINES {
        let requests = Arc::<AtomicUsize>::default();
        let servers = vec![("cluster.example".to_owned(), server(&requests))];
        play(engine, servers, async |state, platform| {
            let url = "https://cluster.example/token";
            let sent = async |trust: &Trust, name| sent(&platform, url, trust, name).await;
            let refused = Err(TransportErrorKind::Certificate);
            assert_eq!(sent(&Trust::System, None).await, Ok(200));
            let other = Some("other.example");
            assert_eq!(sent(&Trust::System, other).await, refused);

            let fabric = Certificate::new("fabric.invalid", SignedBy::Itself);
            let pin = Trust::Thumbprint(fabric.thumbprint());
            assert_eq!(sent(&pin, None).await, refused, "not presented yet");
            state.backend.present("cluster.example", fabric);
            assert_eq!(sent(&pin, None).await, Ok(200));
            assert_eq!(sent(&Trust::System, None).await, refused);

            let authority = Authority::new("A cluster");
            let signed_by = SignedBy::Authority(authority.clone());
            let proxy = Certificate::new("proxy.example", signed_by);
            state.backend.present("cluster.example", proxy);
            let trusted = Trust::Authority(authority.trusted().expect("an authority"));
            assert_eq!(sent(&trusted, Some("proxy.example")).await, Ok(200));
            assert_eq!(sent(&trusted, None).await, refused);
            assert_eq!(sent(&pin, None).await, refused);
        });
        assert_eq!(requests.load(Ordering::Relaxed), 3, "{engine}");
    }
}

#[test]
fn what_cannot_be_honoured_is_refused() {
    let requests = Arc::<AtomicUsize>::default();
    let servers = vec![("cluster.example".to_owned(), server(&requests))];
    play(ENGINES[0], servers, async |_, platform| {
        let pin = Trust::Thumbprint([0; 20]);
        for (url, trust, name) in [
            ("http://cluster.example:443/", &pin, None),
            (
                "http://cluster.example:443/",
                &Trust::System,
                Some("a.example"),
            ),
            ("https://cluster.example/", &pin, Some("10.0.0.1")),
        ] {
            let sent = sent(&platform, url, trust, name).await;
            assert_eq!(sent, Err(TransportErrorKind::Unsupported), "{url}");
        }
    });
    assert_eq!(requests.load(Ordering::Relaxed), 0);
}
