//! Sending what has passed the gate.

use std::{pin::pin, slice, time::Duration};

use redis::{Cmd, RedisError, RedisResult, Value, aio::MultiplexedConnection, cmd};

use super::{
    error::{Ended, no_response},
    failure::Failure,
    gate::{Gate, Pass},
    refusal::Refusal,
};

/// What is behind the gate.
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
        // Pinned where it is: it is large, and would be copied with each layer around it.
        let mut sent = pin!(self.inner.send_packed_command(cmd));
        let reply = match limit {
            None => sent.await,
            Some(limit) => match self.gate.platform().within(limit, sent.as_mut()).await {
                Some(reply) => reply,
                None => return Err(no_response(limit)),
            },
        };
        match reply {
            // Nobody sees its answer: the pass leaves a doubt.
            Ok(value) if cmd.is_no_response() => Ok(value),
            Ok(value) => {
                pass.answered(slice::from_ref(&value));
                Ok(value)
            }
            Err(error) => Err(judged(self.gate, error, pass)),
        }
    }

    /// Ends a transaction in place of a request, which then fails with `refusal`.
    pub async fn discard(&mut self, pass: Pass<'_>, refusal: Refusal) -> Failure {
        let limit = self.response_timeout;
        match self.send(&cmd("DISCARD"), pass, limit).await {
            Ok(_) => refusal.into(),
            Err(error) => error.into(),
        }
    }
}

/// The error that the caller gets: the reason for which the layer closed the connection says
/// more than the loss of it.
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
