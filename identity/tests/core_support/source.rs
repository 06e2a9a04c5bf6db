//! A scripted source of tokens that counts its requests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::Engine as _;
use credsim_identity::{
    AccessToken, Error, ErrorKind,
    platform::{BoxFuture, Clock as _},
};
use jiff::SignedDuration;

use super::{HOUR, Host};

/// A source of tokens: what it answers next, and what was asked of it.
#[derive(Clone)]
pub struct Source(Arc<SourceInner>);

struct SourceInner {
    host: Host,
    plan: Mutex<Plan>,
    asked: Mutex<Vec<Duration>>,
    in_flight: Mutex<(usize, usize)>,
}

#[derive(Clone)]
struct Plan {
    takes: Duration,
    answer: Result<Given, Error>,
}

#[derive(Clone)]
enum Given {
    New {
        life: Duration,
        principal: Option<String>,
    },
    Same(AccessToken),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

impl Source {
    /// Gives tokens of one hour, at once.
    pub fn new(host: &Host) -> Self {
        Self(Arc::new(SourceInner {
            host: host.clone(),
            plan: Mutex::new(Plan {
                takes: Duration::ZERO,
                answer: Ok(Given::New {
                    life: HOUR,
                    principal: None,
                }),
            }),
            asked: Mutex::default(),
            in_flight: Mutex::default(),
        }))
    }

    pub fn takes(&self, duration: Duration) -> &Self {
        self.0.plan.lock().unwrap().takes = duration;
        self
    }

    pub fn gives(&self, life: Duration) -> &Self {
        self.0.plan.lock().unwrap().answer = Ok(Given::New {
            life,
            principal: None,
        });
        self
    }

    pub fn gives_as(&self, principal: &str) -> &Self {
        let principal = Some(principal.to_owned());
        self.0.plan.lock().unwrap().answer = Ok(Given::New {
            life: HOUR,
            principal,
        });
        self
    }

    pub fn gives_again(&self, token: &AccessToken) -> &Self {
        self.0.plan.lock().unwrap().answer = Ok(Given::Same(token.clone()));
        self
    }

    pub fn fails(&self) -> &Self {
        self.fails_with(Error::new(ErrorKind::Failed, "Test", "scripted"))
    }

    pub fn fails_with(&self, error: Error) -> &Self {
        self.0.plan.lock().unwrap().answer = Err(error);
        self
    }

    /// When it was asked.
    pub fn asked(&self) -> Vec<Duration> {
        self.0.asked.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.asked().len()
    }

    /// How many requests are in flight now, and at most.
    pub fn in_flight(&self) -> (usize, usize) {
        *self.0.in_flight.lock().unwrap()
    }

    /// Asks it: what a credential's fetch does.
    pub fn fetch(&self) -> BoxFuture<'static, Result<AccessToken, Error>> {
        let this = self.clone();
        Box::pin(async move {
            let plan = this.0.plan.lock().unwrap().clone();
            let number = {
                let mut asked = this.0.asked.lock().unwrap();
                asked.push(this.0.host.elapsed());
                asked.len()
            };
            let _in_flight = InFlight::begin(&this);
            if !plan.takes.is_zero() {
                tokio::time::sleep(plan.takes).await;
            }
            match plan.answer? {
                Given::Same(token) => Ok(token),
                Given::New { life, principal } => {
                    let secret = match principal {
                        Some(principal) => jwt(&principal, number),
                        None => format!("token {number}"),
                    };
                    let ends = this.0.host.now() + SignedDuration::try_from(life).unwrap();
                    Ok(AccessToken::new(secret, ends, "Test"))
                }
            }
        })
    }
}

struct InFlight(Source);

impl InFlight {
    fn begin(source: &Source) -> Self {
        let mut in_flight = source.0.in_flight.lock().unwrap();
        in_flight.0 += 1;
        in_flight.1 = in_flight.1.max(in_flight.0);
        Self(source.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.lock().unwrap().0 -= 1;
    }
}

/// An unsigned token of the principal `oid`.
pub fn jwt(oid: &str, number: usize) -> String {
    jwt_with(&format!(r#"{{"oid":"{oid}","tid":"t","jti":"{number}"}}"#))
}

/// An unsigned token with these claims.
pub fn jwt_with(claims: &str) -> String {
    let encode = |text| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.sig", encode(r#"{"alg":"none"}"#), encode(claims))
}
