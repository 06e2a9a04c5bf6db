//! The head of a request to the proxy.

use std::{borrow::Cow, io};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// No client sends a head that comes near this.
const LONGEST_HEAD: usize = 64 << 10;

/// A request head, and what of the stream came with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// What is asked for.
    pub target: Target,
    /// The head as an origin server is sent it.
    pub forwarded: Vec<u8>,
    /// The length of the body, where it has one.
    pub body: BodyLength,
    /// The host that its `Host` header names, without the port. Of a request to another host the
    /// target counts.
    pub host: Option<String>,
}

/// What a client wants of the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A tunnel: `CONNECT host:port`.
    Tunnel(Place),
    /// One request: `GET http://host:port/path`.
    Request(Place),
    /// A request to the proxy itself.
    Proxy,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The name or address, in lower case, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How far the body of a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// So many bytes.
    Of(u64),
    /// It says itself where it ends.
    Chunked,
}

/// Reads a head. `buffer` holds what was read already, and afterwards what follows the head.
/// None: the client has hung up between two requests.
///
/// # Errors
/// The connection broke, or what came is no HTTP.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Head>> {
    loop {
        if let Some((head, length)) = parse(buffer)? {
            buffer.drain(..length);
            return Ok(Some(head));
        }
        if buffer.len() > LONGEST_HEAD {
            return Err(no_http("its head is too long"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    }
}

fn no_http(why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("no HTTP request: {why}"),
    )
}

/// A whole head and its length in `bytes`, if it is whole.
fn parse(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(no_http(&error.to_string())),
    };
    let (method, path) = (
        request.method.unwrap_or_default(),
        request.path.unwrap_or_default(),
    );
    let target = target(method, path).ok_or_else(|| no_http("it has no address"))?;
    let version = request.version.unwrap_or(1);
    let body = body_length(request.headers, version)?;
    let mut host = None;
    let origin = &target.origin;
    let mut forwarded = format!("{method} {origin} HTTP/1.{version}\r\n").into_bytes();
    // A proxy replaces what the client says (RFC 9112, section 3.2.2), where the client says it.
    let mut authority = target.authority;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("host") {
            let name = String::from_utf8_lossy(header.value);
            host = place(name.trim(), Some(80)).map(|place| place.host);
            if let Some(authority) = authority.take() {
                forwarded.extend_from_slice(format!("{}: {authority}\r\n", header.name).as_bytes());
            }
            continue;
        }
        // Said to the proxy, not to the server.
        let start = header.name.get(..6).unwrap_or_default();
        if start.eq_ignore_ascii_case("proxy-") {
            continue;
        }
        forwarded.extend_from_slice(header.name.as_bytes());
        forwarded.extend_from_slice(b": ");
        forwarded.extend_from_slice(header.value);
        forwarded.extend_from_slice(b"\r\n");
    }
    if let Some(authority) = authority {
        forwarded.extend_from_slice(format!("Host: {authority}\r\n").as_bytes());
    }
    forwarded.extend_from_slice(b"\r\n");
    Ok(Some((
        Head {
            target: target.target,
            forwarded,
            body,
            host,
        },
        length,
    )))
}

/// How far the body goes. A server that counts otherwise than we do would take a part of one
/// request for another one, so what is ambiguous is refused.
fn body_length(headers: &[httparse::Header<'_>], version: u8) -> io::Result<BodyLength> {
    let all = |name: &'static str| {
        let named = headers.iter();
        let named = named.filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| String::from_utf8_lossy(header.value))
    };
    let (mut lengths, mut encodings) = (all("content-length"), all("transfer-encoding"));
    match (lengths.next(), encodings.next()) {
        (None, None) => Ok(BodyLength::Of(0)),
        (Some(_), Some(_)) => Err(no_http("it has two kinds of length")),
        (None, Some(encoding)) => {
            let is_chunked = encoding.trim().eq_ignore_ascii_case("chunked");
            if !is_chunked || encodings.next().is_some() || version == 0 {
                return Err(no_http("its transfer coding is not chunked alone"));
            }
            Ok(BodyLength::Chunked)
        }
        (Some(length), None) => {
            let length = length.trim();
            let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
            match length.parse() {
                Ok(length) if is_number && lengths.next().is_none() => Ok(BodyLength::Of(length)),
                _ => Err(no_http("it has a wrong length")),
            }
        }
    }
}

/// What is asked for, and how the origin server is asked for it.
struct Asked<'a> {
    target: Target,
    origin: Cow<'a, str>,
    /// The host and port of a request as they stand in its target.
    authority: Option<&'a str>,
}

fn target<'a>(method: &str, path: &'a str) -> Option<Asked<'a>> {
    let asked = |target| Asked {
        target,
        origin: Cow::Borrowed(path),
        authority: None,
    };
    if method.eq_ignore_ascii_case("CONNECT") {
        return Some(asked(Target::Tunnel(place(path, None)?)));
    }
    let Some((scheme, rest)) = path.split_once("://").filter(|_| !path.starts_with('/')) else {
        return Some(asked(Target::Proxy));
    };
    let port = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A fragment is never a part of a request: servers drop it.
    let path = path.split('#').next().unwrap_or_default();
    let origin = if path.starts_with('/') {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(format!("/{path}"))
    };
    Some(Asked {
        target: Target::Request(place(authority, Some(port))?),
        origin,
        authority: Some(without_user(authority)),
    })
}

