//! Texts of any origin with their secrets covered: by form, by the name before a value, and inside
//! percent-encoding and base64.

use std::{borrow::Cow, cell::RefCell, collections::BTreeMap, ops::Range};

use super::{
    MASK,
    name::is_secret_name,
    pairs::pairs,
    shape::{
        SHORTEST_ENCODED, decoded, encoded_ranges, is_guid, is_key, percent_decoded, shape,
        token_length, word_ranges,
    },
};

/// How many encodings, one within the other, are undone to look for a secret.
const DEEPEST: usize = 3;

/// The longest text that is looked through whole, in bytes. Of a longer one each line is, and a
/// line that is longer is not shown.
const LONGEST: usize = 1 << 16;

/// The schemes of an `Authorization` header.
const SCHEMES: &[&str] = &[
    "basic ",
    "bearer ",
    "digest ",
    "negotiate ",
    "ntlm ",
    "pop ",
    "sharedaccesssignature ",
    "sharedkey ",
];

/// The marks between which percent-encoded parts stand.
const PARTS: &[char] = &[
    '&', '=', ';', ',', '"', '\'', '<', '>', '(', ')', '{', '}', '[', ']', '\\', '|', '/', '?', '#',
];

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    /// Everything.
    All,
    /// What is a secret by its form, and the values in queries: in JSON, names such as `token`
    /// stand before values that are none.
    Forms,
}

/// `text` with everything covered that looks like a secret: by its form ([`shape`]), as the value
/// after a name ([`is_secret_name`]), as the password of a URL, after the scheme of an
/// `Authorization` header, and all of these in percent-encoding or base64. Borrows if there is
/// none.
pub fn masked(text: &str) -> Cow<'_, str> {
    covered(text, Search::All)
}

/// The same for a text in which names do not count: a line of JSON.
pub fn masked_forms(text: &str) -> Cow<'_, str> {
    covered(text, Search::Forms)
}

/// The longest text whose result is remembered, in bytes.
const REMEMBERED: usize = 512;

/// How many results a thread remembers.
const MOST_REMEMBERED: usize = 256;

/// Texts and what is shown of them. None stands for a text without a secret.
type Known = BTreeMap<Box<str>, Option<Box<str>>>;

thread_local! {
    /// What [`looked_through`] has returned: a client sends the same request again and again.
    static KNOWN: [RefCell<Known>; 2] = Default::default();
}

fn covered(text: &str, search: Search) -> Cow<'_, str> {
    if !may_hold(text) {
        return Cow::Borrowed(text);
    }
    if text.len() > REMEMBERED {
        return looked_through(text, search);
    }
    KNOWN.with(|known| {
        let mut known = known[usize::from(search == Search::Forms)].borrow_mut();
        if let Some(shown) = known.get(text) {
            return shown
                .as_deref()
                .map_or(Cow::Borrowed(text), |shown| shown.to_owned().into());
        }
        let shown = looked_through(text, search);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        let kept = matches!(shown, Cow::Owned(_)).then(|| shown.as_ref().into());
        known.insert(text.into(), kept);
        shown
    })
}

fn looked_through(text: &str, search: Search) -> Cow<'_, str> {
    if text.len() > LONGEST {
        let lines = text.split_inclusive('\n').map(|line| match line.len() {
            length if length > LONGEST => format!("({length} bytes)"),
            _ => covered(line, search).into_owned(),
        });
        return Cow::Owned(lines.collect());
    }
    let mut spans = spans(text, search, DEEPEST);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_by_key(|span| span.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for span in spans {
        if span.start >= end {
            shown.push_str(text.get(end..span.start).unwrap_or_default());
            shown.push_str(MASK);
        }
        end = end.max(span.end);
    }
    shown.push_str(text.get(end..).unwrap_or_default());
    Cow::Owned(shown)
}

