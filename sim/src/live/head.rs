//! The head of a request to the proxy.

use std::io;

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
    let (target, origin) = target(method, path).ok_or_else(|| no_http("it has no address"))?;
    let mut body = BodyLength::Of(0);
    let version = request.version.unwrap_or(1);
    let mut forwarded = format!("{method} {origin} HTTP/1.{version}\r\n").into_bytes();
    for header in request.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        // Said to the proxy, not to the server.
        if is("proxy-connection") || is("proxy-authorization") {
            continue;
        }
        // Where both are given, the marks count.
        if is("content-length") && body != BodyLength::Chunked {
            let length = std::str::from_utf8(header.value).ok();
            let length = length.and_then(|length| length.trim().parse().ok());
            body = BodyLength::Of(length.ok_or_else(|| no_http("it has a wrong length"))?);
        }
        if is("transfer-encoding") {
            body = BodyLength::Chunked;
        }
        forwarded.extend_from_slice(header.name.as_bytes());
        forwarded.extend_from_slice(b": ");
        forwarded.extend_from_slice(header.value);
        forwarded.extend_from_slice(b"\r\n");
    }
    forwarded.extend_from_slice(b"\r\n");
    Ok(Some((
        Head {
            target,
            forwarded,
            body,
        },
        length,
    )))
}

/// What is asked for, and how the origin server is asked for it.
fn target<'a>(method: &str, path: &'a str) -> Option<(Target, &'a str)> {
    if method.eq_ignore_ascii_case("CONNECT") {
        return Some((Target::Tunnel(place(path, None)?), path));
    }
    let Some((scheme, rest)) = path.split_once("://") else {
        return Some((Target::Proxy, path));
    };
    let port = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = if path.starts_with('/') { path } else { "/" };
    Some((Target::Request(place(authority, Some(port))?), path))
}

fn place(authority: &str, default: Option<u16>) -> Option<Place> {
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
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
             Proxy-Connection: keep-alive\r\nHost: 169.254.169.254\r\n\r\n",
        );
        assert_eq!(head.target, Target::Request(at("169.254.169.254", 80)));
        assert_eq!(
            String::from_utf8(head.forwarded).as_deref(),
            Ok("GET /metadata?a=b HTTP/1.1\r\nMetadata: true\r\nHost: 169.254.169.254\r\n\r\n")
        );
        assert_eq!(head.body, BodyLength::Of(0));
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
        for both in [
            "POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(head(both).body, BodyLength::Chunked);
        }
        for wrong in [
            "CONNECT nowhere HTTP/1.1\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\n\r\n",
            "GET http:///x HTTP/1.1\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: many\r\n\r\n",
            "\u{16}\u{3}\u{1}\r\n\r\n",
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(parse(b"GET http://a/ HTTP/1.1\r\n").is_ok_and(|head| head.is_none()));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
