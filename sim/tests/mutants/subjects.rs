//! The wrong subjects, each named after its defect.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use credsim::{
    credential::{ContinueAfter, Credential},
    scenario::Span,
    subject::{Built, Identity, Subject},
};
use credsim_identity::{Error, ErrorKind, Observer, TokenRequest};

use super::{
    chains,
    redis::{self, Renews, WrongRedis},
    tools::{Http, NotRandom, Simplified, Wrong, process_timeout, retries},
    wrappers::{
        Asks, AsksPastHalf, Fails, GivesUp, Keeps, Looks, MakesUp, NeverEnds, NewForEachCall,
        NoSingleFlight,
    },
};

type Wronged = Arc<dyn Subject>;

// Errors and chains.

pub fn calls_every_failure_unavailable() -> Wronged {
    Wrong::behind(|| Fails(|error| error.with_kind(ErrorKind::Unavailable)))
}

pub fn goes_on_after_any_failure() -> Wronged {
    Wrong::options(|credential| match credential {
        Credential::Default(options) => options.continue_after = ContinueAfter::Failure,
        Credential::Chain(options) => options.continue_after = ContinueAfter::Failure,
        _ => {}
    })
}

pub fn sticks_to_its_second_choice() -> Wronged {
    Wrong::builds(|credential, lent| chains::naive(credential, lent, true))
}

pub fn walks_with_every_call() -> Wronged {
    Wrong::builds(|credential, lent| chains::naive(credential, lent, false))
}

pub fn swallows_the_fallback_report() -> Wronged {
    struct TellsNobody;
    impl Observer for TellsNobody {}
    Wrong::lent(|lent| lent.observer = Arc::new(TellsNobody))
}

pub fn names_only_the_last_member() -> Wronged {
    Wrong::behind(|| {
        Fails(|error| {
            let last = error.message().lines().last().unwrap_or_default();
            Error::new(error.kind(), error.credential(), last)
        })
    })
}

pub fn has_one_instance_for_all() -> Wronged {
    let one = OnceLock::new();
    Wrong::builds(move |credential, lent| {
        let built = Identity.build(credential, lent)?;
        Ok(Built::shared(one.get_or_init(|| built.credential).clone()))
    })
}

// Retries.

pub fn retries_once_too_often() -> Wronged {
    Wrong::options(|credential| {
        retries(credential, |retry| {
            retry.max_retries = Some(retry.max_retries.unwrap_or(5) + 1);
        });
    })
}

pub fn asks_once() -> Wronged {
    Wrong::options(|credential| retries(credential, |retry| retry.max_retries = Some(0)))
}

pub fn retries_entra_once_too_often() -> Wronged {
    Wrong::options(|credential| {
        retries(credential, |retry| {
            retry.max_retries = Some(retry.max_retries.unwrap_or(3) + 1);
        });
    })
}

pub fn waits_after_a_410_like_after_anything() -> Wronged {
    Wrong::options(|credential| {
        retries(credential, |retry| {
            retry.retry_delay = Some(Span(Duration::from_millis(800)));
        });
    })
}

pub fn ignores_retry_after() -> Wronged {
    Wrong::lent(|lent| {
        Http::receives(&mut lent.platform, |response| {
            let is_kept = |name: &str| !name.contains("retry-after");
            response.headers.retain(|(name, _)| is_kept(name));
        });
    })
}

pub fn takes_the_first_refusal_for_final() -> Wronged {
    Wrong::lent(|lent| {
        Http::receives(&mut lent.platform, |response| {
            if response.status == 401 {
                response.status = 400;
            }
        });
    })
}

pub fn retries_in_a_default_chain() -> Wronged {
    Wrong::options(chains::of_its_own)
}

pub fn waits_a_minute_for_a_command() -> Wronged {
    Wrong::options(|credential| process_timeout(credential, Duration::from_secs(60)))
}

pub fn sets_no_limit_to_a_connect() -> Wronged {
    Wrong::lent(|lent| {
        Http::sends(&mut lent.platform, |request| request.connect_limit = None);
    })
}

// Tokens and caches.

pub fn returns_an_expired_token() -> Wronged {
    Wrong::behind(Keeps::default)
}

