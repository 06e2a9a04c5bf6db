//! The trait of managed identity services, and the request that is the same for all of them.

use std::fmt;

use url::Url;

use super::{ManagedIdentityId, NAME, answer};
use crate::{
    AccessToken, Error, ErrorKind,
    http::{self, Exchange, Failure, Reply, RetryPolicy},
    platform::{HttpRequest, Platform, TransportErrorKind},
};

/// The managed identity service of one kind of host: its requests and the meaning of its refusals.
/// To add one, copy `imds.rs` and add a line to `detect.rs`.
pub(super) trait Service: fmt::Debug + Send + Sync + 'static {
    /// Returns its name, for messages.
    fn title(&self) -> &'static str;

    /// Returns the policy for its requests.
    fn retry_policy(&self) -> RetryPolicy;

    /// Returns the request for a token of `id` for `resource`.
    fn token_request(
        &self,
        platform: &Platform,
        resource: &str,
        id: &ManagedIdentityId,
    ) -> HttpRequest;

    /// Returns the secret that its requests hold; empty if they hold none.
    fn secret(&self) -> &str;

    /// Returns the request with which `DefaultAzureCredential` probes the service; `None` if
    /// variables of the host name the service, so that no probe is needed (PR-13).
    fn probe_request(&self, platform: &Platform) -> Option<HttpRequest>;

    /// Returns the kind of error for an answer other than 200, and the advice (PR-01).
    fn judge(&self, status: u16, text: &str, id: &ManagedIdentityId) -> (ErrorKind, &'static str);

    /// Returns the kind of error if the service cannot be reached, and the advice (PR-01, PR-08).
    fn unreached(&self) -> (ErrorKind, &'static str);

    /// Returns the advice if the certificate of the service is refused; `None` for the advice on
    /// certificates that the host trusts (MI-106).
    fn mistrusted(&self) -> Option<&'static str>;
}

/// Returns `endpoint` with what is asked for in its query, in the order of the SDKs (MI-17): the
/// version of the protocol, the resource and the id, of which services call the resource id
/// `resource_id`.
pub(super) fn asking(
    mut endpoint: Url,
    version: &str,
    resource: &str,
    id: &ManagedIdentityId,
    resource_id: &str,
) -> Url {
    let id = match id {
        ManagedIdentityId::SystemAssigned => None,
        ManagedIdentityId::ClientId(id) => Some(("client_id", id)),
        ManagedIdentityId::ObjectId(id) => Some(("object_id", id)),
        ManagedIdentityId::ResourceId(id) => Some((resource_id, id)),
    };
    endpoint
        .query_pairs_mut()
        .append_pair("api-version", version)
        .append_pair("resource", resource)
        .extend_pairs(id);
    endpoint
}

/// Requests a token from `service`, with the retries of `policy`.
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
        let (kind, help) = service.unreached();
        let is_mistrusted = matches!(&failure, Failure::Transport(error)
            if error.kind == TransportErrorKind::Certificate);
        let error = http::error::unanswered(NAME, service.title(), failure, kind, help);
        match service.mistrusted() {
            Some(help) if is_mistrusted => error.with_help(help),
            Some(_) | None => error,
        }
    })?;
    if exchange.reply.status == 200 {
        answer::token(service.title(), exchange)
    } else {
        Err(refusal(service, &exchange.reply, id))
    }
}

/// Returns the error for a status other than 200.
fn refusal(service: &dyn Service, reply: &Reply, id: &ManagedIdentityId) -> Error {
    let text = String::from_utf8_lossy(&reply.body);
    let answer = answer::Refusal::read(&text);
    let (kind, help) = service.judge(reply.status, &text, id);
    let message = format!(
        "{} answered {}{}: {}",
        service.title(),
        reply.status,
        http::error::times(reply),
        answer.description(&text, service.secret())
    );
    let mut error = Error::new(kind, NAME, message).with_help(help);
    if reply.status == 404 && service.retry_policy().retries(404) {
        // The service may be in an update; that of Service Fabric has no identity (MI-64).
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
        /// Any refusal becomes an error with its status.
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
