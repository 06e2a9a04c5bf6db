//! A hit allocates nothing, however it is asked for.

#![expect(unsafe_code, reason = "an allocator can't be written without")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod core_support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
};

use core_support::{Host, Source};
use credsim_identity::{
    AccessToken, Cached, ChainedTokenCredential, Error, TokenCredential, TokenCredentialExt,
    TokenRequest, platform::BoxFuture,
};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// Of this thread: tests run on several.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are those that it asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[derive(Debug)]
struct Foreign(Source);

impl TokenCredential for Foreign {
    fn name(&self) -> &str {
        "Foreign"
    }

    fn get_token<'a>(&'a self, _: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, Error>> {
        self.0.fetch()
    }
}

/// How many allocations a thousand of these cost.
async fn cost(credential: &Arc<dyn TokenCredential>, how: How<'_>) -> usize {
    let before = ALLOCATIONS.get();
    for _ in 0..1000 {
        let token = match how {
            How::Prepared(request) => credential.token(request).await,
            How::Scopes(scopes) => Ok(credential.fast_path().unwrap().hit_scopes(scopes).unwrap()),
        };
        assert_eq!(token.unwrap().secret(), "token 1");
    }
    ALLOCATIONS.get() - before
}

#[derive(Clone, Copy)]
enum How<'a> {
    Prepared(&'a TokenRequest),
    Scopes(&'a [&'a str]),
}

#[tokio::test(start_paused = true)]
async fn a_hit_allocates_nothing() {
    let host = Host::new(0.0);
    let cached = || Cached::on(host.platform(), Foreign(Source::new(&host)));
    let chain = ChainedTokenCredential::builder()
        .platform(host.platform())
        .credential(cached())
        .build()
        .unwrap();
    let all: [(&str, Arc<dyn TokenCredential>); 2] =
        [("cached", Arc::new(cached())), ("chain", Arc::new(chain))];
    for (name, credential) in all {
        let request = TokenRequest::new(["scope"]);
        for _ in 0..3 {
            // Warm: found, compared, remembered.
            credential.token(&request).await.unwrap();
            let _ = credential.fast_path().unwrap().hit_scopes(&["scope"]);
        }
        for how in [How::Prepared(&request), How::Scopes(&["scope"])] {
            assert_eq!(cost(&credential, how).await, 0, "{name}");
        }
        let boxed = ALLOCATIONS.get();
        credential.get_token(&request).await.unwrap();
        assert!(ALLOCATIONS.get() > boxed, "what is counted is counted");
    }
}
