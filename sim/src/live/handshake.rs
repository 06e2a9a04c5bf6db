//! TLS handshakes that fail, seen from our side.

use std::io;

/// Why a client and we could not agree on TLS. `help` is what one that does not trust the authority
/// has to be told.
pub(crate) fn why_none(error: &io::Error, help: &str) -> String {
    let alert = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match alert {
        Some(rustls::Error::AlertReceived(alert)) => {
            use rustls::AlertDescription as Alert;
            let trust = [
                Alert::UnknownCA,
                Alert::BadCertificate,
                Alert::CertificateUnknown,
            ];
            if trust.contains(alert) {
                format!("the client does not trust this run's authority; {help}")
            } else {
                format!("the client says {alert:?}")
            }
        }
        Some(error) => format!(
            "the handshake failed: it is not TLS, or a version that is not supported: {error}"
        ),
        // Node.js says nothing when it distrusts a certificate.
        None => format!(
            "the client hung up in the handshake, as Node.js does when it does not trust \
             this run's authority; {help}"
        ),
    }
}

/// Why a client may hang up after a handshake that has worked, without a request.
pub(crate) fn why_no_request(help: &str) -> String {
    format!(
        "the client hung up right after the handshake, without a request, as Node.js does with \
         TLS 1.2 when it does not trust this run's authority; {help}"
    )
}
