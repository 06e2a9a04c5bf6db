//! An application that is registered in Entra, and its token requests (EN-20).

use form_urlencoded::Serializer;
use serde_json::{Map, Value, json};

use crate::{
    AccessToken, EntraOptions, Error, ErrorKind, Secret, TokenRequest,
    http::{Exchange, RetryPolicy, error::unanswered, identification::identified_to_entra},
    platform::{HttpRequest, Method, Platform},
};

use super::{Authority, response};

/// The proof of an application's identity.
#[derive(Clone, Debug)]
pub(crate) enum ClientAuthentication {
    /// A client secret (EN-23).
    Secret(Secret),
    /// A token of another issuer, or one that the application has signed (CLI-42).
    Assertion(Secret),
}

/// The type of an assertion that is a JSON Web Token.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl ClientAuthentication {
    fn write(&self, form: &mut Serializer<'_, String>) {
        match self {
            Self::Secret(secret) => form.append_pair("client_secret", secret.expose()),
            Self::Assertion(assertion) => form
                .append_pair("client_assertion_type", JWT_BEARER)
                .append_pair("client_assertion", assertion.expose()),
        };
    }

    /// Returns the secret that is sent, which no error may show.
    fn secret(&self) -> &str {
        match self {
            Self::Secret(secret) | Self::Assertion(secret) => secret.expose(),
        }
    }
}

/// An application that requests tokens from Entra.
#[derive(Debug)]
pub(crate) struct Client {
    /// The credential's name, for tokens and errors.
    pub(crate) name: &'static str,
    pub(crate) client_id: String,
    pub(crate) authority: Authority,
    policy: RetryPolicy,
    platform: Platform,
}

impl Client {
    /// # Errors
    /// `Configuration` when the authority host is not the https URL of a host.
    pub(crate) fn new(
        name: &'static str,
        client_id: String,
        options: &EntraOptions,
    ) -> Result<Self, Error> {
        let platform = options.common.host();
        let authority = Authority::new(name, options.authority_host.as_deref(), &platform)?;
        Ok(Self {
            name,
            client_id,
            authority,
            policy: RetryPolicy::entra().with(&options.retry),
            platform,
        })
    }

    /// Requests a token in `tenant` with `proof` of the application's identity. `grant` writes the
    /// fields of the grant into the form.
    pub(crate) async fn token(
        &self,
        proof: &ClientAuthentication,
        tenant: &str,
        request: &TokenRequest,
        grant: impl FnOnce(&mut Serializer<'_, String>),
    ) -> Result<AccessToken, Error> {
        let form = self.form(proof, request, grant)?;
        let mut post = HttpRequest::new(Method::Post, self.authority.token_endpoint(tenant))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json");
        post.body = form.into_bytes();
        let post = identified_to_entra(post, &self.platform);
        match Exchange::send(&self.platform, &self.policy, "entra", post).await {
            Ok(exchange) => response::token(self.name, proof.secret(), exchange),
            // Entra is configured for this host. If it is not reachable, a chain must not go on
            // with another identity (PR-01).
            Err(failure) => Err(unanswered(
                self.name,
                self.authority.host(),
                failure,
                ErrorKind::Failed,
                "check that this host reaches it",
            )),
        }
    }

    fn form(
        &self,
        proof: &ClientAuthentication,
        request: &TokenRequest,
        grant: impl FnOnce(&mut Serializer<'_, String>),
    ) -> Result<String, Error> {
        let claims = claims(self.name, request)?;
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id);
        proof.write(&mut form);
        grant(&mut form);
        if let Some(claims) = claims {
            form.append_pair("claims", &claims);
        }
        Ok(form.finish())
    }
}

/// Returns the claims of a challenge together with the client capability that `cae` declares
/// (EN-25).
fn claims(credential: &str, request: &TokenRequest) -> Result<Option<String>, Error> {
    if !request.cae() {
        return Ok(request.claims().map(str::to_owned));
    }
    let mut all = match request.claims() {
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
