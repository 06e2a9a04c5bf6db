//! Connections over TCP.

use std::io;

use crate::platform::{BoxFuture, ByteStream, ByteStreams};

/// Sockets of this machine (feature `redis`).
#[cfg(feature = "redis")]
pub(super) struct SystemStreams;

#[cfg(feature = "redis")]
impl ByteStreams for SystemStreams {
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        let host = host.to_owned();
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect((host.as_str(), port)).await?;
            // Commands are small and wait for their answers.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as ByteStream)
        })
    }
}

/// Fails each connect with an error that names the missing feature.
#[cfg(not(feature = "redis"))]
pub(super) struct SystemStreams;

#[cfg(not(feature = "redis"))]
impl ByteStreams for SystemStreams {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        Box::pin(async {
            Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this build opens no connections: turn on the feature `redis` of \
                 credsim-identity, or give the platform its own streams",
            ))
        })
    }
}
