//! URLs and their parts with their secrets covered; the rest stays as it was sent.

use std::borrow::Cow;

use super::{MASK, is_secret_name, masked, percent_decoded};

/// The path, without what looks like a secret in it.
pub fn masked_path(path: &str) -> String {
    let mut masked = String::with_capacity(path.len());
    for (index, part) in path.split('/').enumerate() {
        if index > 0 {
            masked.push('/');
        }
        masked.push_str(&masked_part(part));
    }
    masked
}

/// The query with secret values replaced; otherwise as it stands.
pub fn masked_query(query: &str) -> String {
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, _)) if is_secret_name(&percent_decoded(name)) => format!("{name}={MASK}"),
        Some((name, value)) => format!("{}={}", masked_part(name), masked_part(value)),
        None => masked_part(part).into_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}

/// The value of a field, decoded, as it may be shown.
pub fn masked_value<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if is_secret_name(name) {
        Cow::Borrowed(MASK)
    } else {
        masked(value)
    }
}

/// A part of a URL as it stands, unless it looks like a secret, encoded or not.
fn masked_part(part: &str) -> Cow<'_, str> {
    match masked(&percent_decoded(part)) {
        Cow::Borrowed(_) => match masked(part) {
            Cow::Borrowed(_) => Cow::Borrowed(part),
            Cow::Owned(_) => Cow::Borrowed(MASK),
        },
        Cow::Owned(_) => Cow::Borrowed(MASK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_urls() {
        // Made up.
        let secret = format!("abc8Q~{}", "x".repeat(34));
        let encoded = secret.replace('~', "%7E");
        assert_eq!(masked_path(&format!("/t/{encoded}/token")), "/t/***/token");
        for (query, shown) in [
            (
                format!("a={encoded}&client%5Fsecret=S&{secret}=b"),
                "a=***&client%5Fsecret=***&***=b",
            ),
            ("sv=2024&sig=abc%3D&se=x".to_owned(), "sv=2024&sig=***&se=x"),
            (
                "subscription-key=abc&api-version=1".to_owned(),
                "subscription-key=***&api-version=1",
            ),
            (
                "u=https%3A%2F%2Fh%2F%3Fsig%3Dabc&b=1".to_owned(),
                "u=***&b=1",
            ),
            ("code=abc&state=1".to_owned(), "code=***&state=1"),
        ] {
            assert_eq!(masked_query(&query), shown);
        }
    }
}
