//! What a service that hands out tokens of managed identities is, whichever it is.

use std::fmt;

use super::{ManagedIdentityId, NAME, answer};
use crate::{
    AccessToken, Error, ErrorKind,
    http::{self, Exchange, Reply, RetryPolicy},
    platform::{HttpRequest, Platform},
};

/// One kind of host's service: what it is asked, and how its answers read. To add one, copy
/// `imds.rs` and give it a line in `detect.rs`.
pub(super) trait Service: fmt::Debug + Send + Sync + 'static {
    /// Its name in messages.
    fn title(&self) -> &'static str;

    /// When and how often a request is repeated.
    fn retry_policy(&self) -> RetryPolicy;

    /// The request for a token of `id` for `resource`.
    fn token_request(
        &self,
        platform: &Platform,
        resource: &str,
        id: &ManagedIdentityId,
    ) -> HttpRequest;

    /// The request by which `DefaultAzureCredential` asks whether anybody is there; `None` where
    /// the host's variables say that the service is there (PR-13).
    fn probe_request(&self, platform: &Platform) -> Option<HttpRequest>;

    /// What an answer other than 200 means, and what can be done about it (PR-01).
    fn judge(&self, status: u16, text: &str, id: &ManagedIdentityId) -> (ErrorKind, &'static str);

    /// What to do when the service cannot be reached.
    fn unreached_help(&self) -> &'static str;
}

/// Asks `service` once, as often as `policy` lets it.
pub(super) async fn token(
    service: &dyn Service,
    platform: &Platform,
    policy: &RetryPolicy,
    resource: &str,
    id: &ManagedIdentityId,
) -> Result<AccessToken, Error> {
    let request = service.token_request(platform, resource, id);
    let exchange = Exchange::send(platform, policy, "managed-identity", request).await;
    let exchange = exchange.map_err(|failure| {
        http::error::unanswered(
            NAME,
            service.title(),
            failure,
            ErrorKind::Unavailable,
            service.unreached_help(),
        )
    })?;
    if exchange.reply.status == 200 {
        answer::token(service.title(), exchange)
    } else {
        Err(refusal(service, &exchange.reply, id))
    }
}

/// The error for a status that is not 200.
fn refusal(service: &dyn Service, reply: &Reply, id: &ManagedIdentityId) -> Error {
    let text = String::from_utf8_lossy(&reply.body);
    let answer = answer::Refusal::read(&text);
    let (kind, help) = service.judge(reply.status, &text, id);
    let message = format!(
        "{} answered {}{}: {}",
        service.title(),
        reply.status,
        http::error::times(reply),
        answer.said(&text)
    );
    let mut error = Error::new(kind, NAME, message).with_help(help);
    if reply.status == 404 {
        // The service is being updated (MI-64).
        error = error.with_transient();
    }
    let request_id = reply
        .header("x-ms-request-id")
        .or(answer.correlation_id.as_deref());
    http::error::refused(error, reply, answer.code(), request_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managed_identity::imds::Imds;

    proptest::proptest! {
        /// Whatever a service refuses with becomes an error that says the status.
        #[test]
        fn any_refusal_is_survived(
            status in 100u16..600,
            body in r#"(\{"(error|message)":("[a-z0-9]*"|[0-9]{0,20}|\{\}|null)[,}]"?)?.*"#,
        ) {
            let body = body.into_bytes();
            let reply =
                Reply { status, headers: Vec::new(), body, retry_at: None, is_retried: false, attempts: 1 };
            let imds = Imds::at(None).unwrap();
            let error = refusal(&imds, &reply, &ManagedIdentityId::SystemAssigned);
            assert_eq!(error.status(), Some(status));
        }
    }
}
