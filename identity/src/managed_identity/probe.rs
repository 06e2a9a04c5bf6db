//! The probe by which `DefaultAzureCredential` finds out whether a service exists, so that a
//! developer's machine does not wait for time-outs (MI-80, PR-13).

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{
    Error, ErrorKind,
    http::log,
    platform::{HttpRequest, Platform, TransportError, TransportErrorKind},
};

use super::NAME;

/// The time limit of a probe: connect, send and first byte together (PR-13).
const LIMIT: Duration = Duration::from_secs(1);

/// The largest part of an answer that is searched for the words of MI-68, in bytes.
const BODY: usize = 64 * 1024;

/// Remembers that the service exists, but never that it does not.
#[derive(Debug, Default)]
pub(super) struct Probe {
    answered: AtomicBool,
}

impl Probe {
    /// Sends `request`, unless an earlier probe was answered. The service exists if it gives any
    /// answer but the 403 of a proxy that reports an unreachable network.
    ///
    /// # Errors
    /// `Unavailable` without an answer in time; `Configuration` if the platform has no HTTP client,
    /// or one that cannot send this request.
    pub(super) async fn check(
        &self,
        platform: &Platform,
        request: HttpRequest,
    ) -> Result<(), Error> {
        if self.answered.load(Ordering::Relaxed) {
            return Ok(());
        }
        log::request(&request, 1);
        let outcome = platform.within(LIMIT, ask(platform, &request)).await;
        match &outcome {
            Some(Ok((status, _))) => log::response(&request, *status, 1),
            Some(Err(error)) => log::no_response(&request, error, 1),
            None => log::no_response(&request, &too_late(), 1),
        }
        match outcome {
            Some(Ok((_, Presence::There))) => {
                self.answered.store(true, Ordering::Relaxed);
                Ok(())
            }
            Some(Ok((_, Presence::Denied))) => Err(absent(DENIED)),
            Some(Err(error))
                if matches!(
                    error.kind,
                    TransportErrorKind::NoClient | TransportErrorKind::Unsupported
                ) =>
            {
                Err(
                    Error::new(ErrorKind::Configuration, NAME, error.message.clone())
                        .with_cause(error),
                )
            }
            Some(Err(error)) => Err(absent(&error.message).with_cause(error).with_no_answer()),
            None => Err(absent(&too_late()).with_no_answer()),
        }
    }
}

fn too_late() -> String {
    format!("no answer within {} s", LIMIT.as_secs())
}

/// The meaning of an answer to the probe.
enum Presence {
    /// The service exists.
    There,
    /// A proxy answers in its place, and reports that it cannot be reached (MI-68).
    Denied,
}

const DENIED: &str = "a proxy answered 403: the network is unreachable";

/// Returns the status of the answer and its meaning.
async fn ask(
    platform: &Platform,
    request: &HttpRequest,
) -> Result<(u16, Presence), TransportError> {
    let mut response = platform.http.send(request.clone()).await?;
    if response.status == 403 {
        let body = response.bytes(BODY).await?;
        if String::from_utf8_lossy(&body)
            .to_ascii_lowercase()
            .contains("unreachable")
        {
            return Ok((response.status, Presence::Denied));
        }
    }
    Ok((response.status, Presence::There))
}

fn absent(why: &str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        NAME,
        format!("no metadata service on this host: {why}"),
    )
    .with_help("this is expected anywhere but on an Azure host")
}
