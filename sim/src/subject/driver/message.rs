//! The lines that travel between us and a driver: one JSON object each.

use credsim_identity::{Error, ErrorKind, Identity, Principal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::PROTOCOL;

/// A line that a driver wrote.
#[derive(Debug)]
pub enum Line {
    /// The answer to the question with this number.
    Answer(u64, Answer),
    /// Something happened.
    Event(Event),
}

/// An answer.
#[derive(Debug)]
pub enum Answer {
    /// It is done.
    Done(Value),
    /// The SDK gave an error.
    Error(ReportedError),
    /// The driver can't do that, for this reason.
    Unsupported(String),
}

/// An error as a driver tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReportedError {
    kind: ToldKind,
    /// The class of the error in the SDK: `CredentialUnavailableError`.
    class: String,
    message: String,
    /// The status of the answer that caused it.
    status: Option<u16>,
    /// The service's own code: `AADSTS7000215`.
    code: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ToldKind {
    Unavailable,
    Failed,
    InteractionRequired,
    Configuration,
    Cancelled,
}

impl ReportedError {
    /// The error of the credential of class `credential`.
    pub fn into_error(self, credential: &str) -> Error {
        let kind = match self.kind {
            ToldKind::Unavailable => ErrorKind::Unavailable,
            ToldKind::Failed => ErrorKind::Failed,
            ToldKind::InteractionRequired => ErrorKind::InteractionRequired,
            ToldKind::Configuration => ErrorKind::Configuration,
            ToldKind::Cancelled => ErrorKind::Cancelled,
        };
        let message = format!("{}: {}", self.class, self.message);
        let mut error = Error::new(kind, credential, message);
        if let Some(status) = self.status {
            error = error.with_status(status);
        }
        if let Some(code) = self.code {
            error = error.with_code(code);
        }
        error
    }
}

/// A credential was built.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuiltAnswer {
    /// Its class in the SDK.
    pub class: String,
}

/// A token was given. It holds the secret: no `Debug`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TokenAnswer {
    pub token: String,
    /// Milliseconds since 1970.
    pub expires_on: i64,
    /// Milliseconds since 1970.
    pub refresh_on: Option<i64>,
    /// The class of the credential that gave it, inside a chain the member; empty if the driver
    /// can't know.
    #[serde(default)]
    pub answered_by: String,
}

/// What a driver tells without being asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The SDK logged something.
    Log { level: Level, message: String },
    /// The SDK reported that another identity answers now.
    IdentityChanged {
        /// The number that `new-credential` gave.
        credential: u64,
        from: Who,
        to: Who,
        #[serde(default)]
        refused: bool,
    },
}

/// How bad it is. Nothing milder is reported.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Warn,
    Error,
}

/// The driver as it names itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Who {
    /// The class of the credential.
    credential: String,
    /// The object id of the principal, if the SDK tells it.
    principal: Option<String>,
    /// The person's name, if it is one.
    user: Option<String>,
}

impl Who {
    pub fn into_identity(self) -> Identity {
        let user_name = self.user;
        let principal = self.principal.map(|object_id| Principal {
            object_id,
            tenant_id: None,
            client_id: None,
            user_name,
        });
        Identity::new(self.credential, principal)
    }
}

/// The question that begins a conversation.
pub fn hello(id: u64) -> Value {
    json!({ "id": id, "do": "hello", "protocol": PROTOCOL })
}

impl Line {
    /// Reads a line. The error says what is wrong with it, and may quote it.
    pub fn read(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Raw {
            id: u64,
            ok: Option<Value>,
            error: Option<ReportedError>,
            unsupported: Option<String>,
        }
        let value: Value =
            serde_json::from_str(text).map_err(|error| format!("no JSON ({error})"))?;
        if value.get("event").is_some() {
            let event = serde_json::from_value(value);
            return event
                .map(Self::Event)
                .map_err(|error| format!("no event of protocol {PROTOCOL} ({error})"));
        }
        let raw: Raw = serde_json::from_value(value)
            .map_err(|error| format!("no answer of protocol {PROTOCOL} ({error})"))?;
        let answer = match (raw.ok, raw.error, raw.unsupported) {
            (Some(done), None, None) => Answer::Done(done),
            (None, Some(error), None) => Answer::Error(error),
            (None, None, Some(reason)) => Answer::Unsupported(reason),
            _ => {
                return Err(
                    "no answer: expected exactly one of `ok`, `error` and `unsupported`".to_owned(),
                );
            }
        };
        Ok(Self::Answer(raw.id, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_of_three() {
        let read = |text: &str| Line::read(text);
        assert!(matches!(
            read(r#"{"id":1,"ok":{}}"#),
            Ok(Line::Answer(1, Answer::Done(_)))
        ));
        assert!(matches!(
            read(r#"{"id":2,"unsupported":"no"}"#),
            Ok(Line::Answer(2, Answer::Unsupported(_)))
        ));
        for wrong in [
            "",
            "hello",
            "[]",
            "{}",
            r#"{"id":1}"#,
            r#"{"id":-1,"ok":{}}"#,
            r#"{"id":1,"ok":{},"unsupported":"no"}"#,
            r#"{"id":1,"error":{"kind":"sad","class":"E","message":"m"}}"#,
            r#"{"event":"birthday"}"#,
            r#"{"event":"log","level":"info","message":"m"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn an_error_keeps_its_class_and_kind() {
        let text = r#"{"id":1,"error":{"kind":"interaction-required","class":"AuthenticationRequiredError","message":"sign in","status":400,"code":"AADSTS50076"}}"#;
        let Ok(Line::Answer(1, Answer::Error(reported))) = Line::read(text) else {
            panic!("no error");
        };
        let error = reported.into_error("DeviceCodeCredential");
        assert_eq!(error.kind(), ErrorKind::InteractionRequired);
        assert_eq!(
            error.to_string(),
            "DeviceCodeCredential: AuthenticationRequiredError: sign in"
        );
        assert_eq!(
            (error.status(), error.code()),
            (Some(400), Some("AADSTS50076"))
        );
    }
}
