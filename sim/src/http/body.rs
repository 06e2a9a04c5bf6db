//! How the body of an answer is sent: whole, cut short, or dripping.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::engine::{BoxFuture, Runtime};

/// A dripping body arrives in so many pieces.
const DRIPS: usize = 10;

/// The body of an answer on its way.
pub struct Payload {
    pieces: VecDeque<Bytes>,
    /// The length that the head promises.
    promised: u64,
    end: End,
    drip: Option<Drip>,
}

enum End {
    /// All of it is sent.
    Whole,
    /// What was sent must be out before the connection breaks: let the connection flush once.
    FlushThenCut,
    /// Now it breaks.
    Cut,
}

struct Drip {
    runtime: Arc<dyn Runtime>,
    every: Duration,
    pause: BoxFuture<'static, ()>,
}

/// The connection is cut.
#[derive(Debug)]
pub struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Payload {
    /// All at once.
    pub fn whole(body: Bytes) -> Self {
        let promised = body.len() as u64;
        let pieces = if body.is_empty() {
            VecDeque::new()
        } else {
            VecDeque::from([body])
        };
        Self {
            pieces,
            promised,
            end: End::Whole,
            drip: None,
        }
    }

    /// The head promises the whole; `after` bytes arrive, then the connection breaks.
    pub fn truncated(body: Bytes, after: u32) -> Self {
        let after = body.len().min(usize::try_from(after).unwrap_or(usize::MAX));
        let promised = body.len() as u64;
        Self {
            promised,
            end: End::FlushThenCut,
            ..Self::whole(body.slice(..after))
        }
    }

    /// Piece by piece, the last one `over` from now.
    pub fn dripping(body: Bytes, over: Duration, runtime: Arc<dyn Runtime>) -> Self {
        let promised = body.len() as u64;
        let size = body.len().div_ceil(DRIPS).max(1);
        let pieces: VecDeque<_> = (0..body.len())
            .step_by(size)
            .map(|from| body.slice(from..body.len().min(from + size)))
            .collect();
        let every = over / u32::try_from(pieces.len()).unwrap_or(u32::MAX).max(1);
        let drip = Drip {
            pause: runtime.sleep(every),
            every,
            runtime,
        };
        Self {
            pieces,
            promised,
            end: End::Whole,
            drip: Some(drip),
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(drip) = &mut self.drip {
            std::task::ready!(drip.pause.as_mut().poll(cx));
            drip.pause = drip.runtime.sleep(drip.every);
        }
        if let Some(piece) = self.pieces.pop_front() {
            if self.pieces.is_empty() {
                self.drip = None;
            }
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::FlushThenCut => {
                self.end = End::Cut;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::Cut => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && matches!(self.end, End::Whole)
    }

    fn size_hint(&self) -> SizeHint {
        let left: u64 = self.pieces.iter().map(|piece| piece.len() as u64).sum();
        SizeHint::with_exact(match self.end {
            End::Whole => left,
            _ => self.promised,
        })
    }
}
