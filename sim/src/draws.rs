//! Every random choice of a world: streams derived from one seed, keyed by purpose.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use ring::digest::{Context, SHA256};

/// Streams of random numbers. Two purposes never share a stream, so one more draw for one purpose
/// shifts no other. Clones continue the same streams.
#[derive(Clone)]
pub struct Draws {
    seed: u64,
    /// Boxed, for the map moves its entries: a stream has a few hundred bytes.
    streams: Arc<Mutex<BTreeMap<String, Box<ChaCha8Rng>>>>,
}

impl Draws {
    /// The streams of `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            streams: Arc::default(),
        }
    }

    /// The next number of the stream of `purpose`.
    pub fn next(&self, purpose: &str) -> u64 {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = streams.get_mut(purpose) {
            return stream.next_u64();
        }
        let mut context = Context::new(&SHA256);
        context.update(&self.seed.to_be_bytes());
        context.update(purpose.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        // ChaCha8 is specified, so its numbers are the same in every release.
        let mut stream = Box::new(ChaCha8Rng::from_seed(key));
        let first = stream.next_u64();
        streams.insert(purpose.to_owned(), stream);
        first
    }

    /// A number in `[0, 1)` from the stream of `purpose`.
    pub fn unit(&self, purpose: &str) -> f64 {
        (self.next(purpose) >> 11) as f64 / (1u64 << 53) as f64
    }
}
