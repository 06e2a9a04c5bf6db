//! The endpoint at which a job of Azure Pipelines gets assertions (CLI-43, CLI-44).

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
use world::Pipelines;

/// The host of the endpoint.
pub const PIPELINES_HOST: &str = "dev.azure.com";
/// The id of the service connection, if a scenario states none.
pub(crate) const SERVICE_CONNECTION_ID: &str = "5c000000-0000-4000-8000-000000000001";
/// The token of the job, if a scenario states none.
pub(crate) const SYSTEM_ACCESS_TOKEN: &str = "system-4cc355-t0ken-of-the-job";
/// Its path, in the world's one job.
pub(crate) const TOKEN: &str = "/contoso/11111111-1111-4111-8111-111111111111/_apis/distributedtask/hubs/build/plans/1/jobs/1/oidctoken";

impl HttpService for Pipelines {
    const ABOUT: About = About {
        key: "pipelines",
        title: "Azure Pipelines",
        short_title: "Azure Pipelines",
        host: PIPELINES_HOST,
        port: 443,
        advice: "empty for a job with default values",
        absent: None,
        token_source: Some(TokenSource::Entra),
    };

    fn presets() -> Vec<KnownPreset> {
        Vec::new()
    }

    fn facts(request: &Request) -> Facts {
        Facts::new(matcher::PipelinesFacts::of(request))
    }

    fn asked(facts: &Facts) -> Option<Asked> {
        let facts = facts.get::<matcher::PipelinesFacts>()?;
        Some(match facts.is_token {
            true => Asked::Token,
            false => Asked::Other,
        })
    }

    fn asked_for(_: &Facts) -> Option<&str> {
        None
    }

    fn endpoint() -> impl Endpoint {
        server::Pipelines
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
            self.system_access_token.as_str(),
        );
        let bearer = ("system-access-token", self.job_ends);
        ci_token::check(keys, bearer, place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "SYSTEM_OIDCREQUESTURI",
                format!("https://{PIPELINES_HOST}{TOKEN}"),
            ),
            ("SYSTEM_ACCESSTOKEN", self.system_access_token.clone()),
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
        vec![format!(
            "pipelines: {}{ends}, {variables}",
            parts.join(", ")
        )]
    }

    fn prepare(&self, state: &mut State) {
        state.register_secret(&self.system_access_token);
    }
}
