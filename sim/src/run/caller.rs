//! One caller: gets a token as an application would, and perhaps uses it.

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AccessToken, Error, Outcome, TokenCredential, TokenRequest,
    platform::{HttpRequest, Method},
};
use jiff::SignedDuration;
use url::Url;

use super::{
    redis,
    scene::{Instanced, Scene, lock},
};
use crate::{
    credential::BuiltSubject,
    scenario::{CallDo, Instance, Scenario, UseResource},
    trace::{CallOutcome, Fingerprint, Kind, TriedMember, fingerprint},
};

/// Who calls, and whom.
pub(super) struct Caller {
    pub scene: Arc<Scene>,
    /// Index of the `[[call]]`.
    pub step: usize,
    /// Among the concurrent callers of the step, from 1.
    pub number: u32,
    /// Which repetition of the step, from 1.
    pub repetition: u64,
    /// The call's number in the run.
    pub call: u64,
    pub instance: Arc<Instanced>,
}

/// Which of a step's calls: `{n}` and `{caller}` in what it asks for.
#[derive(Clone, Copy)]
pub(super) struct Which {
    /// Which repetition of the step, from 1.
    pub repetition: u64,
    /// Among the concurrent callers of the step, from 1.
    pub caller: u32,
}

impl Which {
    /// `text` with the numbers in their places.
    pub(super) fn fill(self, text: &str) -> String {
        text.replace("{n}", &self.repetition.to_string())
            .replace("{caller}", &self.caller.to_string())
    }
}

/// The token request that a call makes.
pub(super) fn request(scenario: &Scenario, action: &CallDo, which: Which) -> Option<TokenRequest> {
    Some(match action {
        CallDo::Redis(_) | CallDo::RedisSubscribe(_) => return None,
        CallDo::GetToken(get) => {
            let scopes = get.scopes.iter().map(|scope| which.fill(scope));
            let mut request = TokenRequest::new(scopes).cae(get.cae);
            if let Some(tenant) = &get.tenant {
                request = request.tenant(tenant);
            }
            if let Some(claims) = &get.claims {
                request = request.claims(claims);
            }
            if let Some(least) = get.min_remaining {
                request = request.min_remaining(least.0);
            }
            request
        }
        CallDo::UseResource(used) => {
            let audience = scenario
                .world
                .resources
                .get(&used.resource)
                .map(|r| &r.audience);
            let audience = audience.map_or("", String::as_str);
            TokenRequest::new([format!("{}/.default", audience.trim_end_matches('/'))])
        }
    })
}

/// Every token request that a step makes when it is repeated so often, each once.
pub(super) fn all_requests(scenario: &Scenario, step: usize, times: u64) -> Vec<TokenRequest> {
    let Some(call) = scenario.call.get(step) else {
        return Vec::new();
    };
    let (times, callers) = match &call.action {
        CallDo::GetToken(get) => {
            let counts = |number: &str| get.scopes.iter().any(|scope| scope.contains(number));
            let times = if counts("{n}") { times } else { 1 };
            (times, if counts("{caller}") { call.callers } else { 1 })
        }
        _ => (1, 1),
    };
    let all = (1..=times)
        .flat_map(|repetition| (1..=callers).map(move |caller| Which { repetition, caller }));
    all.filter_map(|which| request(scenario, &call.action, which))
        .collect()
}

impl Caller {
    pub(super) fn which(&self) -> Which {
        Which {
            repetition: self.repetition,
            caller: self.number,
        }
    }
}

pub(super) async fn call(caller: Caller) {
    let scene = &caller.scene;
    let Some(call) = scene.scenario.call.get(caller.step) else {
        return;
    };
    match &call.action {
        CallDo::Redis(work) => return redis::work(&caller, call, work).await,
        CallDo::RedisSubscribe(wanted) => return redis::subscribe(&caller, wanted).await,
        CallDo::GetToken(_) | CallDo::UseResource(_) => {}
    }
    let Some(request) = request(&scene.scenario, &call.action, caller.which()) else {
        return;
    };
    let keeps = matches!(&call.action, CallDo::GetToken(get) if get.keeps_token);
    if keeps && scene.still_kept(caller.step, caller.number) {
        return;
    }
    let started = scene.state.elapsed();
    scene.record(Kind::CallStarted {
        call: caller.call,
        step: caller.step + 1,
        caller: caller.number,
        instance: caller.instance.number,
        scope: request.scopes().join(" "),
    });
    let answer = match &caller.instance.built {
        Err(error) => Some(Err(error.clone())),
        // A scenario has either kind of call.
        Ok(BuiltSubject::Redis(_)) => return,
        Ok(BuiltSubject::Credential(built)) => {
            let credential = match call.credential {
                Instance::Clone => built.cloned(),
                _ => built.credential.clone(),
            };
            ask(
                scene,
                &credential,
                &request,
                call.gives_up_after.map(|limit| limit.0),
            )
            .await
        }
    };
    if let Some(Ok(token)) = &answer
        && keeps
    {
        scene.keep(caller.step, caller.number, token);
    }
    let outcome = describe(scene, &caller.instance, answer.as_ref());
    scene.record(Kind::CallEnded {
        call: caller.call,
        step: caller.step + 1,
        instance: caller.instance.number,
        waited: scene.state.elapsed().saturating_sub(started),
        host_time: scene.state.now(),
        outcome,
    });
    if let (CallDo::UseResource(used), Some(Ok(token))) = (&call.action, &answer) {
        use_resource(scene, used, token).await;
    }
}

