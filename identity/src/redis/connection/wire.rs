//! Sending the requests that have passed the gate.

use std::{pin::pin, slice, time::Duration};

use redis::{Cmd, RedisError, RedisResult, Value, aio::MultiplexedConnection, cmd};

use super::{
    error::{Ended, no_response},
    failure::Failure,
    gate::{Gate, Pass},
    refusal::Refusal,
};

/// The connection behind the gate.
pub(super) struct Wire<'a> {
    pub gate: &'a Gate,
    pub inner: &'a mut MultiplexedConnection,
    pub response_timeout: Option<Duration>,
}

impl Wire<'_> {
    pub async fn send(
        &mut self,
        cmd: &Cmd,
        pass: Pass<'_>,
        limit: Option<Duration>,
    ) -> RedisResult<Value> {
        // Pinned in place: the future is large, and each layer around it would copy it.
        let mut sent = pin!(self.inner.send_packed_command(cmd));
        let reply = match limit {
            None => sent.await,
            Some(limit) => match self.gate.platform().within(limit, sent.as_mut()).await {
                Some(reply) => reply,
                None => return Err(no_response(limit)),
            },
        };
        match reply {
            // Its answer is not awaited: dropping the pass marks the connection as in doubt.
            Ok(value) if cmd.is_no_response() => Ok(value),
            Ok(value) => {
                pass.answered(slice::from_ref(&value));
                Ok(value)
            }
            Err(error) => Err(judged(self.gate, error, pass)),
        }
    }

    /// Sends `DISCARD` in place of a request, which then fails with `refusal`.
    pub async fn discard(&mut self, pass: Pass<'_>, refusal: Refusal) -> Failure {
        let limit = self.response_timeout;
        match self.send(&cmd("DISCARD"), pass, limit).await {
            Ok(_) => refusal.into(),
            Err(error) => error.into(),
        }
    }
}

/// Returns the error for the caller: if this layer has closed the connection, its reason, which
/// has more detail than the loss of the connection.
pub(super) fn judged(gate: &Gate, error: RedisError, pass: Pass<'_>) -> RedisError {
    if !error.is_unrecoverable_error() {
        // The server answered, in one way or another.
        pass.answered(&[]);
        return error;
    }
    gate.end(Ended::Broken);
    match gate.ended() {
        None | Some(Ended::Broken) => error,
        Some(ended) => (&ended).into(),
    }
}
