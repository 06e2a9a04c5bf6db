//! What every credential that speaks HTTP shares: who we say we are, one exchange with its time,
//! the loose types of the answers, and safe excerpts for error messages.

pub(crate) mod log;

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    Error, ErrorKind, jwt,
    platform::{HttpRequest, Platform, TransportErrorKind},
    retry::{self, Failure, Reply, RetryPolicy},
};

/// What we call ourselves to every service.
pub(crate) const USER_AGENT: &str = concat!("credsim-identity/", env!("CARGO_PKG_VERSION"));

/// The longest piece of a foreign text that an error repeats, in characters.
const EXCERPT: usize = 400;

/// Adds who we are and the id of this call, the same on each of its attempts (MI-18).
pub(crate) fn identified(request: HttpRequest, platform: &Platform) -> HttpRequest {
    identified_by(request, &platform.random.uuid("client-request-id"))
}

/// The same for Entra, which MSAL also tells the id under another name (EN-20).
pub(crate) fn identified_to_entra(request: HttpRequest, platform: &Platform) -> HttpRequest {
    let id = platform.random.uuid("client-request-id");
    identified_by(request, &id).header("client-request-id", id)
}

fn identified_by(request: HttpRequest, id: &str) -> HttpRequest {
    request
        .header("User-Agent", USER_AGENT)
        .header("x-ms-client-request-id", id)
}

/// A final answer, and when the attempt that brought it was sent: lifetimes count from then, so a
/// slow service never makes a token look longer than it is (EN-43).
pub(crate) struct Exchange {
    pub(crate) reply: Reply,
    pub(crate) sent: Sent,
}

/// When a request was sent, by the wall clock as it stands now. If that was set while the answer
/// was on its way, or the host slept, it is uncertain: both look the same, a wall clock that has
/// gone on while the monotonic one has not.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    /// By the wall clock as it stood then, unless it has been set back since.
    earliest: Timestamp,
    /// By the wall clock at the receipt, less the monotonic time that passed.
    latest: Timestamp,
}

impl Sent {
    fn new(by_wall: Timestamp, by_monotonic: Timestamp) -> Self {
        // Lifetimes come in whole seconds; rounded down, they end early rather than late.
        let second = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self {
            earliest: second(by_wall.min(by_monotonic)),
            latest: second(by_monotonic),
        }
    }

    /// At a time that is known for certain.
    #[cfg(test)]
    pub(crate) fn at(at: Timestamp) -> Self {
        Self::new(at, at)
    }

    /// The moment from which the life of `token`, `expires_in` seconds, counts. Where that is
    /// uncertain, the token itself may say when it ends; else it is the safe one, the earliest
    /// (PR-20).
    pub(crate) fn moment(self, token: &str, expires_in: Option<i64>) -> Timestamp {
        #[derive(serde::Deserialize)]
        struct Claims {
            exp: i64,
        }
        let Self { earliest, latest } = self;
        if earliest == latest {
            return latest;
        }
        let claims = expires_in.zip(jwt::claims::<Claims>(token));
        let said = claims.and_then(|(life, claims)| {
            let sent = claims.exp.checked_sub(life)?;
            Timestamp::from_second(sent).ok()
        });
        said.map_or(earliest, |said| said.clamp(earliest, latest))
    }
}

/// Sends `request` under `policy`, and logs each attempt and the outcome.
pub(crate) async fn exchange(
    platform: &Platform,
    policy: &RetryPolicy,
    purpose: &str,
    request: HttpRequest,
) -> Result<Exchange, Failure> {
    let clock = &platform.clock;
    let attempts = Mutex::new((0, clock.now(), clock.monotonic()));
    let outcome = retry::send(platform, policy, purpose, || {
        let mut last = attempts.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (last.0 + 1, clock.now(), clock.monotonic());
        log::request(&request, last.0);
        request.clone()
    })
    .await;
    let attempts = attempts.into_inner();
    let (count, by_wall, start) = attempts.unwrap_or_else(PoisonError::into_inner);
    let reply = match outcome {
        Ok(reply) => reply,
        Err(failure) => {
            log::no_response(&request, &failure, count);
            return Err(failure);
        }
    };
    log::response(&request, reply.status, reply.attempts);
    let passed = clock.monotonic().saturating_sub(start);
    let by_monotonic = clock.now().checked_sub(passed).unwrap_or_default();
    Ok(Exchange {
        reply,
        sent: Sent::new(by_wall, by_monotonic),
    })
}

