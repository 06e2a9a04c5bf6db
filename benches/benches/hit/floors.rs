//! Lower bounds of a hit, and simple caches for comparison: each with the clock that our hit reads.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use azure_core::{
    credentials::{self, TokenCredential as Theirs, TokenRequestOptions},
    error::ErrorKind,
    time::OffsetDateTime,
};
use credsim_identity::platform::{Clock, Reading};
use futures_util::FutureExt as _;

use crate::{
    Outcome,
    case::{Case, asking},
    service::{LENGTH, SCOPE, Service},
};

struct Token {
    secret: String,
    end: u64,
    expires_on: i64,
}

impl Token {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            secret: "e".repeat(LENGTH),
            end: u64::MAX,
            expires_on: std::hint::black_box(1_800_000_000),
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

/// The floor of what goes through the trait of `azure_core`.
pub const ADAPTER_FLOOR: (&str, &str) = (
    "arc-swap",
    "behind azure_core's trait: a boxed future, an owned token",
);

/// A guard and the clock behind the trait of `azure_core`.
struct Behind {
    token: ArcSwap<Token>,
    clock: Arc<dyn Clock>,
}

#[async_trait::async_trait]
impl Theirs for Behind {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<credentials::AccessToken> {
        let token = self.token.load();
        if self.clock.read().monotonic >= token.end {
            return Err(azure_core::Error::with_message(
                ErrorKind::Credential,
                "it has ended",
            ));
        }
        let expires_on = OffsetDateTime::from_unix_timestamp(token.expires_on);
        let expires_on =
            expires_on.map_err(|error| azure_core::Error::new(ErrorKind::DataConversion, error))?;
        Ok(credentials::AccessToken::new(
            token.secret.clone(),
            expires_on,
        ))
    }
}

impl fmt::Debug for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Behind")
    }
}

#[expect(clippy::disallowed_types, reason = "it is what is measured")]
type Map = std::collections::HashMap<String, Arc<Token>>;

pub fn cases(service: &Service) -> Outcome<Vec<Case>> {
    let clock: Arc<dyn Clock> = service.platform().clock;
    let swap = (ArcSwap::new(Token::new()), clock.clone());
    let behind: Arc<dyn Theirs> = Arc::new(Behind {
        token: ArcSwap::new(Token::new()),
        clock: clock.clone(),
    });
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
        Case::asking(
            ADAPTER_FLOOR.0,
            ADAPTER_FLOOR.1,
            asking!(behind.get_token(&[SCOPE], None), token => token.token.secret()),
        ),
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
