//! Asking the credential for a token, and recording the answer.

use std::sync::{Arc, PoisonError};

use credsim_identity::{AccessToken, Error, Outcome, TokenCredentialExt as _, TokenRequest, Tried};

use super::{Caller, Instance, SubjectInstance};
use crate::{
    credential::BuiltSubject,
    trace::{CallOutcome, Kind, SharedStr, TriedMember, fingerprint},
};

/// Asks the caller's credential, no longer than the caller waits. Returns the token, if there is
/// one.
pub(super) async fn ask(caller: &Caller, request: &TokenRequest) -> Option<AccessToken> {
    let instance = caller.instance.as_ref()?;
    let started = caller.elapsed();
    caller.record(Kind::CallStarted {
        call: caller.call,
        step: caller.step,
        caller: caller.which.caller,
        instance: instance.number,
        scope: scope_of(request),
    });
    let answer = match &instance.built {
        Err(error) => Some(Err(error.clone())),
        // The checks of a scenario exclude this.
        Ok(BuiltSubject::Redis(_)) => return None,
        Ok(BuiltSubject::Credential(built)) => {
            let credential = match caller.credential {
                Instance::Clone => built.cloned(),
                Instance::Shared | Instance::New | Instance::EachItsOwn => built.credential.clone(),
            };
            let asking = async { Ok(credential.token(request).await?.into_token()) };
            caller.within_patience(asking).await
        }
    };
    caller.record(Kind::CallEnded {
        call: caller.call,
        step: caller.step,
        instance: instance.number,
        waited: caller.elapsed().saturating_sub(started),
        host_time: caller.context.host.now(),
        outcome: outcome(caller, instance, answer.as_ref()),
    });
    answer?.ok()
}

/// The scopes as the trace writes them.
fn scope_of(request: &TokenRequest) -> SharedStr {
    match request.scopes() {
        [one] => one.into(),
        several => several.join(" ").into(),
    }
}

fn outcome(
    caller: &Caller,
    instance: &SubjectInstance,
    answer: Option<&Result<AccessToken, Error>>,
) -> Arc<CallOutcome> {
    match answer {
        None => Arc::new(CallOutcome::GaveUp {}),
        Some(Ok(token)) => token_outcome(caller, instance, token),
        Some(Err(error)) => Arc::new(CallOutcome::Error {
            error: error.kind().to_string(),
            credential: error.credential().to_owned(),
            message: text_of(caller, error),
            retry_at: error.retry_at(),
            tried: error
                .chain()
                .map(|record| tried(caller, &record.tried))
                .unwrap_or_default(),
        }),
    }
}

fn tried(caller: &Caller, members: &[Tried]) -> Vec<TriedMember> {
    let why = |error: &Error| format!("{}: {}", error.kind(), error.message());
    let member = |member: &Tried| {
        let (outcome, why) = match &member.outcome {
            Outcome::Answered => ("answered", String::new()),
            Outcome::PassedOver(error) => ("passed-over", why(error)),
            Outcome::Stopped(error) => ("stopped", why(error)),
            // The enum of the other crate may grow.
            _ => ("unknown", String::new()),
        };
        TriedMember {
            credential: member.credential.clone(),
            took: member.took,
            outcome: outcome.to_owned(),
            why: caller.vetted(why),
        }
    };
    members.iter().map(member).collect()
}

/// The text of an error, if neither it nor what `Debug` adds holds a secret.
fn text_of(caller: &Caller, error: &Error) -> String {
    let secrets = &caller.context.secrets;
    secrets.check("error", &format!("{error:?}"));
    secrets.vetted("error", error.to_string())
}

/// What the trace says of a token. Most calls are answered with a token that an earlier one had, so
/// the latest are remembered; the `Debug` output of a new one is searched for secrets.
fn token_outcome(
    caller: &Caller,
    instance: &SubjectInstance,
    token: &AccessToken,
) -> Arc<CallOutcome> {
    const REMEMBERED: usize = 4;
    let seen = instance.seen_tokens.lock();
    let mut seen = seen.unwrap_or_else(PoisonError::into_inner);
    if let Some((_, outcome)) = seen.iter().find(|(known, _)| is_clone(known, token)) {
        return outcome.clone();
    }
    // An equal token may have been found by another walk of a chain, which the outcome states.
    let equal = seen.iter().find(|(known, _)| known == token);
    let known = equal.and_then(|(_, outcome)| match &**outcome {
        CallOutcome::Token { token, .. } => Some(*token),
        CallOutcome::GaveUp {} | CallOutcome::Error { .. } => None,
    });
    let fingerprint = known.unwrap_or_else(|| {
        let secrets = &caller.context.secrets;
        secrets.check("debug", &format!("{token:?}"));
        fingerprint(token.secret())
    });
    let outcome = Arc::new(CallOutcome::Token {
        token: fingerprint,
        credential: token.answered_by().to_owned(),
        principal: token.principal().map(|p| p.object_id.clone()),
        user: token.principal().and_then(|p| p.user_name.clone()),
        expires_on: token.expires_on(),
        refresh_on: token.refresh_on(),
        tried: token
            .chain()
            .map(|record| tried(caller, &record.tried))
            .unwrap_or_default(),
    });
    // An ended token is hardly handed out again, and a fleet would hold thousands of them.
    let now = caller.context.host.now();
    seen.retain(|(known, _)| known.expires_on() > now);
    seen.truncate(REMEMBERED - 1);
    seen.push_front((token.clone(), outcome.clone()));
    outcome
}

/// Whether the two are clones of one token that one walk found: pointer identity, which costs less
/// than a comparison of the secrets.
fn is_clone(one: &AccessToken, other: &AccessToken) -> bool {
    let same_walk = match (one.chain(), other.chain()) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, Some(_)) | (Some(_), None) => false,
    };
    same_walk && std::ptr::eq(one.secret(), other.secret())
}
