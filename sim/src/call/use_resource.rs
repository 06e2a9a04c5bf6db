//! `do.use-resource`: a caller gets a token and calls a resource with it.

use credsim_identity::{
    AccessToken, TokenRequest,
    platform::{HttpRequest, Method},
};
use http_body_util::BodyExt as _;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::{Call, CallKind, Caller, Subscription, Uses, Which, asking};
use crate::{
    check::Check,
    scenario::{diagnostics::one_of, document::Place},
    world::World,
};

/// A use of a resource.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UseResource {
    /// One of `world.resources`.
    pub resource: String,
    /// What is done there: one of the rights in its grants. Default: read.
    #[serde(default = "read")]
    pub right: String,
}

impl CallKind for UseResource {
    type State = ();

    fn check(&self, _: &Call, place: &Place, check: &mut Check<'_>) {
        if !check.resource(&self.resource, &place.key("resource")) {
            return;
        }
        let granted = check.rest.resources.get(self.resource.as_str());
        let rights: Vec<&str> = granted.into_iter().flatten().copied().collect();
        if !rights.is_empty() && !rights.contains(&self.right.as_str()) {
            let message = format!(
                "no principal has the right `{}` on `{}`",
                self.right, self.resource
            );
            check
                .at_value(&place.key("right"), message)
                .label("in none of its grants")
                .expected(one_of(rights.iter().copied()))
                .did_you_mean(&self.right, rights);
        }
    }

    fn describe(&self, plural: &str) -> String {
        format!(
            "use{plural} the resource {} to {}",
            self.resource, self.right
        )
    }

    fn uses(&self) -> Uses {
        Uses::Credential
    }

    fn token_request(&self, world: &World, _: Which) -> Option<TokenRequest> {
        let resource = world.resources.get(&self.resource);
        let audience = resource.map_or("", |resource| &resource.audience);
        let scope = format!("{}/.default", audience.trim_end_matches('/'));
        Some(TokenRequest::new([scope]))
    }

    fn request_options(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn resource(&self) -> Option<&str> {
        Some(&self.resource)
    }

    fn commands_in_transactions(&self) -> Vec<String> {
        Vec::new()
    }

    fn subscription(&self) -> Option<Subscription<'_>> {
        None
    }

    async fn play(&self, caller: &Caller, (): &()) {
        let Some(request) = self.token_request(&caller.context.world, caller.which) else {
            return;
        };
        if let Some(token) = asking::ask(caller, &request).await {
            self.present(caller, &token).await;
        }
    }

    fn before_dispose((): &()) {}
}

impl UseResource {
    /// Calls the resource with the token. Whether it is accepted stands in the resource's own
    /// events.
    async fn present(&self, caller: &Caller, token: &AccessToken) {
        let Some(resource) = caller.context.world.resources.get(&self.resource) else {
            return;
        };
        let Ok(mut url) = Url::parse(&resource.audience) else {
            return;
        };
        url.query_pairs_mut().append_pair("right", &self.right);
        let request = HttpRequest::new(Method::Get, url)
            .header("authorization", format!("Bearer {}", token.secret()));
        let host = caller.context.host.clone();
        if let Ok((_, mut body, _connection)) = host.exchange(request).await {
            while let Some(Ok(_)) = body.frame().await {}
        }
    }
}

fn read() -> String {
    "read".to_owned()
}