/// `text` with a `*` for each byte of what [`masked`] covers, so that everything stays in its
/// place, and what is covered: for the lines of a file that a diagnostic shows.
pub fn masked_in_place(text: &str) -> (Cow<'_, str>, Vec<&str>) {
    let spans = spans(text, Search::All, DEEPEST);
    if spans.is_empty() {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut shown = text.as_bytes().to_owned();
    for span in &spans {
        let bytes = shown.get_mut(span.clone()).into_iter().flatten();
        bytes
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .for_each(|byte| *byte = b'*');
    }
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let covered = spans
        .into_iter()
        .filter_map(|span| text.get(span))
        .collect();
    (Cow::Owned(shown), covered)
}

/// Whether `text` needs a closer look: most texts are short words.
fn may_hold(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte) {
            run + 1
        } else {
            0
        };
        run >= SHORTEST_ENCODED || matches!(byte, b'=' | b':' | b'%' | b' ' | b'<')
    })
}

fn spans(text: &str, search: Search, deepest: usize) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    forms(text, &mut spans);
    pairs(text, search == Search::All, &mut spans);
    if search == Search::All {
        elements(text, &mut spans);
    }
    schemes(text, &mut spans);
    users(text, &mut spans);
    if deepest > 0 {
        encoded(text, deepest, &mut spans);
    }
    spans
}

/// Words that are secrets by their form, keys and signatures, and private keys in PEM.
fn forms(text: &str, spans: &mut Vec<Range<usize>>) {
    let is_secret = |range: &Range<usize>| {
        let word = text.get(range.clone()).unwrap_or_default();
        let at = word.find("eyJ");
        let token = at.and_then(|at| word.get(at..)).unwrap_or_default();
        shape(word).is_some() || token_length(token) > 0 && super::looks_like_token(token)
    };
    spans.extend(word_ranges(text).filter(is_secret));
    spans.extend(encoded_ranges(text).filter(|range| {
        let run = text.get(range.clone()).unwrap_or_default();
        is_key(run, text.as_bytes().get(range.end).copied())
    }));
    for (start, _) in text.match_indices("-----BEGIN") {
        let rest = text.get(start..).unwrap_or_default();
        let label = rest
            .get("-----BEGIN".len()..)
            .and_then(|rest| rest.split("-----").next());
        let is_within = spans.last().is_some_and(|last| start < last.end);
        if !is_within && label.is_some_and(|label| label.contains("PRIVATE")) {
            let end = rest.find("-----END").and_then(|end| {
                let closing = rest.get(end + "-----END".len()..)?.find("-----")?;
                Some(end + "-----END".len() + closing + "-----".len())
            });
            spans.push(start..start + end.unwrap_or(rest.len()));
        }
    }
}

/// The text of XML elements with the name of a secret.
fn elements(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut open = None;
    for (at, mark) in text.match_indices(['<', '>']) {
        if mark == "<" {
            open = Some(at);
            continue;
        }
        let Some(open) = open.take() else { continue };
        let tag = &text[open + 1..at];
        let name = tag
            .split(|c: char| c.is_whitespace() || c == '/')
            .next()
            .unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        let rest = &text[at + 1..];
        let length = rest.find('<').unwrap_or(rest.len());
        if !local.is_empty() && !tag.ends_with('/') && length > 0 && is_secret_name(local) {
            spans.push(at + 1..at + 1 + length);
        }
    }
}

/// What follows the scheme of an `Authorization` header.
fn schemes(text: &str, spans: &mut Vec<Range<usize>>) {
    for (blank, _) in text.match_indices(' ') {
        let is_after = |scheme: &&str| {
            let begins = (blank + 1).checked_sub(scheme.len());
            let found = begins.and_then(|begins| text.get(begins..=blank));
            let before = begins
                .and_then(|begins| text.get(..begins))
                .unwrap_or_default();
            found.is_some_and(|found| found.eq_ignore_ascii_case(scheme))
                && !before.ends_with(|c: char| c.is_ascii_alphanumeric())
        };
        if !SCHEMES.iter().any(is_after) {
            continue;
        }
        let rest = &text[blank + 1..];
        let is_in = |c: char| c.is_ascii_alphanumeric() || "-._~+/=%".contains(c);
        let token = rest.split(|c| !is_in(c)).next().unwrap_or_default();
        // `a bearer token` and `Bearer realm=...` hold none.
        let bare = token.trim_end_matches('=');
        let is_prose = bare
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b".-_".contains(&byte))
            || bare.contains('=');
        if token.len() >= 6 && !is_prose {
            spans.push(blank + 1..blank + 1 + token.len());
        }
    }
}

