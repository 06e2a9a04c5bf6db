//! Loopback ports of the real machine.

use std::{io, net::Ipv4Addr};

use tokio::net::TcpListener;

use crate::platform::{BoxFuture, ByteStream, Loopback, LoopbackListener};

pub(super) struct SystemLoopback;

impl Loopback for SystemLoopback {
    fn listen(
        &self,
        port: Option<u16>,
    ) -> BoxFuture<'static, io::Result<Box<dyn LoopbackListener>>> {
        Box::pin(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await?;
            let port = listener.local_addr()?.port();
            Ok(Box::new(Port { listener, port }) as Box<dyn LoopbackListener>)
        })
    }
}

struct Port {
    listener: TcpListener,
    port: u16,
}

impl LoopbackListener for Port {
    fn port(&self) -> u16 {
        self.port
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<ByteStream>> {
        Box::pin(async {
            let (stream, _) = self.listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as ByteStream)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    #[tokio::test]
    async fn a_port_is_taken_until_its_listener_is_dropped() {
        let mut first = SystemLoopback.listen(None).await.expect("a free port");
        let port = first.port();
        let taken = SystemLoopback.listen(Some(port)).await.err();
        assert_eq!(taken.expect("taken").kind(), io::ErrorKind::AddrInUse);

        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
        let client = client.as_mut().expect("a connection");
        client.write_all(b"GET").await.expect("written");
        let mut accepted = first.accept().await.expect("accepted");
        drop(first);
        let mut read = [0; 3];
        accepted.read_exact(&mut read).await.expect("it stays");
        assert_eq!(&read, b"GET");

        let refused = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
        assert_eq!(
            refused.expect_err("closed").kind(),
            io::ErrorKind::ConnectionRefused
        );
        let again = SystemLoopback.listen(Some(port)).await.expect("free");
        assert_eq!(again.port(), port);
    }

    /// Other hosts must not be able to send a redirect.
    #[tokio::test]
    async fn no_other_address_is_listened_on() {
        let listener = SystemLoopback.listen(None).await.expect("a free port");
        let other = Ipv4Addr::new(127, 0, 0, 2);
        let refused = TcpStream::connect((other, listener.port())).await;
        refused.expect_err("only 127.0.0.1");
    }
}
