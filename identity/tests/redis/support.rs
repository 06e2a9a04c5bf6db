//! A scripted identity provider, and an observer that records events.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim_identity::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRequest,
    platform::{BoxFuture, Clock as _},
    redis::{
        CredentialsSubscription, EntraIdCredentialsProvider, EntraIdCredentialsProviderBuilder,
        RedisEvent, RedisObserver,
    },
};
use jiff::SignedDuration;

use crate::core_support::{Host, SECOND, jwt};

/// What a request is answered with.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A new token of this life.
    Token(Duration),
    /// A new token of this principal.
    As(&'static str, Duration),
    /// This text as a token of an hour.
    Text(String),
    /// The last token again.
    Same,
    Fails(Error),
    Hangs,
    /// The rest after a while.
    Slow(Duration, Box<Answer>),
}

pub fn transient() -> Error {
    Error::new(ErrorKind::Failed, "Test", "it is busy").with_status(503)
}

pub fn refused() -> Error {
    Error::new(ErrorKind::Failed, "Test", "wrong secret")
        .with_status(401)
        .with_code("AADSTS7000215")
}

/// The identity provider.
pub struct Idp {
    host: Host,
    /// The last one repeats.
    plan: Mutex<VecDeque<Answer>>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    asked: Vec<Duration>,
    forced: Vec<bool>,
    /// What came of each, and when; a request that was given up has none.
    landed: Vec<(Duration, Answer)>,
    under_way: usize,
    at_once: usize,
    last: Option<AccessToken>,
    disposed: bool,
}

impl Idp {
    pub fn new(host: &Host, plan: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self {
            host: host.clone(),
            plan: Mutex::new(plan.into_iter().collect()),
            log: Mutex::default(),
        })
    }

    /// What comes next; the last one repeats.
    pub fn will(&self, plan: impl IntoIterator<Item = Answer>) {
        *self.plan.lock().unwrap() = plan.into_iter().collect();
    }

    pub fn plan_left(&self) -> usize {
        self.plan.lock().unwrap().len()
    }

    pub fn asked(&self) -> Vec<Duration> {
        self.log.lock().unwrap().asked.clone()
    }

    /// When it was asked, in seconds.
    pub fn seconds(&self) -> Vec<f64> {
        self.asked().iter().map(Duration::as_secs_f64).collect()
    }

    pub fn count(&self) -> usize {
        self.asked().len()
    }

    pub fn forced(&self) -> Vec<bool> {
        self.log.lock().unwrap().forced.clone()
    }

    pub fn landed(&self) -> Vec<(Duration, Answer)> {
        self.log.lock().unwrap().landed.clone()
    }

    pub fn under_way(&self) -> usize {
        self.log.lock().unwrap().under_way
    }

    /// How many requests were under way at once, at most.
    pub fn at_once(&self) -> usize {
        self.log.lock().unwrap().at_once
    }

    pub fn is_disposed(&self) -> bool {
        self.log.lock().unwrap().disposed
    }

    async fn answer(&self, answer: Answer) -> Result<AccessToken, Error> {
        let mut answer = answer;
        while let Answer::Slow(delay, rest) = answer {
            self.host.sleep(delay).await;
            answer = *rest;
        }
        let number = self.count();
        let token = |secret: String, life: Duration| {
            let end = self.host.now() + SignedDuration::try_from(life).unwrap();
            AccessToken::new(secret, end, "Test")
        };
        let outcome = match &answer {
            Answer::Token(life) => Ok(token(jwt("oid-1", number), *life)),
            Answer::As(oid, life) => Ok(token(jwt(oid, number), *life)),
            Answer::Text(text) => Ok(token(text.clone(), 3600 * SECOND)),
            Answer::Same => (self.log.lock().unwrap().last.clone()).ok_or_else(transient),
            Answer::Fails(error) => Err(error.clone()),
            Answer::Hangs => std::future::pending().await,
            Answer::Slow(..) => unreachable!("taken apart above"),
        };
        let mut log = self.log.lock().unwrap();
        if let Ok(token) = &outcome {
            log.last = Some(token.clone());
        }
        log.landed.push((self.host.elapsed(), answer));
        outcome
    }
}

impl std::fmt::Debug for Idp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Idp")
    }
}