/// The user and the password of URLs.
fn users(text: &str, spans: &mut Vec<Range<usize>>) {
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let rest = &text[start..];
        let ends = |c: char| c.is_whitespace() || "/?#\"'<>\\".contains(c);
        let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
        if let Some((user, _)) = authority.rsplit_once('@')
            && !user.is_empty()
            && user != MASK
        {
            spans.push(start..start + user.len());
        }
    }
}

/// What holds a secret once its percent-encoding or its base64 is undone.
fn encoded(text: &str, deepest: usize, spans: &mut Vec<Range<usize>>) {
    let holds = |inner: &str| !self::spans(inner, Search::All, deepest - 1).is_empty();
    if text.contains('%') {
        let mut start = 0;
        for part in text.split_inclusive(|c: char| c.is_whitespace() || PARTS.contains(&c)) {
            let bare = part.trim_end_matches(|c: char| c.is_whitespace() || PARTS.contains(&c));
            let inner = percent_decoded(bare);
            if inner != bare && holds(&inner) {
                spans.push(start..start + bare.len());
            }
            start += part.len();
        }
    }
    for range in encoded_ranges(text) {
        let run = text.get(range.clone()).unwrap_or_default();
        if !is_guid(run) && decoded(run).is_some_and(|inner| holds(&inner)) {
            spans.push(range);
        }
    }
}

