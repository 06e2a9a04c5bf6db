//! Letting time pass on a connection that may end meanwhile.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::io::AsyncReadExt as _;

use super::{End, PIECE, Session, shown};
use crate::{engine::Stream, scenario::Range};

impl Session {
    /// How long a command takes without a fault (RS-43).
    pub(crate) fn usual_time(&self, args: &[Bytes]) -> Duration {
        let (takes, auth_takes) = {
            let state = self.stage.state();
            let redis = state.world.redis.as_ref();
            redis.map_or((None, None), |redis| (redis.takes, redis.auth_takes))
        };
        let draw = |range: Option<Range>, purpose: &str| {
            range.map_or(Duration::ZERO, |range| self.stage.draw(purpose, range))
        };
        let mut time = draw(takes, "redis takes");
        if shown::signs_in(args) {
            time += draw(auth_takes, "redis auth takes");
        }
        time
    }

    /// Lets time pass, unless the connection must end before.
    pub(super) async fn pause(&mut self, time: Duration, stream: &mut Stream) -> Result<(), End> {
        let loses = self
            .stage
            .state()
            .world
            .redis
            .as_ref()
            .is_some_and(|redis| redis.loses_failed_auth);
        // What a failed AUTH stands behind must still be there (RS-22).
        if !loses {
            self.flush(stream).await?;
        }
        let end = self.now().checked_add(time).unwrap_or(Timestamp::MAX);
        loop {
            let deadline = self.with(|client| client.until)?;
            let deadline = deadline.and_then(|until| Timestamp::from_microsecond(until).ok());
            let next = deadline.map_or(end, |deadline| deadline.min(end));
            tokio::select! {
                biased;
                () = self.until(Some(next)) => {}
                () = self.bell.notified() => {}
            }
            self.check()?;
            if let Some(ending) = self.with(|client| client.closing.clone())? {
                return Err(End::of(ending));
            }
            if self.now() >= end {
                return Ok(());
            }
        }
    }

    /// Says nothing more, until somebody ends the connection.
    pub(super) async fn hang(&mut self, stream: &mut Stream) -> Result<(), End> {
        let mut piece = vec![0; PIECE];
        loop {
            self.check()?;
            if let Some(ending) = self.with(|client| client.closing.clone())? {
                return Err(End::of(ending));
            }
            let wait = self.until(self.deadline()?);
            tokio::select! {
                biased;
                () = wait => {}
                () = self.bell.notified() => {}
                read = stream.read(&mut piece) => if !read.is_ok_and(|length| length > 0) {
                    return Err(End::by_client("the client hung up"));
                },
            }
        }
    }
}