fn without_user(authority: &str) -> &str {
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

fn place(authority: &str, default: Option<u16>) -> Option<Place> {
    let authority = without_user(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some(())?;
    Some(Place {
        host: host.to_ascii_lowercase(),
        port: port?,
    })
}

/// Parses arbitrary bytes as the head of a request, whole and without their end, and panics where
/// the parser disagrees with itself, or what it passes on is not the one request that it has seen.
/// The body of the fuzz target `head`. Returns what the bytes came to, without their contents.
pub fn survives(bytes: &[u8]) -> String {
    let (cut, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let cut = usize::from(*cut).min(bytes.len());
    let whole = parse(bytes);
    let early = parse(bytes.get(..cut).unwrap_or_default());
    let (head, length) = match whole {
        Err(why) => {
            assert!(!matches!(early, Ok(Some(_))), "cut at {cut}");
            return why.to_string();
        }
        Ok(None) => {
            assert!(matches!(early, Ok(None)), "cut at {cut}");
            return "more is to come".to_owned();
        }
        Ok(Some(head)) => head,
    };
    assert!(length <= bytes.len(), "it is as long as what came");
    match early {
        Ok(Some(early)) => assert_eq!((&early.0, early.1), (&head, length), "cut at {cut}"),
        Ok(None) => assert!(cut < length, "cut at {cut}"),
        Err(why) => panic!("cut at {cut}: {why}"),
    }
    let kind = match &head.target {
        Target::Tunnel(_) => "a tunnel",
        Target::Request(place) => {
            let again = parse(&head.forwarded);
            let (again, length) = again.ok().flatten().unwrap_or_else(|| {
                panic!("{:?} is a head", String::from_utf8_lossy(&head.forwarded))
            });
            assert_eq!(length, head.forwarded.len(), "it is one head");
            assert_eq!(again.target, Target::Proxy, "as an origin server is asked");
            assert_eq!(again.body, head.body, "its body has the same end");
            assert_eq!(again.host.as_ref(), Some(&place.host), "it says where to");
            "a request"
        }
        Target::Proxy => "for the proxy",
    };
    let body = match head.body {
        BodyLength::Of(0) => "no body",
        BodyLength::Of(_) => "a body",
        BodyLength::Chunked => "chunks",
    };
    format!("{kind}, {body}, host {}", head.host.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        let (head, length) = parse(text.as_bytes()).expect("HTTP").expect("a whole head");
        assert_eq!(length, text.len());
        head
    }

    fn at(host: &str, port: u16) -> Place {
        Place {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn a_tunnel_names_host_and_port() {
        let head = head("CONNECT Login.Microsoftonline.com:443 HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(
            head.target,
            Target::Tunnel(at("login.microsoftonline.com", 443))
        );
    }

    #[test]
    fn a_request_is_passed_on_as_the_server_knows_it() {
        let head = head(
            "GET http://169.254.169.254/metadata?a=b HTTP/1.1\r\nMetadata: true\r\n\
             Proxy-Connection: keep-alive\r\nProxy-X: y\r\nHost: elsewhere.example\r\n\r\n",
        );
        assert_eq!(head.target, Target::Request(at("169.254.169.254", 80)));
        assert_eq!(
            String::from_utf8(head.forwarded).as_deref(),
            Ok("GET /metadata?a=b HTTP/1.1\r\nMetadata: true\r\nHost: 169.254.169.254\r\n\r\n")
        );
        assert_eq!(head.body, BodyLength::Of(0));
    }

    #[test]
    fn a_target_without_a_path_keeps_its_query_and_no_fragment() {
        for (target, asked) in [
            ("http://a?x=1", "/?x=1"),
            ("http://a#top", "/"),
            ("http://a/b?x=1#top", "/b?x=1"),
            ("http://a/b#x?y", "/b"),
            ("http://a", "/"),
        ] {
            let head = head(&format!("GET {target} HTTP/1.1\r\nHost: b\r\n\r\n"));
            assert_eq!(head.target, Target::Request(at("a", 80)), "{target}");
            let forwarded = String::from_utf8(head.forwarded).expect("text");
            assert_eq!(
                forwarded,
                format!("GET {asked} HTTP/1.1\r\nHost: a\r\n\r\n")
            );
        }
    }

    #[test]
    fn a_request_to_the_proxy_itself_names_its_host() {
        let head = head("GET /x?u=http://a/ HTTP/1.1\r\nHost: Evil.example:8080\r\n\r\n");
        assert_eq!(head.target, Target::Proxy);
        assert_eq!(head.host.as_deref(), Some("evil.example"));
    }

    #[test]
    fn lengths_addresses_and_odd_targets() {
        assert_eq!(
            head("POST http://[::1]:8080 HTTP/1.1\r\ncontent-length: 12\r\n\r\n").body,
            BodyLength::Of(12)
        );
        assert_eq!(
            head("POST http://u@[::1]:8080 HTTP/1.1\r\n\r\n").target,
            Target::Request(at("::1", 8080))
        );
        assert_eq!(head("GET / HTTP/1.1\r\n\r\n").target, Target::Proxy);
        assert_eq!(
            head("POST http://a/ HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n").body,
            BodyLength::Chunked
        );
        for wrong in [
            "CONNECT nowhere HTTP/1.1\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\n\r\n",
            "GET http:///x HTTP/1.1\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: many\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "\u{16}\u{3}\u{1}\r\n\r\n",
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(parse(b"GET http://a/ HTTP/1.1\r\n").is_ok_and(|head| head.is_none()));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>) {
            survives(&bytes);
        }
    }
}
