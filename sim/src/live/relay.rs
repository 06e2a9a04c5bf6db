//! Between a client outside and a host of the world.

use std::io;

use super::client::Resettable;
use crate::engine::Stream;

/// Carries bytes both ways until both sides have ended; a reset of one is a reset of the other.
pub(crate) async fn relay(mut client: impl Resettable, mut server: Stream) -> io::Result<()> {
    let ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    if ended.is_err() {
        client.reset();
        server.reset();
    }
    ended.map(|_| ())
}