/// Asks, but no longer than the caller is willing to wait: none if it gave up.
async fn ask(
    scene: &Scene,
    credential: &Arc<dyn TokenCredential>,
    request: &TokenRequest,
    limit: Option<Duration>,
) -> Option<Result<AccessToken, Error>> {
    let asking = async { Ok(credential.token(request).await?.into_token()) };
    match limit {
        None => Some(asking.await),
        Some(limit) => {
            let patience = scene.state.host.runtime.sleep(limit);
            tokio::select! { biased;
                answer = asking => Some(answer),
                () = patience => None,
            }
        }
    }
}

fn describe(
    scene: &Scene,
    instance: &Instanced,
    answer: Option<&Result<AccessToken, Error>>,
) -> CallOutcome {
    match answer {
        None => CallOutcome::GaveUp {},
        Some(Ok(token)) => CallOutcome::Token {
            token: scene.fingerprint_of(token, instance),
            credential: token.answered_by().to_owned(),
            principal: token.principal().map(|p| p.object_id.clone()),
            user: token.principal().and_then(|p| p.user_name.clone()),
            expires_on: token.expires_on(),
            refresh_on: token.refresh_on(),
            tried: token
                .chain()
                .map(|record| tried(scene, &record.tried))
                .unwrap_or_default(),
        },
        Some(Err(error)) => CallOutcome::Error {
            error: error.kind().to_string(),
            credential: error.credential().to_owned(),
            message: text_of(scene, error),
            retry_at: error.retry_at(),
            tried: error
                .chain()
                .map(|record| tried(scene, &record.tried))
                .unwrap_or_default(),
        },
    }
}

fn tried(scene: &Scene, members: &[credsim_identity::Tried]) -> Vec<TriedMember> {
    let member = |member: &credsim_identity::Tried| {
        let (outcome, why) = match &member.outcome {
            Outcome::Answered => ("answered", String::new()),
            Outcome::PassedOver(error) => ("passed-over", why(error)),
            Outcome::Stopped(error) => ("stopped", why(error)),
            _ => ("unknown", String::new()),
        };
        TriedMember {
            credential: member.credential.clone(),
            took: member.took,
            outcome: outcome.to_owned(),
            why: scene.watch.vetted("error", why),
        }
    };
    members.iter().map(member).collect()
}

/// The text of an error, if neither it nor what `Debug` adds holds a secret.
fn text_of(scene: &Scene, error: &Error) -> String {
    scene.watch.check("error", &format!("{error:?}"));
    scene.watch.vetted("error", error.to_string())
}

fn why(error: &Error) -> String {
    format!("{}: {}", error.kind(), error.message())
}

/// Calls a resource with the token. What it thinks of it is in its own events.
async fn use_resource(scene: &Scene, used: &UseResource, token: &AccessToken) {
    let Some(resource) = scene.scenario.world.resources.get(&used.resource) else {
        return;
    };
    let Ok(mut url) = Url::parse(&resource.audience) else {
        return;
    };
    url.query_pairs_mut().append_pair("right", &used.right);
    let request = HttpRequest::new(Method::Get, url)
        .header("authorization", format!("Bearer {}", token.secret()));
    if let Ok((_, mut body, _connection)) = scene.state.clone().exchange(request).await {
        use http_body_util::BodyExt as _;
        while let Some(Ok(_)) = body.frame().await {}
    }
}

impl Scene {
    /// Whether a caller that keeps its token need not ask yet: it waits for `refresh_on`, or,
    /// where there is none, for the end.
    fn still_kept(&self, step: usize, caller: u32) -> bool {
        let kept = self.kept();
        let Some(token) = kept.get(&(step, caller)) else {
            return false;
        };
        let now = self.state.now();
        let ends = token.expires_on().checked_sub(SignedDuration::from_mins(5));
        let last = ends.unwrap_or(token.expires_on());
        now < token.refresh_on().unwrap_or(last)
    }

    /// The token's fingerprint. Most calls are answered with a token that an earlier one had, so
    /// the latest are remembered; a new one is also looked at for what its `Debug` tells.
    fn fingerprint_of(&self, token: &AccessToken, instance: &Instanced) -> Fingerprint {
        const REMEMBERED: usize = 4;
        let mut seen = lock(&instance.seen_tokens);
        if let Some((_, fingerprint)) = seen.iter().find(|(known, _)| known == token) {
            return *fingerprint;
        }
        self.watch.check("debug", &format!("{token:?}"));
        let fingerprint = fingerprint(token.secret());
        seen.truncate(REMEMBERED - 1);
        seen.push_front((token.clone(), fingerprint));
        fingerprint
    }

    fn keep(&self, step: usize, caller: u32, token: &AccessToken) {
        self.kept().insert((step, caller), token.clone());
    }
}
