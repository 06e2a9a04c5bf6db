//! The endpoint at which a job of GitHub Actions gets assertions.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;

use super::{TOKEN, matcher::GitHubFacts, world::GitHub as GitHubWorld};
use crate::{
    backend::{Backend, handle::State, journal::Recorded},
    fault::effect::Preset,
    http::{
        exchange::{Answer, Endpoint, Request},
        limit,
    },
    scenario::Range,
    service::ci_token,
    trace::Facts,
};

/// The endpoint.
pub struct GitHub;

impl Endpoint for GitHub {
    fn name(&self) -> &str {
        "github"
    }

    fn takes(&self, backend: &Backend) -> Option<Range> {
        backend.state().parts.get::<GitHubWorld>()?.takes
    }

    fn refuses_pages(&self) -> bool {
        false
    }

    fn record(&self, request: &Request) -> Recorded {
        let facts = GitHubFacts::of(request);
        let what = if facts.is_token { "token" } else { "other" };
        request.recorded(what, Facts::new(facts))
    }

    fn answer(&self, backend: &Backend, request: &Request, at: Duration) -> Answer {
        if request.route() != TOKEN {
            return problem(StatusCode::NOT_FOUND, "There is no such page.");
        }
        if request.method != Method::GET {
            return problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "The method is not supported.",
            );
        }
        let mut state = backend.state();
        let State { parts, windows, .. } = &mut *state;
        let Some(world) = parts.get::<GitHubWorld>().cloned() else {
            return problem(StatusCode::NOT_FOUND, "There is no such job.");
        };
        let bearer = &world.request_token;
        if let Some(why) = ci_token::refusal(request, bearer, world.job_ends, at) {
            return problem(StatusCode::UNAUTHORIZED, "Not authorized.").because(why);
        }
        if let Some(limit) = &world.limit
            && windows.is_over("github", limit.requests, limit.per.0, at)
        {
            let busy = || problem(StatusCode::TOO_MANY_REQUESTS, "Too many requests.");
            return limit::too_many(limit, busy);
        }
        drop(state);
        let audience = request.query_field("audience");
        let audience = audience.as_deref().unwrap_or("https://github.com/contoso");
        let says = (world.issuer.as_str(), world.subject.as_str(), audience);
        let token = ci_token::issue(backend, at, says, world.token_life);
        Answer::json(StatusCode::OK, &json!({ "value": token })).because("an assertion of the job")
    }

    fn preset(&self, _: &Backend, _: &Preset, _: &Request, _: Duration) -> Option<Answer> {
        None
    }

    fn says(&self, _: &Backend, status: StatusCode, _: &Request, _: Duration) -> Answer {
        problem(status, status.canonical_reason().unwrap_or("error"))
    }
}

fn problem(status: StatusCode, message: &str) -> Answer {
    Answer::json(status, &json!({ "message": message })).because(message)
}