/// The error for a request that was never answered. `unreached` is the kind for a peer that could
/// not even be connected to: an identity endpoint of this host is then not there, while Entra is
/// always there. `help` is what to do about that.
pub(crate) fn unanswered(
    credential: &str,
    whom: &str,
    failure: Failure,
    unreached: ErrorKind,
    help: &str,
) -> Error {
    let kind = match &failure {
        Failure::Transport(error)
            if matches!(
                error.kind,
                TransportErrorKind::NoClient | TransportErrorKind::Unsupported
            ) =>
        {
            ErrorKind::Configuration
        }
        failure if failure.is_connect() => unreached,
        _ => ErrorKind::Failed,
    };
    // A source that is there has answered before, or is about to.
    let is_silent = kind == ErrorKind::Unavailable;
    let mistrusted = matches!(&failure, Failure::Transport(error)
        if error.kind == TransportErrorKind::Certificate);
    let reached = !failure.is_connect();
    let message = match kind {
        ErrorKind::Configuration => format!("{whom} cannot be asked: {failure}"),
        _ if reached => format!("{whom} did not answer: {failure}"),
        _ => format!("{whom} cannot be reached: {failure}"),
    };
    let mut error = Error::new(kind, credential, message).with_cause(failure);
    if is_silent {
        error = error.with_no_answer();
    }
    match kind {
        // The message says it already: there is no client.
        ErrorKind::Configuration => error,
        _ if mistrusted => error.with_help(
            "check this host's clock, the certificate authorities that it trusts, and whether a \
             proxy stands in between",
        ),
        _ if reached => error.with_help("ask again, and see what cuts the connection short"),
        _ => error.with_help(help),
    }
}

/// How often a service was asked, for error messages: nothing for once.
pub(crate) fn times(reply: &Reply) -> String {
    match reply.attempts {
        0 | 1 => String::new(),
        many => format!(" {many} times"),
    }
}

/// Adds what every answer may carry: the status, the service's own error code and request id, and
/// when it may be asked again.
pub(crate) fn refused(
    error: Error,
    reply: &Reply,
    code: Option<&str>,
    request_id: Option<&str>,
) -> Error {
    let mut error = error.with_status(reply.status);
    if let Some(code) = code {
        error = error.with_code(excerpt(code));
    }
    if let Some(id) = request_id {
        error = error.with_request_id(excerpt(id));
    }
    match reply.retry_at {
        Some(at) if reply.is_retried => error.with_retry_at(at),
        Some(at) => error.with_advised_retry_at(at),
        None => error,
    }
}

