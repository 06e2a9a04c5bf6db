//! Real sockets on loopback: the client of the feature `reqwest`, and the requests of the
//! credentials, judged by a server that is not ours (wiremock).
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

mod client;
mod entra;
mod host;
mod imds;
