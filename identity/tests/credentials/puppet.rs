//! A scripted credential.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim_identity::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRequest, platform::BoxFuture,
};

use tokio::time::Instant;

use crate::stub::{jwt_in, start};

/// A scripted credential.
#[derive(Debug)]
pub struct Puppet {
    name: &'static str,
    next: Mutex<Result<&'static str, ErrorKind>>,
    takes: Mutex<Duration>,
    life: Mutex<Duration>,
    asked: Mutex<u32>,
    under_way: Mutex<u32>,
    origin: Instant,
}

impl Puppet {
    pub fn new(name: &'static str, next: Result<&'static str, ErrorKind>) -> Arc<Self> {
        Arc::new(Self {
            name,
            next: Mutex::new(next),
            takes: Mutex::new(Duration::from_millis(50)),
            life: Mutex::new(Duration::from_secs(3600)),
            asked: Mutex::default(),
            under_way: Mutex::default(),
            origin: Instant::now(),
        })
    }
    /// Sets the principal of its next answer; `""` for an opaque token, `x@t` for x in the tenant
    /// t.
    pub fn will(&self, next: Result<&'static str, ErrorKind>) {
        *self.next.lock().unwrap() = next;
    }
    /// How long it takes to answer. Default: 50 ms.
    pub fn takes(&self, time: Duration) {
        *self.takes.lock().unwrap() = time;
    }
    /// The life of its tokens. Default: 1 h.
    pub fn life(&self, life: Duration) {
        *self.life.lock().unwrap() = life;
    }
    pub fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }
    /// How many wait for its answer.
    pub fn under_way(&self) -> u32 {
        *self.under_way.lock().unwrap()
    }
}

struct UnderWay<'a>(&'a Puppet);

impl<'a> UnderWay<'a> {
    fn of(puppet: &'a Puppet) -> Self {
        *puppet.under_way.lock().unwrap() += 1;
        Self(puppet)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        *self.0.under_way.lock().unwrap() -= 1;
    }
}

impl TokenCredential for Puppet {
    fn name(&self) -> &str {
        self.name
    }
    fn get_token<'a>(&'a self, _: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async {
            let _under_way = UnderWay::of(self);
            let takes = *self.takes.lock().unwrap();
            tokio::time::sleep(takes).await;
            *self.asked.lock().unwrap() += 1;
            match *self.next.lock().unwrap() {
                Ok(oid) => {
                    let secret = if oid.is_empty() {
                        "opaque".to_owned()
                    } else {
                        let (oid, tenant) = oid.split_once('@').unwrap_or((oid, "t"));
                        jwt_in(oid, tenant)
                    };
                    let expires_on = start() + self.origin.elapsed() + *self.life.lock().unwrap();
                    Ok(AccessToken::new(secret, expires_on, self.name))
                }
                Err(kind) => Err(Error::new(kind, self.name, format!("is {kind}\nas told"))
                    .with_help(format!("help {}", self.name))),
            }
        })
    }
}

/// `Cached` owns what it wraps; the tests look at it from outside.
#[derive(Debug)]
pub struct Shared(pub Arc<Puppet>);

impl TokenCredential for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        self.0.get_token(request)
    }
}
