//! Secrets that are recognised by the name of what holds them: options, variables, fields, headers,
//! elements, keys.

/// Words that make a name that of a secret wherever they stand in it.
const ANYWHERE: &[&str] = &[
    "accesskey",
    "accountkey",
    "apikey",
    "assertion",
    "auth",
    "authenticate",
    "authentication",
    "authorization",
    "connectionstring",
    "cookie",
    "cookies",
    "masterauth",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pwd",
    "requirepass",
    "secret",
    "secrets",
];

/// Words that make a name that of a secret if it ends with them.
const AT_THE_END: &[&str] = &[
    "bearer",
    "jwt",
    "key",
    "keys",
    "otp",
    "pass",
    "pat",
    "pfx",
    "pkcs12",
    "sas",
    "sig",
    "signature",
    "token",
    "tokens",
    "totp",
];

/// Endings that make a name that of a secret where it is written without a mark between its words:
/// `clientsecret`, `subscriptionkey`.
const GLUED: &[&str] = &[
    "accesskey",
    "accountkey",
    "apikey",
    "assertion",
    "connectionstring",
    "functionskey",
    "hostkey",
    "masterkey",
    "passwd",
    "password",
    "primarykey",
    "privatekey",
    "secondarykey",
    "secret",
    "sharedkey",
    "storagekey",
    "subscriptionkey",
    "token",
];

/// Words that end the name of what describes a secret: where it is, or of which kind.
const NOT_ITSELF: &[&str] = &[
    "algorithm",
    "endpoint",
    "expiry",
    "file",
    "id",
    "ids",
    "life",
    "method",
    "mode",
    "name",
    "path",
    "provider",
    "scheme",
    "type",
    "uri",
    "url",
    "version",
];

/// Pairs of words that make a name that of a secret.
const PAIRS: &[(&str, &str)] = &[
    ("conn", "str"),
    ("connection", "str"),
    ("connection", "string"),
    // App Service's endpoint expects this secret of its host in a header.
    ("identity", "header"),
];

/// Whole names that hold secrets and do not sound like it: of OAuth, OpenID Connect, SAML and
/// WS-Federation.
const WHOLE: &[&str] = &[
    "code",
    "code_verifier",
    "device_code",
    "id_token_hint",
    "samlrequest",
    "samlresponse",
    "wresult",
];

/// The longest name, in bytes: what is longer is no name.
const LONGEST: usize = 256;

/// Names of secrets that are also ordinary words of prose, where they count only in the forms that
/// prose does not have.
const COMMON: &[&str] = &["auth", "code", "key", "keys"];

/// The name under which Key Vault and App Configuration take a secret, and `az` too. It counts in
/// bodies and options, not elsewhere: it says nothing.
const VALUE: &str = "value";

/// Whether `name` is that of a secret, in any case and any spelling: `--client-secret`,
/// `AZURE_CLIENT_SECRET`, `clientSecret`, `x-functions-key`, `Authorization`, `code`.
/// `AZURE_FEDERATED_TOKEN_FILE` and `AZURE_TOKEN_CREDENTIALS` are not. The one list of names for
/// headers, queries, forms, JSON, XML, multipart bodies, command lines, environment variables and
/// Redis commands.
pub fn is_secret_name(name: &str) -> bool {
    if name.len() > LONGEST {
        return false;
    }
    if WHOLE.iter().any(|it| it.eq_ignore_ascii_case(bare(name))) {
        return true;
    }
    let is_one_of =
        |list: &[&str], word: &str| list.iter().any(|known| known.eq_ignore_ascii_case(word));
    let (mut last, mut is_found) = ("", false);
    for word in words_of(name) {
        let follows = |(one, other): &(&str, &str)| {
            one.eq_ignore_ascii_case(last) && other.eq_ignore_ascii_case(word)
        };
        is_found |= is_one_of(ANYWHERE, word) || PAIRS.iter().any(follows);
        // What is public is no secret, and its name must not be taken for that of a key.
        if last.eq_ignore_ascii_case("public") && word.eq_ignore_ascii_case("key") {
            return false;
        }
        last = word;
    }
    let is_at_the_end = is_one_of(AT_THE_END, last) || is_glued(last) || is_scrambled(last);
    !is_one_of(NOT_ITSELF, last) && (is_found || is_at_the_end)
}

