//! Accepts connections and serves HTTP/1.1 on them, with or without TLS.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{
    answer::{Asked, answer},
    counts::Counts,
};

/// Accepts for good. Connections end with the returned future.
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    entra: String,
    counts: Arc<Counts>,
) {
    let entra: Arc<str> = entra.into();
    let mut connections = JoinSet::new();
    loop {
        // The error of one connection, or of too many: the next accept may succeed.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        // Without this, a delayed acknowledgement of the client would look like our delay.
        let _ = stream.set_nodelay(true);
        let (tls, entra, counts) = (tls.clone(), entra.clone(), counts.clone());
        connections.spawn(async move {
            match tls {
                // A client that does not trust the certificate reports that itself.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, entra, counts).await;
                    }
                }
                None => serve(stream, entra, counts).await,
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve<S>(stream: S, entra: Arc<str>, counts: Arc<Counts>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let respond = service_fn(move |request| respond(request, entra.clone(), counts.clone()));
    // The error of a connection is of no interest: clients close as they like.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), respond)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    entra: Arc<str>,
    counts: Arc<Counts>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // The body is not used, but must be read before the next request on the connection.
    let _ = body.collect().await;
    let asked = Asked {
        is_post: head.method == Method::POST,
        path: head.uri.path(),
        has_metadata_header: head.headers.get("metadata").is_some_and(|it| it == "true"),
    };
    let (status, body) = answer(&asked, &entra, &counts).await;
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let json = hyper::header::HeaderValue::from_static("application/json; charset=utf-8");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}
