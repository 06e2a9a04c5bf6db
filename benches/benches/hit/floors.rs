//! Lower bounds of a hit, and simple caches for comparison: each with the clock that our hit reads.

use std::sync::Arc;

use arc_swap::ArcSwap;
use credsim_identity::platform::{Clock, Reading};
use futures_util::FutureExt as _;

use crate::{
    Outcome,
    case::Case,
    service::{LENGTH, SCOPE, Service},
};

struct Token {
    secret: String,
    end: u64,
}

impl Token {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            secret: "e".repeat(LENGTH),
            end: u64::MAX,
        })
    }

    fn length_at(&self, now: Reading) -> usize {
        if now.monotonic < self.end {
            self.secret.len()
        } else {
            0
        }
    }
}

/// The case, by subject and work, that our hit is compared with: its lower bound.
pub const FLOOR: (&str, &str) = ("arc-swap", "a guard and the clock: the floor");

#[expect(clippy::disallowed_types, reason = "it is what is measured")]
type Map = std::collections::HashMap<String, Arc<Token>>;

pub fn cases(service: &Service) -> Outcome<Vec<Case>> {
    let clock: Arc<dyn Clock> = service.platform().clock;
    let swap = (ArcSwap::new(Token::new()), clock.clone());
    let map = tokio::sync::RwLock::new(Map::from([(SCOPE.to_owned(), Token::new())]));
    let map = (map, clock.clone());
    let moka = moka::sync::Cache::builder().max_capacity(10_000).build();
    moka.insert(SCOPE.to_owned(), Token::new());
    let moka: (moka::sync::Cache<String, Arc<Token>>, _) = (moka, clock.clone());
    Ok(vec![
        Case::new("nothing", "the loop itself", || {
            std::hint::black_box(LENGTH)
        }),
        Case::new("the clock", "as our hit reads it", move || {
            std::hint::black_box(clock.read());
            LENGTH
        }),
        Case::new(FLOOR.0, FLOOR.1, move || {
            swap.0.load().length_at(swap.1.read())
        }),
        Case::new("tokio", "RwLock<HashMap>, an Arc of the token", move || {
            let token = async { map.0.read().await.get(SCOPE).cloned() }.now_or_never();
            token
                .flatten()
                .map_or(0, |token| token.length_at(map.1.read()))
        }),
        Case::new("moka", "sync::Cache, an Arc of the token", move || {
            let token = moka.0.get(SCOPE);
            token.map_or(0, |token| token.length_at(moka.1.read()))
        }),
    ])
}
