//! What services have in common that answer HTTP requests at one host of their own.

use std::{net::SocketAddr, time::Duration};

use super::{Asked, Bypass, Principal, Reach, Service, TokenSource};
use crate::{
    backend::{Backend, handle::State},
    check::Check,
    engine::Server,
    fault::effect::KnownPreset,
    http::{
        exchange::{Endpoint, Request},
        limit::{self, Limit, LimitBody},
        server::server,
    },
    scenario::{Range, Span, document::Place},
    trace::Facts,
    wording::counted,
};

/// What is the same in every world.
pub(crate) struct About {
    /// Its key in `[world]`.
    pub key: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The same, short enough for the label of a diagnostic.
    pub short_title: &'static str,
    /// The host that is its own in every world.
    pub host: &'static str,
    /// The port at which it answers.
    pub port: u16,
    /// What to write under its key in a world that lacks it, for a diagnostic.
    pub advice: &'static str,
    /// What `explain` says of a world without it, if that is worth a line.
    pub absent: Option<&'static str>,
    /// How credentials get tokens from it; none if no credential asks it.
    pub token_source: Option<TokenSource>,
}

/// The keys that all of these services have.
pub(crate) struct CommonKeys<'a> {
    /// How long its tokens live.
    pub token_life: Span,
    /// How long an answer takes.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start.
    pub reach: Reach,
    /// How many token requests it serves.
    pub limit: Option<&'a Limit>,
}

/// A service that answers at one host of its own. It forgets nothing when its host goes down, and
/// is one [`Service`]; each method but `common_keys` says what is particular to it.
pub(crate) trait HttpService: Clone + Send + Sync + 'static {
    /// What is the same in every world.
    const ABOUT: About;

    /// What it says word for word (`then.reply.body.preset`).
    fn presets() -> Vec<KnownPreset>;

    /// What is known of a request that a client sends to its host.
    fn facts(request: &Request) -> Facts;

    /// What a request asks for, by what is known of it; none if that is not known of a request to
    /// this service.
    fn asked(facts: &Facts) -> Option<Asked>;

    /// For which scopes or resource a token is asked, by what is known of a request; none if it
    /// asks for none, or that is not known.
    fn asked_for(facts: &Facts) -> Option<&str>;

    /// What answers there.
    fn endpoint() -> impl Endpoint;

    /// The keys that all of these services have.
    fn common_keys(&self) -> CommonKeys<'_>;

    /// Checks its other keys, which stand at `place`.
    fn check_own_keys(&self, place: &Place, check: &mut Check<'_>);

    /// The environment variables that the platform sets on the subject's host because of it.
    fn environment(&self) -> Vec<(&'static str, String)>;

    /// How clients outside reach it past the proxy of a live world; none if all use the proxy.
    fn bypass(&self) -> Option<Bypass>;

    /// What else in it takes time of its own, so that a story with it cannot be played faster.
    fn lasting(&self) -> Option<String>;

    /// The principals that it issues tokens for.
    fn principals(&self) -> Vec<Principal<'_>>;

    /// What it is at the world's start: lines for `explain`.
    fn describe(&self) -> Vec<String>;

    /// Prepares the state of a world that begins; its keys are put there in any case.
    fn prepare(&self, state: &mut State);
}

impl<T: HttpService> Service for T {
    fn advice() -> &'static str {
        T::ABOUT.advice
    }

    fn absent() -> Option<&'static str> {
        T::ABOUT.absent
    }

    fn presets() -> Vec<KnownPreset> {
        T::presets()
    }

    fn facts_of(host: &str, request: &Request) -> Option<Facts> {
        (host == T::ABOUT.host).then(|| T::facts(request))
    }

    fn asked(facts: &Facts) -> Option<Asked> {
        T::asked(facts)
    }

    fn asked_for(facts: &Facts) -> Option<&str> {
        T::asked_for(facts)
    }

    fn token_source() -> Option<TokenSource> {
        T::ABOUT.token_source
    }

    fn reserved_host() -> Option<(&'static str, &'static str)> {
        Some((T::ABOUT.host, T::ABOUT.short_title))
    }

    fn bypass(&self) -> Option<Bypass> {
        HttpService::bypass(self)
    }

    fn reached_at(&self, _: &Backend, _: &str, _: SocketAddr) {}

    fn key(&self) -> &'static str {
        T::ABOUT.key
    }

    fn check(&self, place: &Place, check: &mut Check<'_>) {
        let common = self.common_keys();
        check.token_life(common.token_life, place);
        check.range(common.takes, &place.key("takes"));
        limit::check(common.limit, &place.key("limit"), check);
        self.check_own_keys(place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        HttpService::environment(self)
    }

    fn titles(&self) -> Vec<String> {
        vec![T::ABOUT.title.to_owned()]
    }

    fn hosts(&self) -> Vec<(String, u16)> {
        vec![(T::ABOUT.host.to_owned(), T::ABOUT.port)]
    }

    fn reach(&self) -> Reach {
        self.common_keys().reach
    }

    fn takes(&self) -> Vec<Range> {
        self.common_keys().takes.into_iter().collect()
    }

    fn token_life(&self) -> Option<Span> {
        Some(self.common_keys().token_life)
    }

    fn limit(&self) -> Option<&Limit> {
        self.common_keys().limit
    }

    fn lasting(&self) -> Option<String> {
        HttpService::lasting(self)
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        HttpService::principals(self)
    }

    fn describe(&self) -> Vec<String> {
        HttpService::describe(self)
    }

    fn install(&self, backend: &Backend) {
        let mut state = backend.state();
        self.prepare(&mut state);
        state.parts.insert(self.clone());
    }

    fn servers(&self, backend: &Backend) -> Vec<Server> {
        let at = (T::ABOUT.host, T::ABOUT.port);
        let beside = HttpService::bypass(self).is_some();
        vec![server(backend, at, beside, T::endpoint())]
    }

    fn crash(&self, _: &Backend, _: Duration) {}
}

impl CommonKeys<'_> {
    /// Says how long tokens live.
    pub(crate) fn describe_token_life(&self) -> String {
        format!("tokens live {}", self.token_life)
    }

    /// Says how it answers, where that differs from the defaults.
    pub(crate) fn describe_answering(&self) -> Vec<String> {
        let takes = self.takes.as_ref();
        let takes = takes.map(|takes| format!("answers take {}", takes.describe()));
        let reach = match self.reach {
            Reach::Reachable => None,
            other => Some(other.describe().to_owned()),
        };
        let limit = self.limit.map(describe_limit);
        takes.into_iter().chain(reach).chain(limit).collect()
    }
}

fn describe_limit(limit: &Limit) -> String {
    let mut text = format!(
        "serves {} per {}",
        counted(limit.requests, "token request"),
        limit.per
    );
    text += match limit.body {
        LimitBody::Json => ", then answers 429",
        LimitBody::Text => ", then answers 429 in plain text",
    };
    if let Some(after) = &limit.retry_after {
        text += &format!(" with Retry-After: {after}");
    }
    text
}
