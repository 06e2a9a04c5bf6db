//! Bodies of requests: parsed as what they are, whatever their type is said to be, and shown with
//! their secrets covered. What can't be parsed is shown by its length and its hash.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::{MASK, masked, masked_value, name::is_secret_member};

/// The longest text of a body in JSON or XML that is shown, in characters.
const SHOWN: usize = 4096;

/// The longest name of a form's field: a longer one is no name.
const LONGEST_NAME: usize = 128;

/// A body that was parsed.
#[derive(Clone, PartialEq)]
pub enum Body {
    /// No bytes.
    Empty,
    /// A form, URL-encoded or in several parts: the names and values of its fields, decoded, in
    /// their order. They are not covered.
    Form(Vec<(String, String)>),
    /// An object or an array.
    Json(Value),
    /// One element with what is in it.
    Xml(String),
    /// Something else.
    Opaque(Vec<u8>),
}

/// A body with its secrets covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The fields of a form, or none.
    Fields(Vec<(String, String)>),
    /// A text.
    Text(String),
}

impl Body {
    /// Reads a body as what it is.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        let parsed = match std::str::from_utf8(bytes).map(str::trim_start) {
            Ok(text) if text.starts_with(['{', '[']) => json(text),
            Ok(text) if text.starts_with('<') => xml(text).map(|_| Self::Xml(text.to_owned())),
            Ok(text) if text.starts_with("--") => parts(text),
            Ok(text) => form(text),
            Err(_) => None,
        };
        parsed.unwrap_or_else(|| Self::Opaque(bytes.to_owned()))
    }

    /// The body as it may be shown.
    pub fn shown(&self) -> Shown {
        match self {
            Self::Empty => Shown::Fields(Vec::new()),
            Self::Form(fields) => {
                let fields = fields.iter().map(|(name, value)| {
                    let shown = shown_value(name, value);
                    (masked(name).into_owned(), shown)
                });
                Shown::Fields(fields.collect())
            }
            Self::Json(value) => {
                let mut value = value.clone();
                cover(&mut value, false);
                Shown::Text(cut(&value.to_string()))
            }
            Self::Xml(text) => {
                Shown::Text(xml(text).map_or_else(|| described(text.as_bytes()), |it| cut(&it)))
            }
            Self::Opaque(bytes) => Shown::Text(described(bytes)),
        }
    }

    /// The names and values of all that it holds, those of nested objects too. They are not
    /// covered.
    pub fn fields(&self) -> Vec<(String, String)> {
        match self {
            Self::Empty => Vec::new(),
            Self::Form(fields) => fields.clone(),
            Self::Json(value) => {
                let mut all = Vec::new();
                members("", value, &mut all);
                all
            }
            Self::Xml(text) => vec![(String::new(), text.clone())],
            Self::Opaque(bytes) => {
                vec![(String::new(), String::from_utf8_lossy(bytes).into_owned())]
            }
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shown().fmt(f)
    }
}

/// The length and the hash of what can't be parsed.
pub fn described(bytes: &[u8]) -> String {
    let mut text = format!("{} bytes, sha256 ", bytes.len());
    for byte in digest(&SHA256, bytes).as_ref().iter().take(8) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}... ({})", &text[..end], described(text.as_bytes())),
        None => text.to_owned(),
    }
}

/// The value of a form's field: one in JSON or XML is read as such.
fn shown_value(name: &str, value: &str) -> String {
    let shown = masked_value(name, value);
    if shown == MASK || is_secret_member(name) {
        return MASK.to_owned();
    }
    // A request for claims names tokens (`{"access_token": {"nbf": null}}`) and holds none.
    if name.eq_ignore_ascii_case("claims") {
        return shown.into_owned();
    }
    match Body::of(value.as_bytes()) {
        inner @ (Body::Json(_) | Body::Xml(_)) => match inner.shown() {
            // Where nothing is covered, it stays as it was written.
            Shown::Text(text) if !text.contains(MASK) => shown.into_owned(),
            Shown::Text(text) => text,
            Shown::Fields(_) => shown.into_owned(),
        },
        Body::Empty | Body::Form(_) | Body::Opaque(_) => shown.into_owned(),
    }
}

fn json(text: &str) -> Option<Body> {
    serde_json::from_str(text).ok().map(Body::Json)
}

/// Covers the secrets of a JSON value; `is_secret` says that all of it is one.
fn cover(value: &mut Value, is_secret: bool) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(_) if !is_secret => {}
        Value::Number(_) => *value = MASK.into(),
        Value::String(text) if is_secret => {
            if !text.is_empty() {
                MASK.clone_into(text);
            }
        }
        Value::String(text) => *text = shown_value("", text),
        Value::Array(items) => items.iter_mut().for_each(|item| cover(item, is_secret)),
        Value::Object(members) => {
            let covered = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    let is_plain_code = name == "code" && value.is_number();
                    let is_named = is_secret_member(&name) && !is_plain_code;
                    match &mut value {
                        Value::String(text) if !is_secret && !is_named => {
                            *text = shown_value(&name, text)
                        }
                        other => cover(other, is_secret || is_named),
                    }
                    (masked(&name).into_owned(), value)
                });
            *members = covered.collect();
        }
    }
}

