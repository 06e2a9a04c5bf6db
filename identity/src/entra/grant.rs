//! What is posted to the token endpoint (EN-20, EN-23).

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::{
    AccessToken, Error, ErrorKind, TokenRequest,
    platform::{HttpRequest, Method, Platform},
    retry::RetryPolicy,
    wire,
};

use super::{Authority, answer};

/// An application that signs in as itself, and how it reaches Entra.
pub(crate) struct Application {
    /// The credential's name, for tokens and errors.
    pub(crate) name: &'static str,
    pub(crate) platform: Platform,
    pub(crate) policy: RetryPolicy,
    pub(crate) authority: Authority,
    pub(crate) client_id: String,
    pub(crate) secret: Zeroizing<String>,
}

/// Asks for a token with a client secret.
pub(crate) async fn client_secret_token(
    application: &Application,
    tenant: &str,
    request: &TokenRequest,
) -> Result<AccessToken, Error> {
    let Application {
        name,
        platform,
        policy,
        authority,
        client_id,
        secret,
    } = application;
    let claims = claims(name, request)?;
    let mut post = HttpRequest::new(Method::Post, authority.token_endpoint(tenant))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Accept", "application/json");
    post.body = form(client_id, secret, request, claims.as_deref()).into_bytes();
    let post = wire::identified_to_entra(post, platform);

    match wire::exchange(platform, policy, "entra", post).await {
        Ok(exchange) => answer::token(name, secret, exchange),
        // Entra is not a thing of this host that may be absent: not to reach it is a failure, and
        // never a reason for a chain to go on as somebody else.
        Err(failure) => Err(wire::unanswered(
            name,
            authority.host(),
            failure,
            ErrorKind::Failed,
            "check that this host reaches it",
        )),
    }
}

fn form(client_id: &str, secret: &str, request: &TokenRequest, claims: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("client_id", client_id)
        .append_pair("client_secret", secret)
        .append_pair("grant_type", "client_credentials")
        .append_pair("scope", &request.scopes().join(" "));
    if let Some(claims) = claims {
        form.append_pair("claims", claims);
    }
    form.finish()
}

/// The claims of a challenge together with the client capability that `cae` declares (EN-25).
fn claims(credential: &str, request: &TokenRequest) -> Result<Option<String>, Error> {
    if !request.cae {
        return Ok(request.claims.clone());
    }
    let mut all = match &request.claims {
        None => Map::new(),
        Some(text) => serde_json::from_str(text).map_err(|_| {
            Error::new(
                ErrorKind::Configuration,
                credential,
                "the claims are not a JSON object",
            )
            .with_help("pass the claims of the challenge decoded from base64")
        })?,
    };
    let access_token = all.entry("access_token").or_insert_with(|| json!({}));
    if let Value::Object(access_token) = access_token {
        access_token.insert("xms_cc".to_owned(), json!({ "values": ["CP1"] }));
    }
    Ok(Some(Value::Object(all).to_string()))
}