/// Whether a value holds a secret, whatever holds the value.
pub fn looks_secret(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let has_scheme = ["bearer ", "basic "].iter().any(|it| lower.contains(it));
    has_scheme || matches!(masked(value), Cow::Owned(_))
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    #[test]
    fn values_with_secrets() {
        for value in [
            "https://user:word@host/path",
            "client_id=1&client_secret=2",
            "Endpoint=sb://x;SharedAccessKey=abc",
            "export AZURE_PASSWORD=x; node app",
            "curl -H 'Authorization: Bearer x'",
        ] {
            assert!(looks_secret(value), "{value}");
        }
        for value in [
            "ManagedIdentityCredential",
            "https://host:8080/a@b",
            "NODE_ENV=test",
            "token=",
            "a:b",
            "credsim::token::kind",
        ] {
            assert!(!looks_secret(value), "{value}");
        }
    }

    /// Texts that hold `@`, a secret, which must be covered.
    const PLACES: &[&str] = &[
        "client_secret=@",
        "a=1&password=@&b=2",
        "?code=@",
        "https://h/a?sv=1&sig=@",
        "client%5Fsecret=@",
        "{\"password\": \"@\"}",
        "{\"a\":{\"clientSecret\":\"@\",\"b\":1}}",
        "{\"secrets\":[\"x\",\"@\"]}",
        "{\"body\":\"{\\\"password\\\":\\\"@\\\"}\"}",
        "password='@'",
        "$env:AZURE_CLIENT_SECRET = '@'",
        "client_secret = @",
        "Authorization: Bearer @",
        "x-functions-key: @",
        "Cookie: a=b; session=@",
        "curl -H \"Authorization: Basic @\"",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=@;EndpointSuffix=x",
        "Server=tcp:x,1433;User ID=a;Password=@;Encrypt=True",
        "Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey=@",
        "redis://:@@host:6380/0",
        "https://@@github.com/a",
        "<Password>@</Password>",
        "<add key=\"x\" connectionString=\"@\"/>",
        "-----BEGIN RSA PRIVATE KEY-----\n@\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\n@",
        "-Password:@",
    ];

    #[test]
    fn a_secret_is_covered_after_every_name() {
        for place in PLACES {
            let text = place.replacen('@', "S3cr3tMark", 1);
            let shown = masked(&text);
            assert!(!shown.contains("S3cr3tMark"), "{text} is shown as {shown}");
            assert_eq!(masked(&shown), shown, "{text}");
        }
    }

    #[test]
    fn and_in_every_encoding_of_the_whole() {
        for place in PLACES {
            let text = place.replacen('@', "S3cr3tMark", 1);
            let percent: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let percent = percent.replace('+', "%20");
            let base64 = STANDARD.encode(&text);
            for hidden in [&percent, &base64, &percent.replace('%', "%25")] {
                if base64.trim_end_matches('=').len() >= SHORTEST_ENCODED && *hidden != text {
                    let text = format!("x {hidden} y");
                    // What follows a key without an end is covered with it.
                    let shown = masked(&text);
                    assert!(
                        matches!(shown.as_ref(), "x *** y" | "x ***"),
                        "{place}: {shown}"
                    );
                }
            }
        }
    }

    #[test]
    fn tokens_with_padding_keys_and_signatures() {
        let token = "eyJhbGciOiJub25lIn0=.eyJzdWIiOiJ0ZXN0In0=.c2ln=";
        assert_eq!(masked(&format!("a {token}, b")), "a ***, b");
        let spaced = STANDARD.encode("{ \"alg\": \"none\" }");
        let spaced = format!("{}.{}.x", spaced.trim_end_matches('='), "a".repeat(30));
        assert_eq!(masked(&spaced), "***");
        let key = STANDARD.encode([0xa7; 64].map(|byte: u8| byte.wrapping_mul(7)).as_slice());
        let mixed = format!("Ab1{}", &key[3..]);
        assert_eq!(masked(&format!("key {mixed}.")), "key ***.");
        let utf16: Vec<u8> = "$secret = 'S3cr3t'"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let script = "$token = Get-AzAccessToken @params";
        assert_eq!(masked(script), script);
        assert_eq!(masked("$token = 'S3cr3t'"), "$token = '***'");
        assert_eq!(
            masked(&format!("-EncodedCommand {}", STANDARD.encode(utf16))),
            "-EncodedCommand ***"
        );
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "",
            "https://vault.azure.net/.default",
            "https://sts.windows.net/72f988bf-0000-0000-0000-00000000cafe/",
            "an error: invalid_token: the token has expired",
            "the client secret: wrong",
            "the error of AUTH: WRONGPASS invalid username-password pair",
            "Bearer realm=\"https://login.windows.net/t\", resource=\"x\"",
            "a bearer token of nobody",
            "the exit code: 1, code=1",
            "see https://login.microsoftonline.com/error?code=9002313 left=49.996s",
            "it says \"this is no token:\", and \"1. more\"",
            "fault `no more tokens`: requests are answered 400",
            "`id_token:{signin_state:{essential:false}}`",
            "keeps-tokens = true",
            "{\"access_token\":{\"nbf\":{\"essential\":true}}}",
            "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==",
            "/subscriptions/5e29463d-0000-0000-0000-000000000001/resourcegroups/Name1/x=",
            "client_secret=***&scope=a",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn in_place_every_other_character_keeps_its_place() {
        let text = "a = 1\nclient-secret = \"S3cr3té\"\nsecret = \"\"\"\nS3cr3t\n\"\"\"\n";
        let (shown, covered) = masked_in_place(text);
        assert_eq!(shown.len(), text.len());
        assert_eq!(
            shown,
            "a = 1\nclient-secret = \"********\"\nsecret = \"\"\"\n******\n\"\"\"\n"
        );
        assert_eq!(covered, ["S3cr3té", "\nS3cr3t\n"]);
    }

    #[test]
    fn in_a_line_of_json_only_forms_count() {
        let secret = format!("abc8Q~{}", "x".repeat(34));
        let line =
            format!("{{\"token\":\"01ab\",\"a\":\"{secret}\",\"u\":\"https://h/?sig=abc\"}}");
        assert_eq!(
            masked_forms(&line),
            "{\"token\":\"01ab\",\"a\":\"***\",\"u\":\"https://h/?sig=***\"}"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived_and_covered_once(text in "[ -~é]{0,60}") {
            let shown = masked(&text).into_owned();
            proptest::prop_assert_eq!(masked(&shown).into_owned(), shown);
        }

        #[test]
        fn any_bytes_are_survived(text: String) {
            let _ = (masked(&text), masked_forms(&text), looks_secret(&text));
        }
    }
}
