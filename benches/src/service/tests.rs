//! The counters of the service must be right: the figures of stampedes depend on them.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use super::{
    answer::{Asked, answer},
    counts::Counts,
    token::token,
};

const ENTRA: &str = "https://127.0.0.1:1";

fn get(path: &str) -> Asked<'_> {
    Asked {
        is_post: false,
        path,
        has_metadata_header: true,
    }
}

fn post(path: &str) -> Asked<'_> {
    Asked {
        is_post: true,
        ..get(path)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

#[test]
fn each_kind_of_request_is_counted_as_itself() {
    let counts = Counts::default();
    runtime().block_on(async {
        let imds = "/metadata/identity/oauth2/token";
        let told = [
            answer(&post("/t/oauth2/v2.0/token"), ENTRA, &counts).await,
            answer(&get(imds), ENTRA, &counts).await,
            answer(
                &get("/t/v2.0/.well-known/openid-configuration"),
                ENTRA,
                &counts,
            )
            .await,
            answer(&get("/control/counts"), ENTRA, &counts).await,
            answer(&get("/t/oauth2/v2.0/token"), ENTRA, &counts).await,
        ];
        assert_eq!(told.map(|(status, _)| status), [200, 200, 200, 200, 400]);
        let without = Asked {
            has_metadata_header: false,
            ..get(imds)
        };
        assert_eq!(answer(&without, ENTRA, &counts).await.0, 400);
    });
    let seen = [
        counts.tokens(),
        counts.discoveries(),
        counts.refused(),
        counts.peak(),
    ];
    assert_eq!(seen, [2, 1, 2, 1]);
}

#[test]
fn the_peak_is_of_requests_that_wait_together() {
    let counts = Counts::default();
    runtime().block_on(async {
        answer(&post("/control/reset/20"), ENTRA, &counts).await;
        let ask = post("/t/oauth2/v2.0/token");
        tokio::join!(answer(&ask, ENTRA, &counts), answer(&ask, ENTRA, &counts));
        answer(&ask, ENTRA, &counts).await;
    });
    assert_eq!((counts.tokens(), counts.peak()), (3, 2));
    assert_eq!(counts.delay(), Duration::from_millis(20));
    counts.reset(Duration::ZERO);
    assert_eq!((counts.tokens(), counts.peak()), (0, 0));
}

#[test]
fn tokens_look_like_real_ones_and_differ() {
    let tokens = [token(1), token(2)];
    for token in &tokens {
        assert_eq!(token.split('.').count(), 3);
        assert!((1_600..1_800).contains(&token.len()), "{}", token.len());
    }
    assert_ne!(tokens[0], tokens[1]);
}
