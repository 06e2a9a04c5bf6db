//! Secrets that are recognised by the name of what holds them: options, variables, fields, headers.

use super::{shape, words};

/// Words that make a name that of a secret wherever they stand in it.
const ANYWHERE: &[&str] = &[
    "accountkey",
    "apikey",
    "assertion",
    "connectionstring",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pwd",
    "secret",
    "secrets",
];

/// Words that make a name that of a secret if it ends with them.
const AT_THE_END: &[&str] = &[
    "key", "keys", "pass", "pat", "sas", "sig", "token", "tokens",
];

/// Words that end the name of what describes a secret: where it is, or of which kind.
const NOT_ITSELF: &[&str] = &[
    "endpoint", "expiry", "file", "id", "ids", "name", "path", "provider", "type", "uri", "url",
];

/// Names of OAuth's and OpenID Connect's fields that hold secrets and do not sound like it.
const OAUTH_FIELDS: &[&str] = &["code", "code_verifier", "device_code", "id_token_hint"];

/// Whether a field of a form or of a query holds a secret, by its name in any case.
pub fn is_secret_field(name: &str) -> bool {
    let is_oauth = |field: &&str| field.eq_ignore_ascii_case(name);
    OAUTH_FIELDS.iter().any(is_oauth) || is_secret_name(name)
}

/// Whether a header, by its name in lower case, holds a secret: those that authorize as well, of
/// which `x-ms-authorization-auxiliary` holds tokens.
pub fn is_secret_header(name: &str) -> bool {
    name.contains("auth") || is_secret_name(name)
}

/// Whether `name` is that of a secret: `--client-secret`, `AZURE_CLIENT_SECRET`, `clientSecret`.
/// `AZURE_FEDERATED_TOKEN_FILE` and `AZURE_TOKEN_CREDENTIALS` are not.
pub fn is_secret_name(name: &str) -> bool {
    let words = words_of(name);
    let Some(last) = words.last() else {
        return false;
    };
    if NOT_ITSELF.contains(&last.as_str()) {
        return false;
    }
    let follows = |first: &str, second: &str| {
        let mut pairs = words.windows(2);
        pairs.any(|pair| pair == [first, second])
    };
    AT_THE_END.contains(&last.as_str())
        || words.iter().any(|word| ANYWHERE.contains(&word.as_str()))
        || follows("connection", "string")
        // App Service's endpoint expects this secret of its host in a header.
        || follows("identity", "header")
}

/// The words of a name, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let starts = !c.is_ascii_alphanumeric() || was_lower && c.is_ascii_uppercase();
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a value holds a secret, whatever holds the value: by its form, as `name=value` or
/// `name:value` within it, after the scheme of an `Authorization` header, or as a password in a URL.
pub fn looks_secret(value: &str) -> bool {
    let is_pair = |part: &str| {
        part.match_indices(['=', ':']).any(|(at, mark)| {
            let (name, rest) = part.split_at(at);
            let rest = rest.strip_prefix(mark).unwrap_or_default();
            // `token::kind` and `token://place` are no pairs.
            let is_other = name.ends_with(':') || rest.starts_with(['/', ':']);
            is_secret_name(name) && !rest.is_empty() && !is_other
        })
    };
    let is_end = |c: char| c.is_whitespace() || "&;,\"'{}".contains(c);
    let user = value.split_once("://").map(|(_, rest)| rest);
    let user = user.and_then(|rest| rest.split('/').next()?.rsplit_once('@'));
    let lower = value.to_ascii_lowercase();
    words(value).any(|word| shape(word).is_some())
        || ["bearer ", "basic "].iter().any(|it| lower.contains(it))
        || value.split(is_end).any(is_pair)
        || user.is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "--password",
            "--client-secret",
            "--federated-token",
            "-AccessToken",
            "AZURE_CLIENT_SECRET",
            "AZURE_CLIENT_CERTIFICATE_PASSWORD",
            "IDENTITY_HEADER",
            "MSI_SECRET",
            "accountKey",
            "CONNECTION_STRING",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "",
            "--claims",
            "--resource",
            "AZURE_TOKEN_CREDENTIALS",
            "AZURE_FEDERATED_TOKEN_FILE",
            "AZURE_TENANT_ID",
            "KEYBOARD",
            "PORT",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn fields_and_headers_with_secrets() {
        for field in [
            "access_token",
            "assertion",
            "client_assertion",
            "client_secret",
            "Code",
            "code_verifier",
            "device_code",
            "id_token",
            "id_token_hint",
            "password",
            "refresh_token",
            "secret",
            "sig",
            "subject_token",
        ] {
            assert!(is_secret_field(field), "{field}");
        }
        for field in [
            "client_assertion_type",
            "client_id",
            "grant_type",
            "requested_token_use",
            "resource",
            "scope",
            "subject_token_type",
        ] {
            assert!(!is_secret_field(field), "{field}");
        }
        assert!(is_secret_header("x-ms-authorization-auxiliary"));
        assert!(is_secret_header("x-identity-header"));
        assert!(!is_secret_header("metadata"));
    }

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

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            let _ = (is_secret_name(&text), looks_secret(&text));
        }
    }
}