/// A number of seconds that a service wrote as a number or as a string of digits (MI-50, EN-42).
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    match value {
        // A fraction is cut off: the shorter life is the safe one.
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|s| s as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A moment that a service wrote as seconds since 1970, number or string, or in ISO 8601 (MI-51).
pub(crate) fn moment(value: &Value) -> Option<Timestamp> {
    match seconds(value) {
        Some(at) => Timestamp::from_second(at).ok(),
        None => value.as_str()?.trim().parse().ok(),
    }
}

/// `seconds` after `start`; `None` where no calendar reaches, or before `start`.
pub(crate) fn after(start: Timestamp, seconds: i64) -> Option<Timestamp> {
    let seconds = u64::try_from(seconds).ok()?;
    let life = SignedDuration::try_from(Duration::from_secs(seconds)).ok()?;
    start.checked_add(life).ok()
}

/// A text on one line, without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `text` without JSON Web Tokens: a service, a proxy or a tool may put one into an error.
fn without_tokens(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    // Every one of them begins so: it is `{"` in base64.
    while let Some(at) = rest.find("eyJ") {
        let (before, token) = rest.split_at(at);
        let end = token.find(|c| !is_part(c)).unwrap_or(token.len());
        let (token, after) = token.split_at(end);
        safe.push_str(before);
        // A lone encoded object, such as the claims of a challenge, has no second part.
        let is_token = token
            .split_once('.')
            .is_some_and(|(_, more)| !more.is_empty());
        safe.push_str(if is_token { "***" } else { token });
        rest = after;
    }
    safe + rest
}

/// The beginning of a foreign text on one line, without tokens.
pub(crate) fn excerpt(text: &str) -> String {
    let line = without_tokens(&one_line(text));
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The beginning of a body that is no answer of the service, for an error message. Whoever wrote
/// it, perhaps a proxy, may have passed on a token or repeated what was posted: then only its size.
pub(crate) fn quoted(body: &str, secret: &str) -> String {
    // Every JWT begins with the last: it is `{"` in base64.
    const TELLING: [&str; 3] = ["access_token", "client_secret", "eyJ"];
    if TELLING.iter().any(|word| body.contains(word)) {
        return format!("an unexpected answer of {} bytes", body.len());
    }
    excerpt(&redacted(body, secret))
}

/// `text` without `secret`: a service may repeat what it was sent, and spell it as the form, the
/// JSON or the page does in which it comes.
pub(crate) fn redacted(text: &str, secret: &str) -> String {
    if secret.is_empty() {
        return text.to_owned();
    }
    let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = Value::from(secret).to_string();
    let html = |quote, apostrophe| {
        let brackets = secret.replace('&', "&amp;").replace('<', "&lt;");
        let quotes = brackets.replace('>', "&gt;").replace('"', quote);
        quotes.replace('\'', apostrophe)
    };
    let pages = [
        html("&quot;", "&#39;"),
        html("&quot;", "&#x27;"),
        html("&#34;", "&#39;"),
    ];
    // Without the quotes around it, and only those.
    let json = json[1..json.len() - 1].to_owned();
    // A set, because most secrets need no escapes.
    let spellings = BTreeSet::from_iter([form, json, secret.to_owned()].into_iter().chain(pages));
    spellings.iter().fold(text.to_owned(), |text, spelling| {
        text.replace(spelling, "***")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pr_20_a_token_says_from_when_its_life_counts() {
        use base64::Engine as _;
        let at = |second| Timestamp::from_second(second).unwrap();
        let token = |exp: i64| {
            let claims = format!(r#"{{"exp":{exp}}}"#);
            let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
            format!("e30.{claims}.c2ln")
        };
        // The wall clock went on by an hour, the monotonic clock by nothing.
        let leapt = Sent::new(at(0), at(3600));
        for (exp, sent) in [(600, 0), (4200, 3600), (1000, 400), (0, 0), (99_999, 3600)] {
            assert_eq!(leapt.moment(&token(exp), Some(600)), at(sent), "exp {exp}");
        }
        assert_eq!(leapt.moment("opaque", Some(600)), at(0));
        assert_eq!(leapt.moment(&token(4200), None), at(0));
        // It was set back: the monotonic clock knows.
        let back = Sent::new(at(7200), at(3600));
        assert_eq!(back.moment(&token(600), Some(600)), at(3600));
    }

    #[test]
    fn seconds_come_as_numbers_and_as_strings() {
        assert_eq!(seconds(&Value::from(3599)), Some(3599));
        assert_eq!(seconds(&Value::from("3599")), Some(3599));
        assert_eq!(seconds(&Value::from(3599.9)), Some(3599));
        assert_eq!(seconds(&Value::from("soon")), None);
        assert_eq!(seconds(&Value::Null), None);
    }

    #[test]
    fn moments_come_in_three_forms() {
        let at = Timestamp::from_second(1_893_456_000).unwrap();
        for form in [
            Value::from(1_893_456_000),
            Value::from("1893456000"),
            Value::from("2030-01-01T00:00:00Z"),
            Value::from("2030-01-01T00:00:00.000Z"),
            Value::from("2030-01-01T01:00:00+01:00"),
        ] {
            assert_eq!(moment(&form), Some(at), "{form}");
        }
        assert_eq!(moment(&Value::from("06/20/2030 02:57:58 +00:00")), None);
        assert_eq!(moment(&Value::from(i64::MAX)), None);
    }

    #[test]
    fn a_life_without_end_is_no_life() {
        assert_eq!(after(Timestamp::UNIX_EPOCH, i64::MAX), None);
        assert_eq!(after(Timestamp::UNIX_EPOCH, -1), None);
        assert_eq!(
            after(Timestamp::UNIX_EPOCH, 60),
            Timestamp::from_second(60).ok()
        );
    }

    #[test]
    fn a_secret_is_redacted_in_every_spelling() {
        for (secret, spelling) in [
            (r#"a~b+c"d"#, r#"a~b+c"d"#),
            (r#"a~b+c"d"#, "a%7Eb%2Bc%22d"),
            (r#"a~b+c"d"#, r#"a~b+c\"d"#),
            (r#"a~b+c"d"#, "a~b+c&quot;d"),
            (r#"a~b+c"d"#, "a~b+c&#34;d"),
            ("a'b<c&d", "a&#39;b&lt;c&amp;d"),
            ("a'b<c&d", "a&#x27;b&lt;c&amp;d"),
            ("\"a\"", r#"\"a\""#),
        ] {
            let text = redacted(&format!("<{spelling}>"), secret);
            assert_eq!(text, "<***>", "{secret} as {spelling}");
        }
        assert_eq!(redacted("text", ""), "text");
    }

    #[test]
    fn an_excerpt_holds_no_token() {
        assert_eq!(
            excerpt("got Bearer eyJhbGc.eyJvaWQ.c2ln, sorry"),
            "got Bearer ***, sorry"
        );
        assert_eq!(
            excerpt("run: az login --claims-challenge eyJhY2Nlc3M= now."),
            "run: az login --claims-challenge eyJhY2Nlc3M= now."
        );
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("  two\r\n\u{1b}lines\t "), "two lines");
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), EXCERPT + 1);
    }

    proptest::proptest! {
        /// What a service writes is never worse than not understood.
        #[test]
        fn any_text_is_survived(text in ".*", number: i64, start in 0i64..4_102_444_800) {
            let at = Timestamp::from_second(start).unwrap();
            for value in [Value::from(text.as_str()), Value::from(number)] {
                let _ = moment(&value);
                if let Some(end) = seconds(&value).and_then(|life| after(at, life)) {
                    assert!(end >= at);
                }
            }
            let line = excerpt(&text);
            assert!(line.chars().count() <= EXCERPT + 1);
            assert!(!line.contains(char::is_control));
        }
    }
}
