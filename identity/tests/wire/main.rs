//! Real sockets on loopback: the client of the feature `reqwest`, and the requests of the
//! credentials, judged by a server that is not ours (wiremock) and by sockets that misbehave.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

mod body;
mod broken;
mod client;
mod elsewhere;
mod entra;
mod federation;
mod headers;
mod host;
mod imds;
mod patience;
mod peer;
mod service_fabric;
mod status;
mod tls;
mod trust;