/// All strings and numbers in a JSON value, each with the name that it stands under.
fn members(name: &str, value: &Value, all: &mut Vec<(String, String)>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => all.push((name.to_owned(), number.to_string())),
        Value::String(text) => all.push((name.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| members(name, item, all)),
        Value::Object(object) => object
            .iter()
            .for_each(|(name, value)| members(name, value, all)),
    }
}

/// A form: fields with names that could be ones.
fn form(text: &str) -> Option<Body> {
    let is_name = |name: &str| {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || "_$%@".contains(c));
        let is_part = |c: char| c.is_alphanumeric() || "_-.~[]$%@:+*!()".contains(c);
        starts && name.len() <= LONGEST_NAME && name.chars().all(is_part)
    };
    let body = text.trim_end_matches(['\r', '\n']);
    let fields: Vec<(&str, &str)> = body
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('='))
        .collect::<Option<_>>()?;
    let all_named = fields.iter().all(|(name, _)| is_name(name));
    // The padding of base64 is no mark behind a name.
    let is_padded = fields.len() == 1
        && fields
            .iter()
            .all(|(_, value)| value.trim_matches('=').is_empty());
    let is_line = !body.contains(|c: char| c.is_control());
    let is_form = all_named && !is_padded && is_line && !fields.is_empty();
    is_form.then(|| {
        let fields = form_urlencoded::parse(body.as_bytes());
        Body::Form(
            fields
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    })
}

/// A form in several parts.
fn parts(text: &str) -> Option<Body> {
    let boundary = text.lines().next()?.trim_end();
    if boundary.len() < 3 || boundary.contains(char::is_whitespace) {
        return None;
    }
    let mut fields = Vec::new();
    let mut pieces = text.split(boundary).skip(1).peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return (piece.trim_end() == "--" && !fields.is_empty()).then_some(Body::Form(fields));
        }
        let piece = piece
            .strip_prefix("\r\n")
            .or_else(|| piece.strip_prefix('\n'))?;
        let (head, content) = piece
            .split_once("\r\n\r\n")
            .or_else(|| piece.split_once("\n\n"))?;
        let content = content
            .strip_suffix("\r\n")
            .or_else(|| content.strip_suffix('\n'))?;
        let name = parameter(head, "name")?;
        let content = match Body::of(content.as_bytes()) {
            // Only what is a value of one line is a value: the rest may be a file.
            Body::Opaque(bytes) if is_file(head) || content.contains('\n') => described(&bytes),
            _ => content.to_owned(),
        };
        fields.push((name, content));
    }
    None
}

/// A parameter of the `Content-Disposition` of a part.
fn parameter(head: &str, name: &str) -> Option<String> {
    let is_disposition = |line: &&str| {
        line.to_ascii_lowercase()
            .starts_with("content-disposition:")
    };
    let line = head.lines().find(is_disposition)?;
    line.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        let is_it = key.trim().eq_ignore_ascii_case(name);
        is_it.then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn is_file(head: &str) -> bool {
    parameter(head, "filename").is_some()
}

/// XML with its secrets covered; none if its tags do not fit together.
fn xml(text: &str) -> Option<String> {
    let mut shown = String::with_capacity(text.len());
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    let mut has_element = false;
    while !rest.is_empty() {
        let (content, markup) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        push_content(&mut shown, content, &open);
        if markup.is_empty() {
            break;
        }
        let tag = if let Some(data) = markup.strip_prefix("<![CDATA[") {
            let (data, after) = data.split_once("]]>")?;
            push_content(&mut shown, data, &open);
            rest = after;
            continue;
        } else if let Some(comment) = markup.strip_prefix("<!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        } else {
            let end = tag_end(markup)?;
            rest = markup.get(end + 1..)?;
            markup.get(1..end)?
        };
        if let Some(name) = tag.strip_prefix('/') {
            (open.pop()? == name.trim()).then_some(())?;
            shown.push_str(&format!("</{}>", name.trim()));
            continue;
        }
        if tag.starts_with(['?', '!']) {
            // A declaration could define entities: its words are left out.
            continue;
        }
        has_element = true;
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next()?;
        if name.is_empty() {
            return None;
        }
        shown.push_str(&format!("<{}>", attributes(tag)?));
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    (has_element && open.is_empty()).then_some(shown)
}

/// Where a tag ends: at the first `>` that is not in quotes.
fn tag_end(markup: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in markup.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some(_), _) => {}
        }
    }
    None
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The text between two tags. It is covered if an element around it has the name of a secret.
fn push_content(shown: &mut String, content: &str, open: &[&str]) {
    let is_secret = open.iter().any(|name| is_secret_member(local(name)));
    if is_secret && !content.trim().is_empty() {
        shown.push_str(MASK);
    } else {
        shown.push_str(&masked(content));
    }
}