struct UnderWay<'a>(&'a Idp);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.log.lock().unwrap().under_way -= 1;
    }
}

impl TokenCredential for Idp {
    fn name(&self) -> &str {
        "Test"
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async move {
            let answer = {
                let mut plan = self.plan.lock().unwrap();
                if plan.len() > 1 {
                    plan.pop_front()
                } else {
                    plan.front().cloned()
                }
            };
            {
                let mut log = self.log.lock().unwrap();
                log.asked.push(self.host.elapsed());
                log.forced.push(request.force_refresh());
                log.under_way += 1;
                log.at_once = log.at_once.max(log.under_way);
            }
            let _under_way = UnderWay(self);
            self.answer(answer.unwrap()).await
        })
    }

    fn dispose(&self) {
        self.log.lock().unwrap().disposed = true;
    }
}

/// Takes notes: when, and what.
pub struct Notes {
    host: Host,
    taken: Mutex<Vec<(Duration, RedisEvent)>>,
}

impl RedisObserver for Notes {
    fn event(&self, event: &RedisEvent) {
        let note = (self.host.elapsed(), event.clone());
        self.taken.lock().unwrap().push(note);
    }
}

impl Notes {
    pub fn events(&self) -> Vec<(Duration, RedisEvent)> {
        self.taken.lock().unwrap().clone()
    }

    /// What happened, one word each.
    pub fn words(&self) -> Vec<&'static str> {
        let word = |event: &RedisEvent| match event {
            RedisEvent::Refreshed { .. } => "refreshed",
            RedisEvent::SameToken { .. } => "same",
            RedisEvent::Retrying { .. } => "retrying",
            RedisEvent::Failing { .. } => "failing",
            RedisEvent::Recovered => "recovered",
            _ => "other",
        };
        self.events().iter().map(|(_, event)| word(event)).collect()
    }
}

/// One host, one identity provider, one credentials provider.
pub struct World {
    pub host: Host,
    pub idp: Arc<Idp>,
    pub notes: Arc<Notes>,
    pub provider: EntraIdCredentialsProvider,
}

impl World {
    /// Jitter is exactly 1.
    pub fn new(plan: impl IntoIterator<Item = Answer>) -> Self {
        Self::with(plan, |builder| builder)
    }

    pub fn with(
        plan: impl IntoIterator<Item = Answer>,
        options: impl FnOnce(EntraIdCredentialsProviderBuilder) -> EntraIdCredentialsProviderBuilder,
    ) -> Self {
        Self::on(Host::new(0.5), plan, options)
    }

    pub fn on(
        host: Host,
        plan: impl IntoIterator<Item = Answer>,
        options: impl FnOnce(EntraIdCredentialsProviderBuilder) -> EntraIdCredentialsProviderBuilder,
    ) -> Self {
        let idp = Idp::new(&host, plan);
        let notes = Arc::new(Notes {
            host: host.clone(),
            taken: Mutex::default(),
        });
        let builder = EntraIdCredentialsProvider::builder(idp.clone())
            .platform(host.platform())
            .observer(notes.clone());
        let provider = options(builder).build().unwrap();
        Self {
            host,
            idp,
            notes,
            provider,
        }
    }

    pub async fn sleep_until(&self, at: Duration) {
        self.host
            .sleep(at.saturating_sub(self.host.elapsed()))
            .await;
        self.settle().await;
    }

    /// Lets background work run.
    pub async fn settle(&self) {
        self.host.sleep(SECOND / 1000).await;
    }

    /// The news of a subscription so far.
    pub async fn said(
        &self,
        subscription: &mut CredentialsSubscription,
    ) -> Vec<Result<String, String>> {
        let mut said = Vec::new();
        let platform = self.host.platform();
        while let Some(Some(news)) = platform.within(SECOND / 1000, subscription.next()).await {
            said.push(match news {
                Ok(credentials) => Ok(number(credentials.password())),
                Err(error) => Err(error.message().to_owned()),
            });
        }
        said
    }
}

/// The number of the request that brought the token.
pub fn number(token: &str) -> String {
    use base64::Engine as _;
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

pub fn ok(number: &str) -> Result<String, String> {
    Ok(number.to_owned())
}