pub fn trusts_the_wall_clock_alone() -> Wronged {
    Wrong::lent(|lent| {
        lent.platform.clock = Arc::new(Simplified {
            clock: lent.platform.clock.clone(),
            wall_time_only: true,
            all_is_utc: false,
        });
    })
}

pub fn renews_at_the_very_end() -> Wronged {
    Wrong::behind(Keeps::until_its_end)
}

pub fn marches_in_step() -> Wronged {
    Wrong::lent(|lent| lent.platform.random = Arc::new(NotRandom))
}

pub fn waits_for_every_refresh() -> Wronged {
    Wrong::behind(|| {
        Asks(|request| {
            request
                .clone()
                .with_min_remaining(Duration::from_secs(6 * 60))
        })
    })
}

pub fn fails_when_a_refresh_fails() -> Wronged {
    Wrong::behind(AsksPastHalf::default)
}

pub fn asks_again_for_the_same_token() -> Wronged {
    Wrong::behind(AsksPastHalf::hiding_failures)
}

pub fn drops_single_flight() -> Wronged {
    Wrong::behind(NoSingleFlight::default)
}

pub fn forgets_tenant_and_claims() -> Wronged {
    Wrong::behind(|| Asks(|request| TokenRequest::new(request.scopes())))
}

pub fn caches_nothing() -> Wronged {
    Wrong::behind(|| NewForEachCall)
}

pub fn leaves_the_cache_out() -> Wronged {
    Wrong::options(|credential| {
        if let Credential::Cached(options) = credential {
            *credential = (*options.of).clone();
        }
    })
}

pub fn reads_local_time_as_utc() -> Wronged {
    Wrong::lent(|lent| {
        lent.platform.clock = Arc::new(Simplified {
            clock: lent.platform.clock.clone(),
            wall_time_only: false,
            all_is_utc: true,
        });
    })
}

pub fn goes_on_after_dispose() -> Wronged {
    Wrong::behind(|| NeverEnds)
}

// These break no promise, but an invariant.

pub fn takes_an_error_for_the_last_word() -> Wronged {
    Wrong::behind(GivesUp::default)
}

pub fn makes_up_a_token() -> Wronged {
    Wrong::behind(|| MakesUp)
}

pub fn logs_its_token() -> Wronged {
    Wrong::behind(|| {
        Looks(|token| {
            tracing::debug!(target: "credsim_identity::wrong", token = token.secret(), "a token");
        })
    })
}

pub fn logs_its_token_under_a_name_of_its_own() -> Wronged {
    Wrong::behind(|| {
        Looks(|token| {
            tracing::debug!(target: "an_app::http", "Authorization: Bearer {}", token.secret());
        })
    })
}

pub fn opens_a_span_with_its_token() -> Wronged {
    Wrong::behind(|| {
        Looks(|token| {
            let span = tracing::debug_span!(target: "an_app", "call", token = token.secret());
            span.in_scope(|| ());
        })
    })
}

// Redis.

pub fn renews_redis_tokens_at_the_very_end() -> Wronged {
    WrongRedis::options(|client| {
        client.expiration_refresh_ratio = Some(1.0);
        client.lower_refresh_bound = Some(Span(Duration::ZERO));
    })
}

pub fn keeps_its_first_token() -> Wronged {
    WrongRedis::bare(Renews::WithItsFirst)
}

pub fn signs_in_as_default() -> Wronged {
    WrongRedis::bare(Renews::AsDefault)
}

pub fn signs_in_within_transactions() -> Wronged {
    WrongRedis::bare(Renews::AtOnce)
}

pub fn never_signs_in_again() -> Wronged {
    WrongRedis::bare(Renews::Never)
}

pub fn signs_in_everywhere_at_once() -> Wronged {
    WrongRedis::options(|client| client.spread = Some(Span(Duration::ZERO)))
}

pub fn keeps_gaps_to_itself() -> Wronged {
    WrongRedis::makes(|client, credential, lent| {
        redis::keeps_gaps_to_itself(redis::ours(client, credential, lent))
    })
}

pub fn does_one_thing_at_a_time() -> Wronged {
    WrongRedis::makes(|client, credential, lent| {
        redis::does_one_thing_at_a_time(redis::ours(client, credential, lent))
    })
}
