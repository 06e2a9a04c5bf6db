//! The retry loop on a clock that is paused (PR-10 to PR-15).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use std::time::Duration;

use core_support::{Chunk, Exchange, Host, SECOND, status, status_with};
use credsim_identity::{
    ManagedIdentityCredential, RetryOptions, RetryPolicy, TokenCredential as _, TokenRequest,
    http::{self, Failure, Reply},
    platform::{Clock as _, HttpRequest, Method, TransportErrorKind},
};
use jiff::SignedDuration;
use proptest::prelude::*;

async fn send(host: &Host, policy: &RetryPolicy) -> Result<Reply, Failure> {
    http::send(&host.platform(), policy, "test", || {
        HttpRequest::new(
            Method::Get,
            "http://169.254.169.254/".parse().expect("a URL"),
        )
    })
    .await
}

/// When requests are sent if every exchange is `exchange`, in milliseconds.
async fn times(policy: &RetryPolicy, exchange: Exchange) -> Vec<u128> {
    let host = Host::new(0.5);
    host.script([exchange]);
    let _ = send(&host, policy).await;
    host.times().iter().map(Duration::as_millis).collect()
}

const MI_TIMES: [u128; 6] = [0, 800, 2400, 5600, 12_000, 24_800];

#[tokio::test(start_paused = true)]
async fn pr_10_managed_identity_retries_what_may_pass() {
    let policy = RetryPolicy::managed_identity();
    for code in [404, 408, 429, 500, 502, 503, 504, 507, 599] {
        assert_eq!(
            times(&policy, status(code)).await,
            MI_TIMES,
            "status {code}"
        );
    }
    for code in [200, 301, 400, 401, 403, 409, 501, 505] {
        assert_eq!(times(&policy, status(code)).await, [0], "status {code}");
    }
    for kind in [
        TransportErrorKind::Dns,
        TransportErrorKind::Refused,
        TransportErrorKind::Unreachable,
        TransportErrorKind::ConnectTimeout,
        TransportErrorKind::Tls,
        TransportErrorKind::Broken,
        TransportErrorKind::Protocol,
    ] {
        assert_eq!(
            times(&policy, Exchange::Error(kind)).await,
            MI_TIMES,
            "{kind:?}"
        );
    }
    let none = Exchange::Error(TransportErrorKind::NoClient);
    assert_eq!(
        times(&policy, none).await,
        [0],
        "there is no client to try again with"
    );
    let unsupported = Exchange::Error(TransportErrorKind::Unsupported);
    assert_eq!(
        times(&policy, unsupported).await,
        [0],
        "the same client will not support it later"
    );
    let refused = Exchange::Error(TransportErrorKind::Certificate);
    assert_eq!(
        times(&policy, refused).await,
        [0],
        "a certificate stays what it is"
    );
    assert_eq!(
        times(&RetryPolicy::service_fabric(), status(404)).await,
        [0]
    );
    assert_eq!(
        times(&RetryPolicy::service_fabric(), status(503)).await,
        MI_TIMES
    );
}

#[tokio::test(start_paused = true)]
async fn pr_10_one_loop_and_one_counter() {
    let host = Host::new(0.5);
    host.script([500, 404, 429, 503, 408, 500, 404, 200].map(status));
    let reply = send(&host, &RetryPolicy::managed_identity()).await.unwrap();
    assert_eq!((reply.status, reply.attempts), (500, 6));
    assert_eq!(
        host.purposes(),
        [1, 2, 3, 4, 5].map(|n| format!("retry/test/{n}"))
    );
}

