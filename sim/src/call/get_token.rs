//! `do.get-token`: a caller gets a token.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use credsim_identity::{AccessToken, TokenRequest};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, CallKind, Caller, Subscription, Uses, Which, asking};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
    world::World,
};

/// A token request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GetToken {
    /// The scopes, in which `{n}` is the number of the repetition, from 1, and `{caller}` that of
    /// the caller.
    pub scopes: Vec<String>,
    /// The tenant. Default: the credential's.
    pub tenant: Option<String>,
    /// The claims of a challenge.
    pub claims: Option<String>,
    /// Declares that the caller handles continuous access evaluation. Default: false.
    #[serde(default)]
    pub cae: bool,
    /// Waits for a new token if the cached one has less than this left. Default: 30s.
    pub min_remaining: Option<Span>,
    /// The caller keeps its token and asks again from the token's `refresh_on`, or from its end if
    /// it has no `refresh_on`. Default: false.
    #[serde(default)]
    pub keeps_token: bool,
}

/// What the callers keep from one call to the next.
#[derive(Default)]
pub(crate) struct Kept {
    /// The tokens of callers that keep them, by series and caller.
    tokens: Mutex<BTreeMap<(usize, u32), AccessToken>>,
    /// The requests of series in which all calls make the same one, by series: an application that
    /// asks repeatedly reuses its request, too.
    requests: Mutex<BTreeMap<usize, Arc<TokenRequest>>>,
}

impl Kept {
    fn tokens(&self) -> MutexGuard<'_, BTreeMap<(usize, u32), AccessToken>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the request of all calls of the series, built by `make` at the first of them.
    fn request(&self, series: usize, make: impl FnOnce() -> TokenRequest) -> Arc<TokenRequest> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let request = requests.entry(series).or_insert_with(|| Arc::new(make()));
        request.clone()
    }

    /// Returns whether the caller still uses the token that it keeps.
    fn suffices(&self, caller: &Caller) -> bool {
        let kept = self.tokens();
        let token = kept.get(&(caller.step, caller.which.caller));
        token.is_some_and(|token| caller.context.host.now() < asks_again(token))
    }
}

/// Returns when a caller that keeps `token` asks again: at the time that the token names for its
/// renewal, or at its end if it names none.
fn asks_again(token: &AccessToken) -> Timestamp {
    token.refresh_on().unwrap_or(token.expires_on())
}

impl CallKind for GetToken {
    type State = Kept;

    fn check(&self, series: &Call, place: &Place, check: &mut Check<'_>) {
        let scopes = place.key("scopes");
        if self.scopes.is_empty() {
            check
                .at_value(&scopes, "a token is asked for nothing")
                .label("no scopes")
                .expected("at least one scope, such as \"https://vault.azure.net/.default\"");
        }
        for (index, scope) in self.scopes.iter().enumerate() {
            let place = scopes.index(index);
            if scope.trim().is_empty() || scope.contains(char::is_whitespace) {
                check
                    .at_value(&place, format!("\"{scope}\" is not a scope"))
                    .label("empty, or with a space in it")
                    .expected("such as \"https://vault.azure.net/.default\"")
                    .help("several scopes are several strings");
            }
            check_numbers(scope, series, &place, check);
        }
        if self.keeps_token && series.every.is_none() {
            check
                .at_key(&place.key("keeps-token"), "this caller asks only once")
                .label("so it has nothing to keep its token for")
                .help("add `every` to the `[[call]]`, or remove `keeps-token`");
        }
    }

    fn describe(&self, plural: &str) -> String {
        let kept = if self.keeps_token {
            " and keeps it until it must be renewed"
        } else {
            ""
        };
        format!(
            "get{plural} a token for {}{kept}",
            self.scopes.join(" and ")
        )
    }

    fn uses(&self) -> Uses {
        Uses::Credential
    }

    fn token_request(&self, _: &World, which: Which) -> Option<TokenRequest> {
        Some(self.request(which))
    }

    fn request_options(&self) -> Vec<&'static str> {
        let options = [
            ("tenant", self.tenant.is_some()),
            ("claims", self.claims.is_some()),
            ("cae", self.cae),
            ("min-remaining", self.min_remaining.is_some()),
        ];
        let asked = options.into_iter().filter(|(_, is_asked)| *is_asked);
        asked.map(|(name, _)| name).collect()
    }

    fn resource(&self) -> Option<&str> {
        None
    }

    fn commands_in_transactions(&self) -> Vec<String> {
        Vec::new()
    }

    fn subscription(&self) -> Option<Subscription<'_>> {
        None
    }

    async fn play(&self, caller: &Caller, kept: &Kept) {
        if self.keeps_token && kept.suffices(caller) {
            return;
        }
        let make = || self.request(caller.which);
        let request = if self.is_always_the_same() {
            kept.request(caller.step, make)
        } else {
            Arc::new(make())
        };
        let token = asking::ask(caller, &request).await;
        if let Some(token) = token.filter(|_| self.keeps_token) {
            let place = (caller.step, caller.which.caller);
            kept.tokens().insert(place, token);
        }
    }

    /// An application that keeps a token goes on using it.
    fn before_dispose(_: &Kept) {}
}

impl GetToken {
    fn request(&self, which: Which) -> TokenRequest {
        let scopes = self.scopes.iter().map(|scope| which.fill(scope));
        let mut request = TokenRequest::new(scopes).with_cae(self.cae);
        if let Some(tenant) = &self.tenant {
            request = request.with_tenant(tenant);
        }
        if let Some(claims) = &self.claims {
            request = request.with_claims(claims);
        }
        if let Some(least) = self.min_remaining {
            request = request.with_min_remaining(least.0);
        }
        request
    }

    /// Whether no number stands in a scope: then every call of the series makes the same request.
    fn is_always_the_same(&self) -> bool {
        !self.scopes.iter().any(|scope| scope.contains('{'))
    }
}

/// Reports braces in a scope that hold no number, or one that never changes.
fn check_numbers(scope: &str, series: &Call, place: &Place, check: &mut Check<'_>) {
    for text in scope.split('{').skip(1) {
        let name = text.split('}').next().unwrap_or_default();
        match name {
            "n" if series.every.is_none() => check
                .at_value(place, "`{n}` is 1 here, for every caller")
                .label("this call is not repeated")
                .help("add `every`; `{caller}` is the number of the caller"),
            "caller" if series.callers < 2 => check
                .at_value(place, "`{caller}` is 1 here, in each repetition")
                .label("there is one caller")
                .help("add `callers`; `{n}` is the number of the repetition"),
            "n" | "caller" => continue,
            _ => check
                .at_value(place, format!("`{{{name}}}` stands for nothing"))
                .label("in braces")
                .expected("`{n}`, the number of the repetition, or `{caller}`")
                .did_you_mean(name, ["n", "caller"]),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_keeps_its_token_asks_when_the_token_says_so() {
        let ends = Timestamp::from_second(3600).unwrap();
        let renewed = Timestamp::from_second(1800).unwrap();
        let token = AccessToken::new("secret".to_owned(), ends, "Test");
        assert_eq!(asks_again(&token), ends);
        assert_eq!(asks_again(&token.with_refresh_on(Some(renewed))), renewed);
    }
}