/// A tag with the values of its attributes covered.
fn attributes(tag: &str) -> Option<String> {
    let mut shown = String::new();
    let mut rest = tag;
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = rest.get(at..=at)?;
        let (before, after) = (rest.get(..at)?, rest.get(at + 1..)?);
        let (value, after) = after.split_once(quote)?;
        let name = before.trim_end().strip_suffix('=')?.trim_end();
        let name = name.rsplit(char::is_whitespace).next().unwrap_or_default();
        let value = shown_value(local(name), value);
        shown.push_str(&format!("{before}{quote}{value}{quote}"));
        rest = after;
    }
    shown.push_str(rest);
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a body is shown, in one line.
    fn shown(body: &str) -> String {
        match Body::of(body.as_bytes()).shown() {
            Shown::Text(text) => text,
            Shown::Fields(fields) => {
                let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
                fields.collect::<Vec<_>>().join("&")
            }
        }
    }

    #[test]
    fn bodies_are_parsed_as_what_they_are() {
        for (body, expected) in [
            ("", ""),
            (
                "client_id=C&client_secret=S&scope=a%20b",
                "client_id=C&client_secret=***&scope=a b",
            ),
            (
                r#"{"grant_type":"x","client_secret":"S","a":{"passwords":["S","S"]},"n":1}"#,
                r#"{"a":{"passwords":["***","***"]},"client_secret":"***","grant_type":"x","n":1}"#,
            ),
            (
                r#" [{"name":"DB_PASSWORD","value":"S"}]"#,
                r#"[{"name":"DB_PASSWORD","value":"***"}]"#,
            ),
            (
                r#"{"pass\u0077ord":"S","id_token":5}"#,
                r#"{"id_token":"***","password":"***"}"#,
            ),
            (
                r#"{"inner":"{\"password\":\"S\"}"}"#,
                r#"{"inner":"{\"password\":\"***\"}"}"#,
            ),
            (
                "<?xml version=\"1.0\"?><a><Password>S</Password><b key='k'>t</b></a>",
                "<a><Password>***</Password><b key='***'>t</b></a>",
            ),
            (
                "<a><secret><b>S</b><![CDATA[S]]></secret><!-- S --></a>",
                "<a><secret><b>***</b>***</secret></a>",
            ),
            (
                r#"claims={"access_token":{"nbf":{"essential":true,"value":"1"}}}&scope=a"#,
                r#"claims={"access_token":{"nbf":{"essential":true,"value":"1"}}}&scope=a"#,
            ),
            (
                r#"{"access_token":{"value":"S"}}"#,
                r#"{"access_token":{"value":"***"}}"#,
            ),
            (
                "assertion=S&j={\"password\":\"S\"}",
                "assertion=***&j={\"password\":\"***\"}",
            ),
        ] {
            assert_eq!(shown(body), expected, "{body}");
        }
    }

    #[test]
    fn forms_of_several_parts() {
        let body = "--b1\r\nContent-Disposition: form-data; name=\"client_secret\"\r\n\r\nS\r\n\
                    --b1\r\nContent-Disposition: form-data; name=\"scope\"\r\n\r\na b\r\n\
                    --b1\r\nContent-Disposition: form-data; name=\"j\"\r\nContent-Type: application/json\r\n\r\n\
                    {\"password\":\"S\"}\r\n\
                    --b1\r\nContent-Disposition: form-data; name=\"f\"; filename=\"k.pem\"\r\n\r\nS3CR\r\nET\r\n--b1--\r\n";
        let shown = shown(body);
        assert!(
            shown.starts_with(
                "client_secret=***&scope=a b&j={\"password\":\"***\"}&f=8 bytes, sha256 "
            ),
            "{shown}"
        );
    }

    #[test]
    fn what_cannot_be_parsed_is_shown_by_length_and_hash() {
        for body in [
            "Hunter2Sekr1t",
            "SHVudGVyMlNla3IxdA==",
            "{\"password\":\"Hunter2",
            "<a>Hunter2</b>",
            "\"Hunter2\"",
            "--b\r\nHunter2",
            "a b=Hunter2",
            "Hunter2=",
        ] {
            let shown = shown(body);
            let expected = format!("{} bytes, sha256 ", body.len());
            assert!(shown.starts_with(&expected), "{body}: {shown}");
            assert_eq!(shown.len(), expected.len() + 16);
        }
        let Shown::Text(binary) = Body::of(&[0xff, 0, 1]).shown() else {
            panic!("no form");
        };
        assert_eq!(binary.len(), "3 bytes, sha256 ".len() + 16);
    }

    #[test]
    fn debug_covers_secrets() {
        let text = format!("{:?}", Body::of(b"client_secret=Hunter2&a=b"));
        assert!(
            text.contains("client_secret") && !text.contains("Hunter2"),
            "{text}"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let _ = Body::of(&bytes).shown();
        }

        #[test]
        fn texts_with_marks_are_survived(text in "[-<>/a=\"'{}\\[\\]&:;%\r\n ]{0,40}") {
            let _ = Body::of(text.as_bytes()).shown();
        }
    }
}
