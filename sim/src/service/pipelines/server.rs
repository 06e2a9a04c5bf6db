//! The endpoint at which a job of Azure Pipelines gets assertions.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;

use super::{TOKEN, matcher::PipelinesFacts, world::Pipelines as PipelinesWorld};
use crate::{
    backend::{Backend, handle::State, journal::Recorded},
    fault::effect::Preset,
    http::{
        exchange::{Answer, Endpoint, Request},
        limit,
    },
    scenario::Range,
    service::ci_token::{self, TOKEN_EXCHANGE},
    trace::Facts,
};

/// The endpoint.
pub struct Pipelines;

impl Endpoint for Pipelines {
    fn name(&self) -> &str {
        "pipelines"
    }

    fn takes(&self, backend: &Backend) -> Option<Range> {
        backend.state().parts.get::<PipelinesWorld>()?.takes
    }

    fn refuses_pages(&self) -> bool {
        false
    }

    fn record(&self, request: &Request) -> Recorded {
        let facts = PipelinesFacts::of(request);
        let what = if facts.is_token { "token" } else { "other" };
        request.recorded(what, Facts::new(facts))
    }

    fn answer(&self, backend: &Backend, request: &Request, at: Duration) -> Answer {
        if request.route() != TOKEN {
            return problem(StatusCode::NOT_FOUND, "There is no such page.");
        }
        if request.method != Method::POST {
            return problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "The method is not supported.",
            );
        }
        let mut state = backend.state();
        let State { parts, windows, .. } = &mut *state;
        let Some(world) = parts.get::<PipelinesWorld>().cloned() else {
            return problem(StatusCode::NOT_FOUND, "There is no such job.");
        };
        let bearer = &world.system_access_token;
        if let Some(why) = ci_token::refusal(request, bearer, world.job_ends, at) {
            // A client that does not ask for it is sent to a page for people.
            return match request.header("x-tfs-fedauthredirect") {
                Some("Suppress") => {
                    problem(StatusCode::UNAUTHORIZED, "Not authorized.").because(why)
                }
                _ => Answer::new(StatusCode::FOUND, "text/html", "")
                    .with_header(
                        "Location",
                        "https://spsprodeus21.vssps.visualstudio.com/_signin",
                    )
                    .because(why),
            };
        }
        if let Some(limit) = &world.limit
            && windows.is_over("pipelines", limit.requests, limit.per.0, at)
        {
            let busy = || problem(StatusCode::TOO_MANY_REQUESTS, "Too many requests.");
            return limit::too_many(limit, busy);
        }
        drop(state);
        if request.query_field("api-version").is_none() {
            return problem(StatusCode::BAD_REQUEST, "The request has no api-version.");
        }
        if request.query_field("serviceConnectionId").as_deref()
            != Some(world.service_connection_id.as_str())
        {
            return problem(
                StatusCode::NOT_FOUND,
                "The job has no service connection of this id.",
            );
        }
        let says = (
            world.issuer.as_str(),
            world.subject.as_str(),
            TOKEN_EXCHANGE,
        );
        let token = ci_token::issue(backend, at, says, world.token_life);
        Answer::json(StatusCode::OK, &json!({ "oidcToken": token }))
            .because("an assertion of the job")
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
