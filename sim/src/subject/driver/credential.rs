//! A credential that lives in a driver.

use std::{fmt, sync::Arc};

use credsim_identity::{AccessToken, Error, TokenCredential, TokenRequest, platform::BoxFuture};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    link::{Link, lost},
    message::{Answer, TokenAnswer},
};

/// The credential with this number in a driver.
pub struct DriverCredential {
    link: Arc<Link>,
    number: u64,
    /// Its class in the SDK.
    class: String,
}

impl DriverCredential {
    pub fn new(link: Arc<Link>, number: u64, class: String) -> Self {
        Self {
            link,
            number,
            class,
        }
    }

    fn taken(&self, answer: Value) -> Result<AccessToken, String> {
        let token: TokenAnswer = serde_json::from_value(answer)
            .map_err(|error| format!("did not give a token of this protocol: {error}"))?;
        let time = |milliseconds: i64| {
            Timestamp::from_millisecond(milliseconds).map_err(|_| {
                format!("gave the time {milliseconds}, which is not in milliseconds since 1970")
            })
        };
        let refresh_on = token.refresh_on.map(time).transpose()?;
        let expires_on = time(token.expires_on)?;
        let taken = AccessToken::new(token.token, expires_on, token.answered_by);
        Ok(taken.with_refresh_on(refresh_on))
    }
}

impl TokenCredential for DriverCredential {
    fn name(&self) -> &str {
        &self.class
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async move {
            let (give, get) = oneshot::channel();
            let question = |id| {
                let mut question = json!({
                    "id": id,
                    "do": "get-token",
                    "credential": self.number,
                    "scopes": request.scopes(),
                });
                if let Some(tenant) = request.tenant() {
                    question["tenant"] = json!(tenant);
                }
                if let Some(claims) = request.claims() {
                    question["claims"] = json!(claims);
                }
                if request.cae() {
                    question["cae"] = json!(true);
                }
                question
            };
            let waiter = move |answer| {
                // The caller may have given up.
                let _ = give.send(answer);
            };
            let asked = Asked {
                link: &self.link,
                id: self.link.ask(question, Box::new(waiter)),
            };
            let answer = get.await;
            drop(asked);
            let what = match answer {
                Ok(Answer::Done(value)) => match self.taken(value) {
                    Ok(token) => return Ok(token),
                    Err(what) => what,
                },
                Ok(Answer::Error(reported)) => return Err(reported.into_error(&self.class)),
                Ok(Answer::Unsupported(reason)) => {
                    format!("can't ask for a token as its `hello` says it can: {reason}")
                }
                Err(_) => return Err(lost(&self.class)),
            };
            self.link.fault(&self.link.said().vetted(&what));
            Err(lost(&self.class))
        })
    }
}

impl fmt::Debug for DriverCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverCredential")
            .field("class", &self.class)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Drop for DriverCredential {
    fn drop(&mut self) {
        self.link.forget(self.number);
    }
}

/// An open question. Dropped before the answer came, it is cancelled.
struct Asked<'a> {
    link: &'a Link,
    id: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.link.abandon(self.id);
    }
}
