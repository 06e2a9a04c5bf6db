//! The question whether a service is there at all (MI-80, PR-13). Only `DefaultAzureCredential`
//! asks it: on a developer's machine nobody wants to wait for time-outs.

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

/// The most a probe may take: connect, send and first byte together (PR-13).
const LIMIT: Duration = Duration::from_secs(1);

/// As much of an answer as is searched for the words of MI-68.
const BODY: usize = 64 * 1024;

/// Remembers that the service was there; never that it was not.
#[derive(Debug, Default)]
pub(super) struct Probe {
    answered: AtomicBool,
}

impl Probe {
    /// Sends `request`, unless somebody has answered before. Any answer says that the service is
    /// there, except the 403 of a proxy that says the network is unreachable.
    ///
    /// # Errors
    /// `Unavailable` without an answer in time; `Configuration` when the platform has no HTTP
    /// client, or one that cannot send this request.
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

/// What an answer to the probe says.
enum Presence {
    /// The service is there.
    There,
    /// A proxy answers in its place, and says that it cannot be reached (MI-68).
    Denied,
}

const DENIED: &str = "a proxy answered 403: the network is unreachable";

/// The status of the answer, and what it means.
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
