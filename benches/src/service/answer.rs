//! The answers of the service.
//!
//! | request | answer |
//! |---|---|
//! | `GET /TENANT/v2.0/.well-known/openid-configuration` | Entra's OpenID configuration |
//! | `POST /TENANT/oauth2/v2.0/token` | a token for a day, to be refreshed after half of it |
//! | `GET /metadata/identity/oauth2/token`, `Metadata: true` | a token for a day |
//! | `GET /control/counts` | the counts, as JSON; not counted itself, and at once |
//! | `POST /control/reset/MS` | counts from 0; later answers take MS milliseconds |
//! | anything else | 400, and one more `refused` |

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{counts::Counts, token::token};

/// Seconds that a token lives.
const LIFE: u64 = 86_400;

/// Seconds after which a token of Entra is to be refreshed. IMDS sends none; clients use half of
/// the life.
const REFRESH_IN: u64 = LIFE / 2;

/// The parts of a request that the service reads.
pub(super) struct Asked<'a> {
    pub is_post: bool,
    pub path: &'a str,
    pub has_metadata_header: bool,
}

/// Status and body. Takes the delay that is set, except for a control request.
pub(super) async fn answer(asked: &Asked<'_>, entra: &str, counts: &Counts) -> (u16, Value) {
    let mut parts = asked.path.trim_start_matches('/').split('/');
    let parts = [(); 5].map(|()| parts.next().unwrap_or_default());
    match (asked.is_post, parts) {
        (false, ["control", "counts", ..]) => (200, listed(counts)),
        (true, ["control", "reset", delay, ..]) => reset(delay, counts),
        (true, [_, "oauth2", "v2.0", "token", ""]) => {
            let _in_flight = counts.ask();
            wait(counts.delay()).await;
            (200, entra_token(counts.tokens()))
        }
        (false, ["metadata", "identity", "oauth2", "token", ""]) if asked.has_metadata_header => {
            let _in_flight = counts.ask();
            wait(counts.delay()).await;
            (200, imds_token(counts.tokens()))
        }
        (false, [tenant, "v2.0", ".well-known", "openid-configuration", ""]) => {
            counts.discover();
            wait(counts.delay()).await;
            (200, configuration(entra, tenant))
        }
        _ => {
            counts.refuse();
            let description = format!("the service of the benches knows no {}", asked.path);
            let body = json!({ "error": "invalid_request", "error_description": description });
            (400, body)
        }
    }
}

fn listed(counts: &Counts) -> Value {
    json!({
        "tokens": counts.tokens(),
        "discoveries": counts.discoveries(),
        "refused": counts.refused(),
        "peak": counts.peak(),
    })
}

fn reset(delay: &str, counts: &Counts) -> (u16, Value) {
    match delay.parse() {
        Ok(delay) => {
            counts.reset(Duration::from_millis(delay));
            (200, listed(counts))
        }
        Err(_) => (
            400,
            json!({ "error": "expected /control/reset/MILLISECONDS" }),
        ),
    }
}

/// A delay of zero still yields to other tasks.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
async fn wait(delay: Duration) {
    tokio::time::sleep(delay).await;
}

fn entra_token(number: u64) -> Value {
    json!({
        "token_type": "Bearer",
        "expires_in": LIFE,
        "ext_expires_in": LIFE,
        "refresh_in": REFRESH_IN,
        "access_token": token(number),
    })
}

fn imds_token(number: u64) -> Value {
    let now = now();
    json!({
        "access_token": token(number),
        "client_id": "11111111-0000-0000-0000-000000000001",
        "expires_in": LIFE.to_string(),
        "expires_on": (now + LIFE).to_string(),
        "ext_expires_in": LIFE.to_string(),
        "not_before": now.to_string(),
        "resource": "https://vault.azure.net",
        "token_type": "Bearer",
    })
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "clients compare it with their own clock"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn configuration(entra: &str, tenant: &str) -> Value {
    let base = format!("{entra}/{tenant}");
    json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}
