//! From one token to the next.

use redis::{Value, cmd};

use super::task::{Expected, Subscriber};
use crate::redis::{
    RedisCredentials, RedisEvent,
    connection::{
        error::Ended,
        keeper::ask_for_another,
        schedule::{Term, retry_after},
    },
};

impl Subscriber {
    pub(super) fn plan(&mut self, credentials: RedisCredentials) {
        if credentials == self.current {
            return;
        }
        let now = self.now();
        let at = match self.refused {
            0 => {
                let random = &self.provider.platform().random;
                self.term
                    .place(now, &self.options, random.unit("redis/reauthentication"))
            }
            _ => now,
        };
        let at = self.next.as_ref().map_or(at, |(_, due)| at.min(*due));
        self.next = Some((credentials, at));
    }

    pub(super) async fn reauthenticate(&mut self) -> Result<(), Ended> {
        if !self.options.protocol.supports_resp3() {
            return self.hand_over().await;
        }
        self.next = None;
        let credentials = self.provider.current();
        let credentials = credentials.unwrap_or_else(|| self.current.clone());
        let begun = Term::begin(self.provider.platform(), &credentials, &self.options);
        let mut auth = cmd("AUTH");
        auth.arg(credentials.user_name())
            .arg(credentials.password());
        self.expected.push_back(Expected::Auth {
            credentials,
            begun,
            by: self.now().saturating_add(self.options.auth_timeout),
        });
        self.send(&auth).await
    }

    pub(super) fn authenticated(&mut self, answer: &Value) -> Result<(), Ended> {
        let Some(Expected::Auth {
            credentials, begun, ..
        }) = self.expected.pop_front()
        else {
            return Ok(());
        };
        match answer {
            Value::Okay => self.renewed(credentials, begun),
            Value::ServerError(error) => {
                if self.refused == 0 {
                    self.unwanted = Some(credentials.clone());
                }
                if self.renewal.is_none() && self.unwanted.as_ref() == Some(&credentials) {
                    self.renewal = Some(ask_for_another(&self.provider));
                }
                let error = credentials.veil(&error.to_string());
                self.refused(credentials, &error);
            }
            _ => return Err(Ended::Desynchronised("AUTH")),
        }
        Ok(())
    }

    pub(super) fn renewed(&mut self, credentials: RedisCredentials, begun: Term) {
        self.tell(RedisEvent::Reauthenticated {
            connection: self.name(),
            expires_on: credentials.expires_on(),
        });
        (self.current, self.term, self.refused) = (credentials, begun, 0);
        self.renewal = None;
        self.heard = self.provider.platform().clock.now();
    }

    /// The old token goes on being good.
    pub(super) fn refused(&mut self, credentials: RedisCredentials, error: &str) {
        self.tell(RedisEvent::ReauthenticationFailed {
            connection: self.name(),
            error: error.to_owned(),
        });
        self.refused = self.refused.saturating_add(1);
        self.next = Some((credentials, self.now() + retry_after(self.refused)));
    }
}