/// Whether `word` has the letters of `secret` or `password` in another order, as a slip of the
/// fingers has: a diagnostic of a misspelled key quotes the value.
fn is_scrambled(word: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters = word.to_ascii_lowercase().into_bytes();
        letters.sort_unstable();
        letters
    };
    let mut known = ["secret", "password"].into_iter();
    known.any(|known| known.len() == word.len() && sorted(known) == sorted(word))
}

/// Whether a member of a body or an option of this name holds a secret: those of
/// [`is_secret_name`], and `value`, which Key Vault, App Configuration and `az` take a secret
/// under.
pub fn is_secret_member(name: &str) -> bool {
    bare(name).eq_ignore_ascii_case(VALUE) || is_secret_name(name)
}

/// Whether `name` is that of a secret and no ordinary word, such as `code` or `key`: for texts that
/// people wrote.
pub fn is_secret_in_prose(name: &str) -> bool {
    let is_common = COMMON.iter().any(|it| it.eq_ignore_ascii_case(bare(name)));
    !is_common && is_secret_name(name)
}

/// The name of an option without its dashes.
fn bare(name: &str) -> &str {
    name.trim_start_matches('-')
}

fn is_glued(word: &str) -> bool {
    let ends_with = |end: &&str| {
        let at = word.len().checked_sub(end.len());
        let tail = at.and_then(|at| word.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    GLUED.iter().any(ends_with)
}

/// The words of a name: what stands between marks, and `client` and `Secret` of `clientSecret`.
fn words_of(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let is_mark = |c: char| !c.is_ascii_alphanumeric();
        rest = rest.trim_start_matches(is_mark);
        let bytes = rest.as_bytes();
        let ends = |at: &usize| {
            let (before, here) = (bytes[at - 1], bytes[*at]);
            !here.is_ascii_alphanumeric()
                || before.is_ascii_lowercase() && here.is_ascii_uppercase()
        };
        let end = (1..bytes.len()).find(ends).unwrap_or(bytes.len());
        let (word, after) = rest.split_at_checked(end)?;
        rest = after;
        (!word.is_empty()).then_some(word)
    })
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
            "Ocp-Apim-Subscription-Key",
            "subscription-key",
            "subscriptionkey",
            "x-functions-key",
            "authorization",
            "Proxy-Authorization",
            "x-ms-authorization-auxiliary",
            "X-IDENTITY-HEADER",
            "Set-Cookie",
            "requirepass",
            "tls-key-file-pass",
            "access_token",
            "assertion",
            "client_assertion",
            "clientsecret",
            "Code",
            "code_verifier",
            "device_code",
            "id_token",
            "id_token_hint",
            "refresh_token",
            "SAMLResponse",
            "sig",
            "subject_token",
            "sas",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "",
            "--",
            "--claims",
            "--resource",
            "--auth-mode",
            "AZURE_AUTHORITY_HOST",
            "AZURE_TOKEN_CREDENTIALS",
            "AZURE_FEDERATED_TOKEN_FILE",
            "AZURE_TENANT_ID",
            "KEYBOARD",
            "PORT",
            "client_assertion_type",
            "client_id",
            "grant_type",
            "metadata",
            "public-key",
            "requested_token_use",
            "resource",
            "scope",
            "subject_token_type",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn ordinary_words_are_no_names_of_secrets_in_prose() {
        for word in COMMON {
            assert!(is_secret_name(word) && !is_secret_in_prose(word), "{word}");
        }
        assert!(is_secret_in_prose("client_secret"));
        assert!(is_secret_member("--value") && !is_secret_name("value"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            let _ = is_secret_name(&text);
        }

        #[test]
        fn marks_and_case_make_no_difference(mark in "[-_. ]") {
            for name in ["client@secret", "x@functions@key", "set@cookie"] {
                let name = name.replace('@', &mark);
                proptest::prop_assert!(is_secret_name(&name));
                proptest::prop_assert!(is_secret_name(&name.to_uppercase()));
            }
        }
    }
}
