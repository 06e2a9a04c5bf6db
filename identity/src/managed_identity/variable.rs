//! Values of variables by which a host names its managed identity service (MI-104).

use url::Url;

use super::NAME;
use crate::{Error, Secret, platform::Trust};

/// Returns the endpoint in the variable `name`: an absolute URL of http or https, without a user
/// name.
///
/// # Errors
/// `Configuration`: the service is named and cannot be used (PR-08). The value is not shown.
pub(super) fn endpoint(name: &str, value: &str) -> Result<Url, Error> {
    let is_endpoint = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    };
    // `http:host` is read as `http://host`, and was not meant so.
    let is_absolute = value.contains("://");
    let url = Url::parse(value).ok().filter(|_| is_absolute);
    url.filter(is_endpoint).ok_or_else(|| {
        let message = format!("{name} is not the URL of an endpoint");
        let help = format!(
            "leave {name} as the platform sets it: an absolute URL such as \
             http://127.0.0.1:41564/msi/token"
        );
        Error::unusable(NAME, message, &help)
    })
}

/// Returns the secret in the variable `name`, which is sent as the value of a header.
///
/// # Errors
/// `Configuration` if a header cannot hold it (PR-08). The value is not shown.
pub(super) fn header(name: &str, value: String) -> Result<Secret, Error> {
    let is_sendable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_sendable && value.trim().len() == value.len() {
        return Ok(Secret::new(value));
    }
    let message = format!("{name} holds characters that a header cannot hold");
    let help = format!("leave {name} as the platform sets it");
    Err(Error::unusable(NAME, message, &help))
}

/// Returns the check of a certificate by the thumbprint in the variable `name`.
///
/// # Errors
/// `Configuration` if the value is no SHA-1 in hexadecimal digits (PR-08). The value is not shown.
pub(super) fn thumbprint(name: &str, value: &str) -> Result<Trust, Error> {
    Trust::thumbprint(value).map_err(|error| {
        let message = format!("{name} cannot be read: {error}");
        Error::unusable(
            NAME,
            message,
            &format!("leave {name} as the platform sets it"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn mi_104_an_endpoint_is_an_absolute_url() {
        for good in [
            "http://169.254.130.4:8081/msi/token",
            "https://localhost:2377/metadata/identity/oauth2/token",
            "http://[::1]:1/",
            "http://localhost/token?a=b",
        ] {
            assert_eq!(endpoint("E", good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "127.0.0.1:41564/msi/token",
            "localhost/token",
            "localhost:1/token",
            "/msi/token",
            "http:localhost/token",
            "http://",
            "file:///etc/passwd",
            "ftp://host/token",
            "http://user@host/token",
            "http://:word@host/token",
            "http://host/token#part",
        ] {
            let error = endpoint("E", bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{bad}");
            assert_eq!(error.message(), "E is not the URL of an endpoint", "{bad}");
        }
    }

    #[test]
    fn pr_08_a_secret_that_no_header_can_hold_is_refused_and_not_shown() {
        assert_eq!(header("H", "a b~".to_owned()).unwrap().expose(), "a b~");
        for bad in ["k3y\r\nb", "k3y\0", "k3y\u{e9}", " k3y", "k3y\n"] {
            let error = header("H", bad.to_owned()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{bad:?}");
            assert!(!format!("{error} {error:?}").contains("k3y"), "{bad:?}");
        }
    }

    proptest::proptest! {
        /// Any value is an endpoint or an error that names the variable.
        #[test]
        fn any_value_is_survived(value in "(http|https|ftp)?:?/{0,3}[a-z:@\\[\\].#?0-9é\r]{0,20}") {
            if let Err(error) = endpoint("IDENTITY_ENDPOINT", &value) {
                assert!(error.message().starts_with("IDENTITY_ENDPOINT "));
            }
            if let Err(error) = header("IDENTITY_HEADER", value) {
                assert!(error.message().starts_with("IDENTITY_HEADER "));
            }
        }
    }
}
