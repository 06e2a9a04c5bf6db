//! Loopback ports of a simulated host: ports of the engine's network that only the host itself can
//! connect to.

use std::io;

use credsim_identity::platform::{BoxFuture, ByteStream, Loopback, LoopbackListener};

use super::instance::Instance;
use crate::engine::Listener;

/// The first port that is given to those who want any, as IANA has it.
const FIRST: u16 = 49152;

impl Loopback for Instance {
    fn listen(
        &self,
        port: Option<u16>,
    ) -> BoxFuture<'static, io::Result<Box<dyn LoopbackListener>>> {
        let host = self.state.host.clone();
        Box::pin(async move {
            let ports = match port {
                Some(port) => port..=port,
                None => FIRST..=u16::MAX,
            };
            let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
            for port in ports {
                match host.network.bind(port).await {
                    Ok(listener) => {
                        let port = Port {
                            listener,
                            port,
                            host: host.name.to_string(),
                        };
                        return Ok(Box::new(port) as Box<dyn LoopbackListener>);
                    }
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken = error,
                    Err(error) => return Err(error),
                }
            }
            Err(taken)
        })
    }
}

struct Port {
    listener: Box<dyn Listener>,
    port: u16,
    host: String,
}

impl LoopbackListener for Port {
    fn port(&self) -> u16 {
        self.port
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<ByteStream>> {
        Box::pin(async {
            loop {
                let (stream, peer) = self.listener.accept().await?;
                // The engine knows no loopback address: others are turned away here.
                if peer == self.host {
                    return Ok(Box::new(stream) as ByteStream);
                }
                stream.reset();
            }
        })
    }
}
