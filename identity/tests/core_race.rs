//! Races that the model of single flight (`flight_model`) has found, made to happen (PR-24).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use std::{
    sync::{Arc, Mutex},
    task::{Context, Wake, Waker},
};

use core_support::{HOUR, Host, MINUTE, SECOND, Source};
use credsim_identity::{
    AccessToken, Error, ErrorKind, TokenRequest,
    cache::{CacheKey, SingleFlight, TokenCache},
    platform::{BoxFuture, Clock as _, Spawner, TaskHandle},
};

#[tokio::test(start_paused = true)]
async fn pr_24_a_refresh_does_not_claim_a_later_request() {
    let host = Host::new(0.0);
    let source = Source::new(&host);
    let eager = Eager(host.clone(), Arc::default());
    let mut platform = host.platform();
    platform.spawner = Arc::new(eager.clone());
    let cache = TokenCache::new(platform, "Test");
    let request = TokenRequest::new(["scope"]);
    let get = || cache.get(CacheKey::of(&request), &request, || source.fetch());
    get().await.unwrap();
    host.sleep(56 * MINUTE).await;
    // The refresh is over at once. Before its owner can claim it, another one is started.
    let forced = request.clone().with_force_refresh(true);
    let (cache, slow) = (cache.clone(), source.clone());
    let (sender, mut waits) = tokio::sync::mpsc::unbounded_channel();
    *eager.1.lock().unwrap() = Some(Box::new(move || {
        slow.takes(HOUR);
        let mut asks: BoxFuture<'static, _> = Box::pin(async move {
            let key = CacheKey::of(&forced);
            cache.get(key, &forced, || slow.fetch()).await
        });
        let waker = Waker::noop();
        assert!(
            asks.as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_pending()
        );
        sender.send(asks).unwrap();
    }));
    get().await.unwrap();
    assert_eq!((source.count(), source.in_flight().0), (3, 1));
    drop(waits.recv().await);
    host.sleep(SECOND).await;
    assert_eq!(source.in_flight().0, 0);
}

type Hook = Box<dyn FnOnce() + Send>;

/// Polls a task before it returns, and then does what was asked for once.
#[derive(Clone)]
struct Eager(Host, Arc<Mutex<Option<Hook>>>);

impl Spawner for Eager {
    fn spawn(&self, mut work: BoxFuture<'static, ()>) -> TaskHandle {
        let waker = Waker::noop();
        if work
            .as_mut()
            .poll(&mut Context::from_waker(waker))
            .is_pending()
        {
            return self.0.platform().spawner.spawn(work);
        }
        let hook = self.1.lock().unwrap().take();
        hook.into_iter().for_each(|hook| hook());
        TaskHandle::new(|| ())
    }
}

/// Ends all work of a single flight when it is woken: an executor may drop things then.
struct Disposes(SingleFlight);

impl Wake for Disposes {
    fn wake(self: Arc<Self>) {
        self.0.dispose();
    }
}

#[test]
fn pr_24_a_dropped_waiter_is_woken_outside_the_lock() {
    let (sender, done) = std::sync::mpsc::channel();
    // On a thread of its own, for one that waits for its own lock waits for ever.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let flights = SingleFlight::new(&Host::new(0.0).platform(), "Test");
            let waker = Arc::new(Disposes(flights.clone())).into();
            let mut runs = Box::pin(flights.run("a", || Box::pin(std::future::pending())));
            assert!(
                runs.as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
            drop(runs);
        });
        sender.send(()).unwrap();
    });
    done.recv_timeout(MINUTE).unwrap();
}

/// A request begins, and before it is sent, the answer to claims says all about it.
async fn overtaken(source: Source, host: &Host) -> [Result<AccessToken, Error>; 2] {
    let cache = TokenCache::new(host.platform(), "Test");
    let plain = TokenRequest::new(["scope"]);
    let claims = plain.clone().with_claims("{}");
    let (answer, answered) = tokio::sync::oneshot::channel::<()>();
    let slow = source.clone();
    let fetch = || -> BoxFuture<'static, _> {
        Box::pin(async move {
            answered.await.unwrap();
            slow.fetch().await
        })
    };
    let (with_claims, without) =
        tokio::join!(cache.get(CacheKey::of(&claims), &claims, fetch), async {
            host.sleep(SECOND).await;
            // The task of the one is woken before that of the other is spawned.
            answer.send(()).unwrap();
            cache
                .get(CacheKey::of(&plain), &plain, || source.fetch())
                .await
        });
    [with_claims, without]
}

#[tokio::test(start_paused = true)]
async fn pr_24_a_request_whose_token_has_come_meanwhile_is_not_sent() {
    let host = Host::new(0.0);
    let source = Source::new(&host);
    let [with_claims, without] = overtaken(source.clone(), &host).await;
    assert_eq!(with_claims.unwrap(), without.unwrap());
    assert_eq!(source.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn pr_12_a_request_that_was_forbidden_meanwhile_is_not_sent() {
    let host = Host::new(0.0);
    let source = Source::new(&host);
    let at = host.now() + jiff::SignedDuration::from_hours(1);
    source.fails_with(Error::new(ErrorKind::Failed, "Test", "busy").with_retry_at(at));
    for answer in overtaken(source.clone(), &host).await {
        assert_eq!(answer.unwrap_err().retry_at(), Some(at));
    }
    assert_eq!(source.count(), 1);
}