#[tokio::test(start_paused = true)]
async fn pr_10_options_govern_every_wait() {
    let options = RetryOptions {
        max_retries: Some(4),
        retry_delay: Some(Duration::from_millis(500)),
        max_retry_delay: Some(Duration::from_millis(1500)),
        ..RetryOptions::default()
    };
    let policy = RetryPolicy::managed_identity().with(&options);
    for code in [404, 410, 500] {
        assert_eq!(
            times(&policy, status(code)).await,
            [0, 500, 1500, 3000, 4500],
            "{code}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn pr_11_gone_is_asked_for_seventy_seconds() {
    let host = Host::new(0.0);
    host.script([status(410)]);
    let policy = RetryPolicy::managed_identity();
    assert_eq!(send(&host, &policy).await.unwrap().status, 410);
    assert!(
        *host.times().last().unwrap() >= 70 * SECOND,
        "{:?}",
        host.times()
    );

    let cap_only = RetryOptions {
        retry_after_cap: Some(SECOND),
        ..RetryOptions::default()
    };
    let gone =
        async |options| times(&RetryPolicy::managed_identity().with(&options), status(410)).await;
    assert_eq!(gone(cap_only).await[1], 3000);
    // A caller that sets any of the waits, or their number, sets it for a 410 too.
    let defaults = RetryOptions::default;
    for options in [
        RetryOptions {
            max_retries: Some(5),
            ..defaults()
        },
        RetryOptions {
            retry_delay: Some(Duration::from_millis(800)),
            ..defaults()
        },
        RetryOptions {
            max_retry_delay: Some(64 * SECOND),
            ..defaults()
        },
    ] {
        assert_eq!(gone(options).await, MI_TIMES);
    }
}

#[tokio::test(start_paused = true)]
async fn pr_12_retry_after_replaces_the_wait_exactly() {
    let policy = RetryPolicy::managed_identity();
    for code in [404, 408, 410, 429, 500, 503] {
        let times = times(&policy, status_with(code, "Retry-After", "7")).await;
        assert_eq!(
            times,
            [0, 7000, 14_000, 21_000, 28_000, 35_000],
            "status {code}"
        );
    }
    for useless in ["0", "-1", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let times = times(&policy, status_with(429, "Retry-After", useless)).await;
        assert_eq!(times, MI_TIMES, "{useless}");
    }
    assert_eq!(
        times(&policy, status_with(400, "Retry-After", "7")).await,
        [0]
    );
}

#[tokio::test(start_paused = true)]
async fn pr_12_too_long_a_wait_ends_the_call() {
    let host = Host::new(0.5);
    host.script([
        status_with(503, "Retry-After", "60"),
        status_with(503, "retry-after", "61"),
    ]);
    let reply = send(&host, &RetryPolicy::managed_identity()).await.unwrap();
    assert_eq!(host.times(), [Duration::ZERO, 60 * SECOND]);
    assert_eq!(reply.retry_at.unwrap().as_second(), 1_767_225_600 + 60 + 61);
}

#[tokio::test(start_paused = true)]
async fn pr_12_the_last_answer_has_a_retry_at_too() {
    let host = Host::new(0.5);
    host.script([status_with(429, "Retry-After", "5")]);
    let reply = send(&host, &RetryPolicy::in_default_chain()).await.unwrap();
    assert_eq!(reply.retry_at.unwrap().as_second(), 1_767_225_600 + 5);
    assert!(reply.is_retried);
    // PR-01: so has a final status, which silences no key.
    host.script([status_with(403, "Retry-After", "5")]);
    let reply = send(&host, &RetryPolicy::in_default_chain()).await.unwrap();
    assert_eq!(reply.retry_at.unwrap().as_second(), 1_767_225_600 + 5);
    assert!(!reply.is_retried);
}

#[tokio::test(start_paused = true)]
async fn pr_12_a_broken_body_takes_nothing_from_retry_after() {
    let host = Host::new(0.5);
    let headers = vec![("Retry-After".to_owned(), "9".to_owned())];
    let broken = Exchange::Answer {
        status: 429,
        headers,
        body: vec![Chunk::Break],
    };
    host.script([broken, status(200)]);
    assert_eq!(
        send(&host, &RetryPolicy::entra()).await.unwrap().status,
        200
    );
    assert_eq!(host.times(), [Duration::ZERO, 9 * SECOND]);
}

#[tokio::test(start_paused = true)]
async fn pr_13_one_attempt_in_the_default_chain() {
    let policy = RetryPolicy::in_default_chain();
    assert_eq!(times(&policy, status(500)).await, [0]);
    let host = Host::new(0.5);
    host.script([Exchange::Hang]);
    assert_eq!(
        send(&host, &policy).await.unwrap_err(),
        Failure::TimedOut { limit: 10 * SECOND }
    );
    assert_eq!(host.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn pr_14_entra() {
    for code in [408, 429, 500, 501, 503] {
        assert_eq!(
            times(&RetryPolicy::entra(), status(code)).await,
            [0, 1000, 3000, 7000]
        );
    }
    for code in [200, 400, 401, 404, 410] {
        assert_eq!(times(&RetryPolicy::entra(), status(code)).await, [0]);
    }
    let refused = Exchange::Error(TransportErrorKind::Refused);
    assert_eq!(
        times(&RetryPolicy::entra(), refused).await,
        [0, 1000, 3000, 7000]
    );
}

#[tokio::test(start_paused = true)]
async fn pr_15_an_attempt_ends_with_its_limit_body_included() {
    let slow = Exchange::Answer {
        status: 200,
        headers: Vec::new(),
        body: vec![Chunk::Bytes(b"{".to_vec()), Chunk::Pause(11 * SECOND)],
    };
    for exchange in [slow, Exchange::Hang] {
        let host = Host::new(0.5);
        host.script([exchange, status(200)]);
        let reply = send(&host, &RetryPolicy::managed_identity()).await.unwrap();
        assert_eq!((reply.status, reply.attempts), (200, 2));
        assert_eq!(
            host.times(),
            [Duration::ZERO, Duration::from_millis(10_800)]
        );
        assert_eq!(host.requests()[0].connect_limit, Some(2 * SECOND));
    }
    let entra = RetryPolicy::entra();
    assert_eq!(
        (entra.connect_limit, entra.attempt_limit),
        (10 * SECOND, 30 * SECOND)
    );
}

#[tokio::test(start_paused = true)]
async fn pr_10_a_truncated_body_is_retried_and_a_huge_one_is_not() {
    let answer = |body| Exchange::Answer {
        status: 200,
        headers: Vec::new(),
        body,
    };
    let host = Host::new(0.5);
    host.script([
        answer(vec![Chunk::Bytes(b"{".to_vec()), Chunk::Break]),
        status(200),
    ]);
    let reply = send(&host, &RetryPolicy::managed_identity()).await.unwrap();
    assert_eq!((&reply.body[..], reply.attempts), (&b"{}"[..], 2));

    let host = Host::new(0.5);
    host.script([answer(vec![Chunk::Bytes(vec![b' '; 600_000]); 2])]);
    let failure = send(&host, &RetryPolicy::managed_identity())
        .await
        .unwrap_err();
    assert!(matches!(&failure, Failure::Transport(e) if e.kind == TransportErrorKind::TooLarge));
    assert!(!failure.is_connect());
    assert_eq!(host.times().len(), 1);
}

#[tokio::test(start_paused = true)]
#[tracing_test::traced_test]
async fn pr_10_retries_are_logged_without_secrets() {
    let host = Host::new(0.5);
    let secret = Exchange::Answer {
        status: 503,
        headers: vec![("x-secret".to_owned(), "s3cret".to_owned())],
        body: vec![Chunk::Bytes(b"s3cret".to_vec())],
    };
    host.script([secret, status_with(429, "Retry-After", "90")]);
    let reply = send(&host, &RetryPolicy::entra()).await.unwrap();
    assert!(logs_contain("will be tried again"));
    assert!(logs_contain("status 503"));
    assert!(logs_contain("wait=1s"));
    assert!(logs_contain(
        "the service asks for a longer wait than the cap"
    ));
    assert!(!logs_contain("s3cret"));
    assert_eq!(format!("{reply:?}"), "Reply(429 after 2 attempts)");
}

proptest! {
    #[test]
    fn pr_10_waits_stay_within_their_bounds(
        unit in 0.0..1.0_f64,
        max_retries in 0..12_u32,
        delay in 1..100_000_u64,
        cap in 1..100_000_u64,
        code in prop_oneof![Just(404_u16), Just(410), Just(429), Just(503)],
    ) {
        let policy = RetryPolicy::managed_identity().with(&RetryOptions {
            max_retries: Some(max_retries),
            retry_delay: Some(Duration::from_millis(delay)),
            max_retry_delay: Some(Duration::from_millis(cap)),
            retry_after_cap: None,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let times = runtime.block_on(async {
            let host = Host::new(unit);
            host.script([status(code)]);
            let reply = send(&host, &policy).await.unwrap();
            assert_eq!(reply.attempts, max_retries + 1);
            host.times()
        });
        prop_assert_eq!(times.len(), max_retries as usize + 1);
        for (retry, pair) in (1..).zip(times.windows(2)) {
            let (wait, nominal) = (pair[1] - pair[0], policy.nominal_wait(retry, Some(code)));
            prop_assert!(nominal <= Duration::from_millis(cap));
            // A paused clock wakes at whole milliseconds.
            let slack = Duration::from_millis(1);
            prop_assert!(wait + slack >= nominal.mul_f64(0.8), "{wait:?} of {nominal:?}");
            prop_assert!(wait <= nominal.mul_f64(1.2) + slack, "{wait:?} of {nominal:?}");
        }
    }

    #[test]
    fn pr_10_no_option_overflows(retry in any::<u32>(), delay in any::<u64>(), cap in any::<u64>()) {
        let policy = RetryPolicy::entra().with(&RetryOptions {
            retry_delay: Some(Duration::from_secs(delay)),
            max_retry_delay: Some(Duration::from_secs(cap)),
            ..RetryOptions::default()
        });
        prop_assert!(policy.nominal_wait(retry, None) <= Duration::from_secs(cap));
    }
}

/// PR-20: a host that sleeps while the answer is under way does not give the token the time again
/// that it slept.
#[tokio::test(start_paused = true)]
async fn pr_20_a_sleep_during_the_request_lengthens_no_life() {
    let host = Host::new(0.5);
    host.script([Exchange::Answer {
        status: 200,
        headers: Vec::new(),
        body: vec![
            Chunk::Pause(5 * SECOND),
            Chunk::Bytes(br#"{"access_token":"t","expires_in":"3600"}"#.to_vec()),
        ],
    }]);
    let credential = ManagedIdentityCredential::builder()
        .platform(host.platform())
        .build()
        .unwrap();
    let sent = host.now();
    let request = TokenRequest::new(["https://vault.azure.net/.default"]);
    let (token, ()) = tokio::join!(credential.get_token(&request), host.suspend(5 * SECOND));
    let ends = token.unwrap().expires_on();
    assert_eq!(ends, sent + SignedDuration::from_secs(3600));
}
