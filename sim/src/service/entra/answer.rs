//! What all answers of Entra have in common.

use http::StatusCode;
use serde::Serialize;

use crate::{
    backend::Backend,
    http::{exchange::Answer, reply::header_value},
};

/// The tenants that stand for many.
pub(crate) const SHARED: [&str; 3] = ["common", "organizations", "consumers"];

/// Whether `tenant` is the world's own.
pub(crate) fn is_known(backend: &Backend, tenant: &str) -> bool {
    backend.state().issuer.tenant().eq_ignore_ascii_case(tenant)
}

/// A JSON answer with the headers that all answers of the service have.
pub(crate) fn say(status: StatusCode, body: &impl Serialize, trace: &str) -> Answer {
    let mut answer = Answer::json(status, body);
    let headers = [
        ("cache-control", "no-store, no-cache"),
        ("pragma", "no-cache"),
        ("content-type", "application/json; charset=utf-8"),
        ("expires", "-1"),
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        ),
        ("x-content-type-options", "nosniff"),
        ("p3p", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\""),
        ("x-ms-request-id", trace),
        ("x-ms-ests-server", "2.1.0.0 - CREDSIM ProdSlices"),
        ("x-xss-protection", "0"),
    ];
    for (name, value) in headers {
        answer.headers.insert(name, header_value(value));
    }
    let flags = "path=/; secure; HttpOnly; SameSite=None";
    for cookie in [
        format!("fpc={trace}; {flags}"),
        format!("x-ms-gateway-slice=estsfd; {flags}"),
        format!("stsservicecookie=estsfd; {flags}"),
    ] {
        answer.headers.append("set-cookie", header_value(&cookie));
    }
    answer
}
