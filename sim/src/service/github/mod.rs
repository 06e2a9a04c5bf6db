//! The endpoint at which a job of GitHub Actions gets assertions (GH-01 to GH-03).

pub mod matcher;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub mod world;

use crate::{
    backend::handle::State,
    check::Check,
    fault::effect::KnownPreset,
    http::exchange::{Endpoint, Request},
    scenario::document::Place,
    service::{About, Asked, Bypass, CommonKeys, HttpService, Principal, TokenSource, ci_token},
    trace::Facts,
};
use world::GitHub;

/// The host of the endpoint.
pub const GITHUB_HOST: &str = "pipelines.actions.githubusercontent.com";
/// Its path, in the world's one job.
pub(crate) const TOKEN: &str = "/contoso/00000000-0000-4000-8000-000000000000/_apis/distributedtask/hubs/Actions/plans/1/jobs/1/idtoken";

impl HttpService for GitHub {
    const ABOUT: About = About {
        key: "github",
        title: "GitHub Actions",
        short_title: "GitHub Actions",
        host: GITHUB_HOST,
        port: 443,
        advice: "empty for a job with default values",
        absent: None,
        token_source: Some(TokenSource::Entra),
    };

    fn presets() -> Vec<KnownPreset> {
        Vec::new()
    }

    fn facts(request: &Request) -> Facts {
        Facts::new(matcher::GitHubFacts::of(request))
    }

    fn asked(facts: &Facts) -> Option<Asked> {
        let facts = facts.get::<matcher::GitHubFacts>()?;
        Some(match facts.is_token {
            true => Asked::Token,
            false => Asked::Other,
        })
    }

    fn asked_for(_: &Facts) -> Option<&str> {
        None
    }

    fn endpoint() -> impl Endpoint {
        server::GitHub
    }

    fn common_keys(&self) -> CommonKeys<'_> {
        CommonKeys {
            token_life: self.token_life,
            takes: self.takes,
            reach: self.reach,
            limit: self.limit.as_ref(),
        }
    }

    fn check_own_keys(&self, place: &Place, check: &mut Check<'_>) {
        let keys = (
            self.issuer.as_str(),
            self.subject.as_str(),
            self.request_token.as_str(),
        );
        let bearer = ("request-token", self.job_ends);
        ci_token::check(keys, bearer, place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                format!("https://{GITHUB_HOST}{TOKEN}?api-version=2.0"),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", self.request_token.clone()),
        ]
    }

    fn bypass(&self) -> Option<Bypass> {
        None
    }

    fn lasting(&self) -> Option<String> {
        let says = "the job ends at a time of its own";
        self.job_ends.map(|_| says.to_owned())
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        Vec::new()
    }

    fn describe(&self) -> Vec<String> {
        let common = self.common_keys();
        let mut parts = vec![format!(
            "assertions of {} about {}",
            self.issuer, self.subject
        )];
        parts.push(common.describe_token_life());
        parts.extend(common.describe_answering());
        let ends = ci_token::describe_end(self.job_ends);
        let variables = "its variables are set on the host";
        vec![format!("github: {}{ends}, {variables}", parts.join(", "))]
    }

    fn prepare(&self, state: &mut State) {
        state.register_secret(&self.request_token);
    }
}
