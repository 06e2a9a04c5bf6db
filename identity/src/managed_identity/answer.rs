//! Reads the answers of managed identity services, in all known forms: a token (MI-50, MI-51,
//! MI-107) or an error (MI-60, MI-69, MI-70).

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    AccessToken, Error, ErrorKind,
    http::{Exchange, json, redact},
};

use super::NAME;

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_on: Option<Value>,
    expires_in: Option<Value>,
    refresh_in: Option<Value>,
}

/// Returns the token in an answer of 200 of the service called `title`.
pub(super) fn token(title: &str, exchange: Exchange) -> Result<AccessToken, Error> {
    let Exchange { reply, sent } = exchange;
    let malformed = |what: &str| {
        Error::new(
            ErrorKind::Failed,
            NAME,
            format!("the answer of {title} is malformed: {what}"),
        )
        .with_status(200)
        .with_help("something other than the metadata service may be answering: check proxies")
    };
    // An answer of 200 holds a token, so errors quote nothing of it but its times.
    let body = Zeroizing::new(reply.body);
    let answer: TokenAnswer =
        serde_json::from_slice(&body).map_err(|_| malformed("it is not a token in JSON"))?;
    if answer.access_token.trim().is_empty() {
        return Err(malformed("its token is empty"));
    }
    let seconds = |value: &Option<Value>| value.as_ref().and_then(json::seconds);
    let sent = sent.start_of_life(&answer.access_token, seconds(&answer.expires_in));
    let life = |value| json::after(sent, seconds(value)?);
    // If both are given, the earlier end counts: `expires_on` seems too late if the clock of this
    // host is slow, while `expires_in` does not depend on the clock (PR-20).
    let moment = answer.expires_on.as_ref().and_then(end);
    let expires_on = [moment, life(&answer.expires_in)]
        .into_iter()
        .flatten()
        .min()
        .ok_or_else(|| malformed(&endless(&answer)))?;
    let refresh_on = life(&answer.refresh_in);
    Ok(AccessToken::new(answer.access_token, expires_on, NAME).with_refresh_on(refresh_on))
}

/// Reads `expires_on` in the forms of Entra and of older versions of App Service, with 24 hours or
/// with AM and PM.
fn end(value: &Value) -> Option<Timestamp> {
    json::moment(value).or_else(|| {
        let text = value.as_str()?.trim();
        ["%m/%d/%Y %H:%M:%S %:z", "%m/%d/%Y %I:%M:%S %p %:z"]
            .iter()
            .find_map(|form| Timestamp::strptime(form, text).ok())
    })
}

/// Returns what is wrong with the times of an answer without a usable end. Times may be quoted.
fn endless(answer: &TokenAnswer) -> String {
    let wrong = json::unreadable_expiry(&[
        ("expires_on", answer.expires_on.as_ref()),
        ("expires_in", answer.expires_in.as_ref()),
    ]);
    if answer.expires_on.is_none() && answer.expires_in.is_none() {
        return wrong;
    }
    format!(
        "{wrong}; understood are seconds (since 1970 for expires_on) as a number or as text, \
         `2026-01-31T12:00:00Z` and `01/31/2026 12:00:00 +00:00`"
    )
}

/// The shapes of MI-60 (`error` is a code), MI-69 (`message`) and MI-70 (`error` is an object).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    error: Value,
    error_description: Option<String>,
    message: Option<String>,
    #[serde(alias = "correlationId")]
    pub(super) correlation_id: Option<String>,
}

impl Refusal {
    /// Reads a body in any form; in an unknown form all fields are empty.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Returns the error code of the service.
    pub(super) fn code(&self) -> Option<&str> {
        match &self.error {
            Value::String(code) => Some(code.as_str()),
            nested => nested["code"].as_str(),
        }
    }

    /// Returns the description of the error on one line. `text` is the body, and `secret` what the
    /// request held, which the service may repeat; empty if it held none.
    pub(super) fn description(&self, text: &str, secret: &str) -> String {
        let description = self
            .error_description
            .as_deref()
            .or(self.message.as_deref())
            .or(self.error["message"].as_str());
        let line = match (self.code(), description) {
            (Some(code), Some(description)) => format!("{code}: {description}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => redact::quoted(text, secret),
        };
        redact::excerpt(&redact::without_secret(&line, secret))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::{Reply, Sent};

    fn read(body: Vec<u8>) -> Result<AccessToken, Error> {
        let reply = Reply {
            status: 200,
            headers: Vec::new(),
            body,
            retry_at: None,
            is_retried: false,
            attempts: 1,
        };
        let sent = Sent::at(Timestamp::UNIX_EPOCH);
        token("IMDS", Exchange { reply, sent })
    }

    #[test]
    fn mi_107_every_form_of_the_end_is_read() {
        for form in [
            json!(1_769_860_800),
            json!("1769860800"),
            json!("2026-01-31T12:00:00.000Z"),
            json!("01/31/2026 12:00:00 +00:00"),
            json!("1/31/2026 12:00:00 PM +00:00"),
        ] {
            let body = json!({ "access_token": "t", "expires_on": form }).to_string();
            let token = read(body.into_bytes()).unwrap();
            assert_eq!(token.expires_on().as_second(), 1_769_860_800, "{form}");
        }
    }

    #[test]
    fn mi_107_an_end_that_cannot_be_read_is_quoted() {
        let body = json!({ "access_token": "t", "expires_on": "31.01.2026" }).to_string();
        let error = read(body.into_bytes()).unwrap_err().to_string();
        assert!(
            error.contains(r#"its expires_on is "31.01.2026""#),
            "{error}"
        );
        let error = read(json!({ "access_token": "t" }).to_string().into_bytes());
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("it has no expires_on and no expires_in"),
            "{error}"
        );
    }

    proptest::proptest! {
        /// Both forms of App Service 2017-09-01 mean the same second, with and without leading
        /// zeros (MI-107).
        #[test]
        fn mi_107_every_date_of_app_service_2017_is_read(second in 0i64..4_102_444_800) {
            let moment = Timestamp::from_second(second).unwrap();
            for form in [
                "%m/%d/%Y %H:%M:%S +00:00",
                "%-m/%-d/%Y %-I:%M:%S %p +00:00",
                "%m/%d/%Y %I:%M:%S %p +00:00",
            ] {
                let text = moment.strftime(form).to_string();
                assert_eq!(end(&json!(text)), Some(moment), "{text}");
            }
        }

        /// Any text is a moment or none (MI-107).
        #[test]
        fn mi_107_any_date_is_survived(
            text in "[0-9]{0,5}/?[0-9]{0,5}/?[0-9]{0,5} ?[0-9]{0,3}:[0-9]{0,3}:[0-9]{0,3}( [AP]M)? ?.{0,8}",
        ) {
            let _ = end(&json!(text));
        }

        /// Any answer is a token with an end, or an error.
        #[test]
        fn any_answer_is_survived(
            body in r#"(\{"(access_token|expires_on)":("[a-z0-9]*"|[0-9]{0,20}|\{\}|null)[,}]"?)?.*"#,
        ) {
            match read(body.into_bytes()) {
                Ok(token) => assert!(!token.secret().is_empty()),
                Err(error) => assert_eq!(error.status(), Some(200)),
            }
        }
    }
}
