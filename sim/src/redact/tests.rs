//! Secrets in random places: none may be left in what is shown, in any spelling.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use super::*;

/// Names of secrets, each in one of its usual spellings.
const NAMES: &[&str] = &[
    "client_secret",
    "clientSecret",
    "CLIENT_SECRET",
    "client-secret",
    "password",
    "Password",
    "access_token",
    "accessToken",
    "refresh_token",
    "id_token",
    "client_assertion",
    "code_verifier",
    "device_code",
    "sig",
    "subscription-key",
    "x-functions-key",
    "AccountKey",
    "connectionString",
    "sas_token",
    "Authorization",
    "X-IDENTITY-HEADER",
    "requirepass",
];

/// Names of other things.
const OTHERS: &[&str] = &[
    "scope",
    "grant_type",
    "resource",
    "a",
    "client_id",
    "name",
    "tenant",
];

/// How a part of a text is written.
fn percent(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// The names and values of a document: one secret among others.
fn fields() -> impl Strategy<Value = (Vec<(String, String)>, String)> {
    let secret = "[A-Za-z0-9!._~-]{3,12}MARK[A-Za-z0-9]{3,12}";
    let other = (prop::sample::select(OTHERS), "[a-z0-9 :/.]{0,12}");
    let name = prop::sample::select(NAMES);
    (
        name,
        secret,
        prop::collection::vec(other, 0..4),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(name, secret, others, at)| {
            let owned = |(name, value): (&str, String)| (name.to_owned(), value);
            let mut fields: Vec<_> = others.into_iter().map(owned).collect();
            fields.insert(
                at.index(fields.len() + 1),
                (name.to_owned(), secret.clone()),
            );
            (fields, secret)
        })
}

fn form(fields: &[(String, String)]) -> String {
    let all = fields
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)));
    all.collect::<Vec<_>>().join("&")
}

fn json(fields: &[(String, String)], depth: usize) -> String {
    let members = fields
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()));
    let value = serde_json::Value::Object(members.collect());
    (0..depth)
        .fold(value, |value, level| match level % 3 {
            0 => serde_json::json!({ "properties": value }),
            1 => serde_json::json!([value]),
            _ => serde_json::json!({ "text": value.to_string() }),
        })
        .to_string()
}

fn xml(fields: &[(String, String)]) -> String {
    let all = fields
        .iter()
        .map(|(name, value)| format!("<n:{name} a=\"b\">{value}</n:{name}>"));
    format!("<root>{}</root>", all.collect::<String>())
}

fn multipart(fields: &[(String, String)]) -> String {
    let part = |(name, value): &(String, String)| {
        format!("--bound\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    format!(
        "{}--bound--\r\n",
        fields.iter().map(part).collect::<String>()
    )
}

/// How a body is shown.
fn body(text: &str) -> String {
    match Body::of(text.as_bytes()).shown() {
        Shown::Text(text) => text,
        Shown::Fields(fields) => format!("{fields:?}"),
    }
}

/// Every way in which a document can leave, whatever it is said to be.
fn outputs(fields: &[(String, String)], depth: usize) -> Vec<String> {
    let form = form(fields);
    let documents = [
        form.clone(),
        json(fields, depth),
        xml(fields),
        multipart(fields),
    ];
    let mut all: Vec<String> = documents.iter().map(|document| body(document)).collect();
    all.push(masked_query(&form));
    all.push(masked(&format!("https://h.example/a?{form}")).into_owned());
    all.push(masked_query(&format!(
        "u={}",
        percent(&format!("https://h.example/?{form}"))
    )));
    all.push(printable(&json(fields, depth)));
    all.push(printable(&STANDARD.encode(&form)));
    all.push(printable(&STANDARD.encode(json(fields, depth))));
    all.push(body(&STANDARD.encode(&form)));
    for dialect in [Dialect::Az, Dialect::Any] {
        let options = fields
            .iter()
            .flat_map(|(name, value)| [format!("--{name}"), value.clone()]);
        all.push(arguments(&options.collect::<Vec<_>>(), dialect).join(" "));
        let attached = fields.iter().map(|(name, value)| format!("{name}={value}"));
        all.push(arguments(&attached.collect::<Vec<_>>(), dialect).join(" "));
        let script = format!("x --body '{}' -d '{form}'", json(fields, depth));
        all.push(arguments(&["sh".to_owned(), "-c".to_owned(), script], dialect).join(" "));
    }
    let words = fields
        .iter()
        .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let words: Vec<&str> = ["HSET", "h"].into_iter().chain(words).collect();
    all.push(masked_command(&words));
    all
}

proptest! {
    #[test]
    fn a_secret_in_a_random_place_is_nowhere_shown((fields, secret) in fields(), depth in 0..4_usize) {
        let mut known = Secrets::default();
        known.add(secret.clone(), "secret");
        for (number, output) in outputs(&fields, depth).into_iter().enumerate() {
            prop_assert_eq!(known.find(&output), None, "output {} is {}", number, output);
            prop_assert!(!output.contains("MARK"), "output {} is {}", number, output);
        }
    }

    /// Without the names nothing tells a secret from other text: the test above can fail.
    #[test]
    fn without_the_name_of_a_secret_it_would_be_shown((fields, _) in fields()) {
        let unnamed: Vec<_> = fields.into_iter().map(|(_, value)| ("scope".to_owned(), value)).collect();
        prop_assert!(body(&form(&unnamed)).contains("MARK"));
    }
}
